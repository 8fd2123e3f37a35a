"""The report of a session and of a week."""

import json
import re
import shutil
from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Attribution
from tandem.desk import ModelInForce, Plan, Refit
from tandem.market import DataError, Refusal
from tandem.operations.facts.alert import AlertRaised
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.report.daily import daily_document, weekly_document, write_daily, write_weekly
from tandem.rules import Action

DAY, NEXT = date(2023, 1, 25), date(2023, 1, 26)
FIGURES = {"test_f1_score": 0.61, "test_base_rate": 0.5, "test_mcc": 0.2, "test_mcc_ar1": 0.25, "win_rate": 1.0}


@pytest.fixture
def told(traded):
    """The day with an alert, a flow and a refusal that its facts have besides."""
    alert = AlertRaised("naked_leg", "critical", "AAA/BBB", "AAA/BBB stands on one leg", "for 200 s <b>")
    traded.note(alert, "11:30", pair=None)
    traded.note(FlowDone(FlowName.IDENTIFICATION, "1 pair selected", "abc"), "6:05", pair=None)
    traded.note(Refusal("halted", "by ada", "risk"), "12:00")
    return traded


def test_a_document_has_what_the_session_came_to(store, told, kept):
    found = daily_document(store, kept(told, naked=2.5), DAY)
    assert found["total"]["net"] == -18.0
    assert found["total"]["gross"] == -10.0
    assert found["total"]["costs"] == found["total"]["slippage"] == 8.0
    assert found["pairs"] == [{"pair": "AAA/BBB", "trades": 2, **found["total"]}]
    assert [(trade["side"], trade["net"], trade["exit_z"]) for trade in found["trades"]] == [
        ("long", 16.0, -0.3), ("short", -34.0, 4.1),
    ]  # fmt: skip
    assert found["trades"][1]["why"] == "stop: |z| 4.10 has reached the stop"
    assert found["trades"][0]["closed_at"] == "2023-01-25T14:45:00+00:00"
    assert found["decisions"] == 5
    assert found["signals"] == {"enter_long": 1, "hold": 1, "exit": 1, "enter_short": 1, "stop": 1}
    assert found["refusals"] == {"screening: correlation": 1, "screening: cointegration": 1, "risk: halted": 1}
    assert found["alerts"][0]["title"] == "AAA/BBB stands on one leg"
    assert found["flows"][0]["flow"] == "identification"
    json.dumps(found, allow_nan=False)


def test_execution_is_measured_in_dollars_basis_points_and_seconds(store, told, kept):
    found = daily_document(store, kept(told, naked=2.5), DAY)["execution"]
    assert (found["fills"], found["pair_orders"]) == (8, {"filled": 4})
    assert (found["naked_seconds"], found["naked_seconds_max"]) == (10.0, 2.5)
    assert found["turnover"] == 10 * (100 + 100 + 102 + 100 + 102 + 100 + 105 + 100)
    assert found["slippage_bps"] == pytest.approx(8 / 8090 * 10_000)


def test_how_far_apart_the_legs_filled_is_known_by_their_order_ids(store, diary, kept):
    from datetime import timedelta

    from tandem.market import Fill, Side
    from tandem.store import Record

    diary.morning(DAY)
    diary.decision("9:35", diary.signal(-2.5, Action.ENTER_LONG))
    diary.note(diary.intent("enter", 1, -2.5), "9:35")
    first = diary.facts.read(type(diary.intent("enter", 1, 0)))[0].at + timedelta(minutes=1)
    for second, symbol, side, leg in ((0, "AAA", Side.BUY, "a"), (4, "AAA", Side.BUY, "a"), (7, "BBB", Side.SELL, "b")):
        qty = Decimal(5 if leg == "a" else 10)
        order, at = f"recycler-7.20230125.AAA-BBB.1435.{leg}.enter.1", first + timedelta(seconds=second)
        body = Fill(f"x{second}", order, symbol, side, qty, Decimal(100), at, Decimal(100))
        diary.facts.append(Record(body, DAY, at, f"fill.x{second}", "AAA/BBB"))
    found = daily_document(store, kept(diary), DAY)
    assert found["execution"]["leg_gap_seconds_max"] == found["execution"]["leg_gap_seconds_mean"] == 3.0
    assert found["trades"][0]["why"] == "still open"


def test_models_stand_beside_their_baselines(store, traded, kept):
    refits = tuple(Refit("technology", name, f"model {name}", {}, 0.6, "", FIGURES) for name in ("v1", "v2"))
    traded.keep(Plan(3, {}, 2, refits), DAY, "plan.second")
    traded.note(ModelInForce("technology", "v1", "model v1", "v1 is in Production"), "9:35", pair=None)
    facts = kept(traded)
    found = daily_document(store, facts, DAY)["models"]
    assert [(line["recipe"], line["in_force"]) for line in found] == [("v1", True), ("v2", False)]
    assert found[0]["figures"] == {"f1_score": 0.61, "base_rate": 0.5, "mcc": 0.2, "mcc_ar1": 0.25}


def test_a_week_is_its_sessions_together(store, told, kept):
    facts = kept(told)
    week, day = weekly_document(store, facts, date(2023, 1, 28)), daily_document(store, facts, DAY)
    assert [line["session"] for line in week["sessions"]] == [str(DAY), str(NEXT)]
    assert week["total"] == day["total"]
    assert week["sessions"][1]["net"] == 0.0
    assert week["decisions"] == 6


def test_what_is_over_is_attributed_on_the_way(store, traded, kept):
    facts = kept(traded)
    daily_document(store, facts, DAY)
    assert len(facts.read(Attribution)) == 2


def test_a_session_that_goes_on_is_told_as_it_stands(store, open_position, kept):
    found = daily_document(store, kept(open_position), DAY)
    assert found["total"]["net"] == 28.0
    assert found["trades"][0]["closed_at"] is None


@pytest.mark.parametrize("write", [write_daily, write_weekly])
def test_the_page_is_whole_and_needs_nothing_from_outside(store, told, kept, tmp_path, write):
    write(tmp_path / "page.html", store, kept(told), DAY)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    chapters = re.findall(r'<section id="(\w+)"', page)
    assert chapters[-6:] == ["pairs", "trades", "decisions", "execution", "models", "told"]
    assert (chapters[0] == "sessions") is (write is write_weekly)
    assert "It lost <" in page
    assert "$18.00" in page
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)
    assert "200 s &lt;b&gt;" in page


def test_a_session_without_a_trade_says_so(store, traded, kept, tmp_path):
    write_daily(tmp_path / "page.html", store, kept(traded), NEXT)
    assert "Nothing was traded." in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_day_that_nothing_is_known_of_is_refused(store, traded, kept, tmp_path):
    with pytest.raises(DataError, match="nothing on record of 2023-02-25"):
        write_daily(tmp_path / "page.html", store, kept(traded), date(2023, 2, 25))
    assert not (tmp_path / "page.html").exists()


def test_no_table_is_cut_in_a_window_of_1280_pixels(store, told, kept, tmp_path):
    chromium = shutil.which("chromium") or pytest.skip("no chromium on this machine: apt install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    write_daily(tmp_path / "day.html", store, kept(told, naked=2.5), DAY)
    cut = "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"file://{tmp_path / 'day.html'}")
        assert page.locator("#trades tbody tr").count() == 2
        assert page.evaluate(cut) == 0
        browser.close()
