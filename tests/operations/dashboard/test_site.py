"""What every address answers, without a browser: real HTTP against the real store."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markupsafe import escape
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tandem.book import Capital, Mark
from tandem.market import WorldKind
from tandem.operations.dashboard import definitions
from tandem.operations.dashboard.definitions import DEFINITIONS
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.pages.desk import are_of_today
from tandem.operations.dashboard.pages.models import sharpe_words
from tandem.operations.dashboard.views import VIEWS
from tandem.risk import Standing, Switch
from tandem.store import Record

AT = datetime(2023, 1, 27, 16, 0, tzinfo=UTC)
TOKEN = "open, please, it is me"
PAGES = ["/", "/pairs", "/models", "/orders", "/recycler", "/runs", "/alerts"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def definitions_in(html):
    return set(re.findall(r'data-def="([^"]*)"', html))


def test_the_menu_names_every_page(desk):
    assert [view.path for view in VIEWS.values() if view.in_menu] == PAGES


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_with_nothing_on_record(empty, path):
    answer = empty.get(path)
    assert answer.status_code == 200
    assert "no world yet" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/pairs/AAPL/NVDA", "/pairs/AAPL/NVDA?day=all"])
def test_every_page_answers_with_a_real_world(desk, path):
    answer = desk.get(path)
    assert answer.status_code == 200
    assert "recycler-1" in answer.text
    assert definitions_in(answer.text)


@pytest.mark.parametrize("path", [*PAGES, "/pairs/AAPL/NVDA"])
def test_every_definition_that_a_page_names_is_in_the_table_and_every_figure_has_one(desk, path):
    html = desk.get(path).text
    assert definitions_in(html) <= set(DEFINITIONS)
    heads = re.findall(r'<th scope="col" class="num"[^>]*>', html)
    assert [head for head in heads if "data-def" not in head] == []
    for name in definitions_in(html):
        assert escape(DEFINITIONS[name].meaning) in html


@pytest.mark.parametrize(
    "path",
    [*PAGES, "/pairs/A/B", "/nowhere", "/login", "/health", "/static/page.css", "/static/nothing", "/charts/equity",
     "/charts/nothing", "/switch/halt", "/switch/nothing", "/events/nothing", "/orders/nothing"],
)  # fmt: skip
def test_every_answer_has_the_strict_headers(empty, path):
    headers = empty.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "cache-control" in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", [*PAGES, "/pairs/AAPL/NVDA", "/switch/halt"])
def test_no_page_holds_scripts_or_styles_or_addresses_elsewhere(desk, path):
    html = desk.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=\"/static/)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert set(re.findall(r'(?:src|action)="(https?:[^"]*)"', html)) == set()


def test_no_definition_is_idle():
    room = Path(definitions.__file__).parent
    sources = [*room.rglob("*.html"), *room.joinpath("pages").glob("*.py"), room / "health.py"]
    words = set(re.findall(r"[\"'.](\w+)", " ".join(path.read_text() for path in sources)))
    assert set(DEFINITIONS) - words == set()


def test_figures_are_those_of_the_facts(desk, demo):
    store, world = demo
    mark = store.facts(world).read(Mark)[-1].body
    html = desk.get("/").text
    assert f"${mark.equity:,.2f}" in html
    assert f"+${mark.net_pnl:,.2f}" in html


def test_times_are_new_yorks_with_utc_beside(desk):
    assert '<time datetime="2023-01-27T20:55:00Z" title="2023-01-27 20:55:00 UTC">15:55</time>' in desk.get("/").text


def test_what_is_not_there_is_a_404_in_words(desk):
    for path in ("/nowhere", "/pairs/X/Y", "/pairs/X/X", "/orders/nothing", "/charts/nothing", "/events/nothing"):
        assert desk.get(path).status_code == 404
    assert "knows nothing of X/Y" in desk.get("/pairs/X/Y").text


def test_the_life_of_an_order_is_a_page(desk):
    (address, *_) = re.findall(r'href="(/orders/[^"]+)"', desk.get("/orders").text)
    html = desk.get(address).text
    assert html.count("filled") >= 3
    assert "decided" in html
    assert "attempt 1" in html


def test_words_of_facts_are_escaped(store, serve):
    world = store.new_world(WorldKind.RECYCLER)
    store.facts(world).append(Record(Switch(Standing.HALTED, "<script>alert(1)</script>", "<b>"), AT.date(), AT, "s"))
    with serve(store) as visitor:
        html = visitor.get("/").text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_charts_are_plain_data(desk):
    drawn = desk.get("/charts/equity").json()
    assert len(drawn["equity"]) == len(drawn["drawdown"]) == 3 * 77
    last = drawn["equity"][-1]["time"]
    assert desk.get(f"/charts/equity?after={last}").json()["equity"] == []
    spread = desk.get("/charts/spread?a=AAPL&b=NVDA&day=2023-01-27").json()
    times = [point["time"] for point in spread["z"]]
    assert times == sorted(set(times))
    assert len(times) > 77
    assert {mark["kind"] for mark in spread["marks"]} <= {"long", "short", "exit", "stop"}
    assert any("low" in point for point in spread["band"])
    everything = desk.get("/charts/spread?a=AAPL&b=NVDA&day=all").json()
    assert len(everything["starts"]) == 2


def test_the_spread_of_a_window_is_the_passports(desk, demo):
    from tandem.screening import Passport

    store, world = demo
    passport = store.facts(world).read(Passport)[-1].body
    drawn = desk.get(f"/charts/spread?a=AAPL&b=NVDA&day={passport.session}").json()
    expected = passport.z(passport.formation_spread)
    assert [point["value"] for point in drawn["z"][: passport.bars]] == pytest.approx(expected, abs=1e-5)
    assert "low" not in drawn["band"][0]
    assert drawn["band"][1]["low"] < drawn["band"][1]["high"]


def test_nonsense_in_an_address_is_no_bug(desk):
    for path in (
        "/charts/equity?after=soon",
        "/charts/spread?a=A&b=A",
        "/charts/spread?a=A&b=B&day=soon",
        "/charts/spread",
    ):
        assert desk.get(path).status_code == 400
    assert desk.get("/pairs?day=soon").status_code == 200
    assert desk.get("/?world=nothing").status_code == 200


def test_another_world_is_shown_where_it_is_asked_for(store, serve):
    old, new = store.new_world(WorldKind.RECYCLER), store.new_world(WorldKind.RECYCLER)
    other = store.new_world(WorldKind.PAPER)
    for world, cash in ((old, 111_111), (new, 222_222), (other, 333_333)):
        store.facts(world).append(Record(Capital(cash), AT.date(), AT, "capital"))
    with serve(store) as visitor:
        assert "$222,222.00" in visitor.get("/").text
        html = visitor.get(f"/?world={old}").text
        assert "$111,111.00" in html
        assert f'href="/pairs?world={old}"' in html
    with serve(store, kind=WorldKind.PAPER) as visitor:
        assert "$333,333.00" in visitor.get("/").text
    with serve(store, named=str(old)) as visitor:
        assert "$111,111.00" in visitor.get("/").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?world=recycler-77", "No world is called recycler-77; recycler-1 is shown instead."),
        ("/pairs?day=2020-02-29", "Nothing is on record of 2020-02-29; Fri 27 Jan 2023 is shown instead."),
        ("/pairs/AAPL/NVDA?day=soon", "Nothing is on record of soon; Fri 27 Jan 2023 is shown instead."),
    ],
)
def test_what_an_address_asks_for_in_vain_is_said(desk, path, said):
    assert said in desk.get(path).text


@pytest.mark.parametrize("path", ["/", "/pairs?day=2023-01-25", "/pairs/AAPL/NVDA?day=all", "/?world=recycler-1"])
def test_what_is_shown_as_it_was_asked_for_needs_no_words(desk, path):
    assert "is shown instead" not in desk.get(path).text


def test_the_world_that_is_shown_anyway_is_listed_once(store, serve):
    old, new = store.new_world(WorldKind.RECYCLER), store.new_world(WorldKind.RECYCLER)
    with serve(store) as visitor:
        for path in ("/", f"/?world={new}"):
            options = re.findall(r"<option[^>]*>([^<]*recycler-[^<]*)<", visitor.get(path).text)
            assert options == [f"newest: {new}", str(old)]


def test_decisions_of_another_day_than_the_worlds_own_have_a_date(demo, serve, ask):
    ask.status["time"] = "2023-01-30T15:00:00Z"
    with serve(demo[0], ask, named=str(demo[1])) as visitor:
        assert ">Fri 27 Jan 15:55</time>" in decisions_in(visitor.get("/").text)


def test_decisions_of_two_days_have_a_date_each(demo):
    followed = Followed(demo[1], demo[0])
    while followed.catch_up():
        pass
    both = [followed.decisions.rows[-1], followed.decisions.rows[0]]
    assert are_of_today(both[:1], AT)
    assert not are_of_today(both, AT)
    assert not are_of_today(both[:1], None)


def decisions_in(html):
    return html[html.index('id="part-decisions"') : html.index('id="part-earned"')]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (2, "too few days (2)"),
        (4, "too few days (4)"),
        (5, "10.00 \u00b1 15.87 on 5 days, too few to conclude from"),
        (63, "10.00 \u00b1 15.87 on 63 days"),
    ],
)
def test_a_sharpe_ratio_is_shown_from_as_many_days_as_in_a_report(days, said):
    assert sharpe_words({"sharpe_ratio": 10.0, "sharpe_standard_error": 15.868, "sharpe_days": float(days)}) == said


def test_of_a_recipe_without_a_day_of_trading_there_is_no_sharpe_ratio(desk):
    assert sharpe_words({}) == "too few days (0)"
    assert "too few days (" in desk.get("/models").text


def test_a_further_route_stands_behind_the_same_door(store, serve):
    async def more(_):
        return PlainTextResponse("more\n")

    with serve(store, token=TOKEN, further=[Route("/more", more)]) as visitor:
        assert visitor.get("/more", headers={"accept": "*/*"}).status_code == 401
        shown = visitor.get("/more", headers={"accept": "*/*", "authorization": f"Bearer {TOKEN}"})
        assert (shown.status_code, shown.text) == (200, "more\n")
        assert "set-cookie" not in shown.headers
