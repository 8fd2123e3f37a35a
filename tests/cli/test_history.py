"""`tandem history`: tables that fit, files that parse, pages that stand alone, and one line for what cannot be."""

import csv
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import psycopg
import pytest

from tandem.book import Capital
from tandem.cli.app import run
from tandem.market import Calendar, WorldKind
from tandem.store import Record

SESSION = Calendar().session(date(2022, 11, 25))
ATTRIBUTED = """
INSERT INTO facts (world, session, kind, pair, at, key, body)
SELECT (SELECT id FROM worlds WHERE run = %(run)s), '2022-10-03'::date + n / %(pairs)s, 'attribution', pair,
    '2022-11-25 20:00Z', 'attribution.' || n, jsonb_build_object('pair', jsonb_build_object('a', 'A', 'b', 'B'),
        'opened_at', '2022-10-03T14:00:00Z'::timestamptz + n * interval '5 min', 'direction', 1, 'hedge_ratio', '1',
        'spread_move', ((n %% 7) * 1.5 - 3)::text, 'hedge_drift', '0.5', 'slippage', '1', 'fees', '0', 'borrow', '0',
        'qty_a', '0', 'qty_b', '0', 'price_a', '1', 'price_b', '1')
FROM generate_series(0, %(rows)s - 1) n, LATERAL (SELECT 'AA' || n %% %(pairs)s || '/BB' || n %% %(pairs)s AS pair) p
"""
SIGNALS = """
INSERT INTO facts (world, session, kind, pair, at, key, body)
SELECT (SELECT id FROM worlds WHERE run = %(run)s), '2022-11-25', 'signal', 'AA0/BB0', '2022-11-25 14:35Z',
    'signal.' || n,
    jsonb_build_object('action', CASE WHEN n %% 10 = 0 THEN 'enter_long' ELSE 'hold' END, 'why', 'z, "so"', 'z', 1.5)
FROM generate_series(0, %(rows)s - 1) n
"""
ENTRY = """
INSERT INTO facts (world, session, kind, pair, at, key, body)
VALUES ((SELECT id FROM worlds WHERE run = %(run)s), '2022-11-25', 'signal', 'EE/FF', '2022-11-25 14:35Z',
    'signal.20221125T1435.EE/FF', jsonb_build_object('action', 'enter_short', 'why', 'z', 'z', 2.5))
"""
MINUTE = timedelta(minutes=1)
KINDS = ["pairs", "models", "signals", "attribution"]


@pytest.fixture
def world(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "DATABASE_URL": store.url}.items():
        monkeypatch.setenv(f"TANDEM_{name}", value)
    monkeypatch.setenv("COLUMNS", "80")
    made = store.new_world(WorldKind.PAPER)
    store.facts(made).append(Record(Capital(Decimal(100_000)), SESSION.day, SESSION.morning, "capital"))
    return made


@pytest.fixture
def filled(store, world):
    """Fills the world with so many rows of attribution and of signals."""

    def fill(rows, pairs=20):
        with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
            for query in (ATTRIBUTED, SIGNALS):
                connection.execute(query, {"run": world.run, "rows": rows, "pairs": pairs})
        return world

    return fill


def said(capsys, *arguments):
    assert run(["history", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_row_it_says_so(world, capsys, tmp_path, kind):
    assert re.fullmatch(r"No [\w ]+\.\n", said(capsys, kind))
    assert json.loads(said(capsys, kind, "--json"))["world"] == str(world)
    assert len(said(capsys, kind, "--csv").splitlines()) == 1
    said(capsys, kind, "--html", "none.html")
    assert "</html>" in (tmp_path / "none.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("rows", [1, 10_000])
def test_one_row_and_ten_thousand_fit_a_terminal(filled, capsys, rows):
    filled(rows)
    for kind in ("pairs", "signals", "attribution", ("pairs", "--pair", "aa0/bb0")):
        lines = said(capsys, *([kind] if isinstance(kind, str) else kind)).splitlines()
        assert 2 < len(lines) < 60
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("rows", [1, 10_000])
def test_a_spreadsheet_and_a_document_have_every_row(filled, capsys, rows):
    filled(rows)
    for kind, name in (("signals", "signals"), ("attribution", "sessions"), ("pairs", "sessions")):
        table = list(csv.DictReader(StringIO(said(capsys, kind, "--csv"))))
        document = json.loads(said(capsys, kind, "--json"))
        assert len(table) == len(document[name]) == rows
        assert list(table[0]) == list(document[name][0])
    assert table[0]["net"] == "-3.5"
    assert document["sessions"][0]["net"] == -3.5


def test_the_best_pair_comes_first_also_where_not_all_are_shown(filled, capsys):
    filled(600, pairs=60)
    lines = said(capsys, "pairs").splitlines()
    ranking = json.loads(said(capsys, "pairs", "--json"))["ranking"]
    assert len(ranking) == 60
    assert lines[2].split()[:2] == ["1", ranking[0]["pair"]]
    assert "The first 40 of 60 rows; --csv has them all." in lines


def test_holds_are_counted_and_left_out_of_the_table(filled, capsys):
    filled(100)
    lines = said(capsys, "signals")
    assert lines.count(" enter_long 1.50") == 10
    assert "100 signals: hold 90, enter_long 10. Holds are left out here." in " ".join(lines.split())


def test_a_signal_that_was_refused_is_counted_and_shown_once(filled, store, capsys):
    from tandem.market import Refusal

    facts, at = store.facts(filled(10)), SESSION.open + 5 * MINUTE
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(ENTRY, {"run": facts.world.run})
    for number, (pair, reason) in enumerate((("EE/FF", "halted"), ("CC/DD", "stale leg"))):
        refusal = Refusal(reason, "by ada", "risk")
        facts.append(Record(refusal, SESSION.day, at, f"refusal.{number}", pair))
    lines = said(capsys, "signals").splitlines()
    rows = [line for line in lines if line.startswith("Fri 25 Nov")]
    assert [line.split()[5] for line in rows] == ["enter_long", "refused", "enter_short"]
    assert "refused, halted: by" in rows[2]
    told = " ".join(" ".join(lines).split())
    assert "11 signals: hold 9, enter_long 1, enter_short 1. " in told
    assert "2 refusals: 1 of one of these signals, 1 of a pair without a signal." in told
    document = json.loads(said(capsys, "signals", "--json"))
    assert document["actions"] == {"hold": 9, "enter_long": 1, "enter_short": 1}
    assert document["refusals"] == {"of_a_signal": 1, "without_a_signal": 1}


def test_attribution_sums_to_its_last_line(filled, capsys):
    filled(3)
    document = json.loads(said(capsys, "attribution", "--json"))
    assert document["total"]["net"] == sum(trade["net"] for trade in document["trades"]) == -6.0
    last = [line for line in said(capsys, "attribution").splitlines() if line.startswith("together")]
    assert "\u2212$6.00" in last[0]


@pytest.mark.parametrize("kind", ["pairs", "attribution"])
def test_a_page_needs_nothing_from_outside(filled, capsys, tmp_path, kind):
    filled(40)
    assert said(capsys, kind, "--html", "page.html") == f"{tmp_path / 'page.html'}\n"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 2
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)
    assert "<script" not in page


def test_two_periods_stand_side_by_side(filled, capsys, tmp_path):
    filled(40)
    periods = ["2022-10-03..2022-10-03", "2022-10-04..2022-11-25"]
    out = json.loads(said(capsys, "compare", "periods", *periods, "--json", "--html", "two.html"))
    assert out["left"]["figures"]["trades_closed"] == out["right"]["figures"]["trades_closed"] == 20
    whole = json.loads(said(capsys, "attribution", "--json"))["total"]["net"]
    assert out["left"]["figures"]["net"] + out["right"]["figures"]["net"] == pytest.approx(whole)
    assert (tmp_path / "two.html").read_text(encoding="utf-8").count("<svg") == 4
    table = said(capsys, "compare", "periods", *periods)
    assert max(map(len, table.splitlines())) <= 80


def test_two_pairs_stand_side_by_side_however_they_are_typed(filled, capsys):
    filled(40)
    out = json.loads(said(capsys, "compare", "pairs", "bb0/aa0", "AA1/BB1", "--json"))
    assert (out["left"]["name"], out["right"]["name"]) == ("AA0/BB0", "AA1/BB1")
    assert out["left"]["figures"]["pairs_traded"] == 1
    assert out["left"]["figures"]["signals"] == 40


def test_two_recipes_stand_side_by_side_on_the_sessions_that_both_have(store, world, capsys):
    from tandem.desk import Plan, Refit
    from tandem.store import Stages

    facts = store.facts(world)
    for recipe in ("v1", "v2"):
        Stages(facts).stage("technology", recipe, why="new", by="morning", at=SESSION.morning)
    for day, losses in ((21, {"v1": 0.5}), (22, {"v1": 0.6, "v2": 0.65}), (25, {"v1": 0.62, "v2": 0.55})):
        session = Calendar().session(date(2022, 11, day))
        refits = tuple(
            Refit("technology", name, f"{name}_{day}", {}, loss, "", {"test_log_loss": loss, "test_log_loss_ar1": 0.7})
            for name, loss in losses.items()
        )
        facts.append(Record(Plan(1, {}, 1, refits), session.day, session.morning, f"plan.{day}"))
    out = json.loads(said(capsys, "compare", "models", "V1", "v2", "--json"))
    assert out["left"]["figures"]["refits"] == out["right"]["figures"]["refits"] == 2
    assert out["left"]["figures"]["log_loss"] == pytest.approx(0.61)
    assert out["right"]["figures"]["skill"] == pytest.approx(0.1)
    assert "technology" in said(capsys, "models")
    assert "2 refits that both have" in said(capsys, "compare", "models", "v1", "v2")


def test_sessions_that_wait_to_be_graded_are_named_below_the_models(store, world, capsys, monkeypatch):
    from tandem.desk import Plan, Refit, Ungraded
    from tandem.operations.history import answers

    days = [Ungraded(date(2022, 11, day), date(2022, 11, day + 4)) for day in (18, 21, 22, 23, 25)]
    monkeypatch.setattr(answers, "ungraded", lambda facts: days)
    refit = Refit("technology", "v1", "v1_25", {}, 0.6, "", {"test_log_loss": 0.6, "test_log_loss_ar1": 0.7})
    store.facts(world).append(Record(Plan(1, {}, 1, (refit,)), SESSION.day, SESSION.morning, "plan.25"))
    told = " ".join(said(capsys, "models", "--since", "2022-11-21").split())
    assert "4 sessions wait to be graded: Mon 21 Nov until the evening of Fri 25 Nov, " in told
    assert "and 1 more. `tandem monitor` does it." in told
    found = json.loads(said(capsys, "models", "--json"))["waiting"]
    assert (len(found), found[0]) == (5, {"session": "2022-11-18", "due": "2022-11-22"})


def test_a_model_has_a_skill_in_test_and_another_since_and_none_beside_itself(store, world, capsys):
    from tandem.desk import Plan, Refit
    from tandem.operations.history.grading import ModelGrade

    refit = Refit("technology", "v1", "v1_25", {}, 0.6, "", {"test_log_loss": 0.6, "test_log_loss_ar1": 0.7})
    itself = ModelGrade("technology", "baseline", 77, 0.5, 0.2, 0.2, 0.66, 0.66)
    store.facts(world).append(
        Record(Plan(1, {}, 1, (refit,)), SESSION.day, SESSION.morning, "plan.25"),
        Record(itself, SESSION.day, SESSION.close, "model_grade.25"),
    )
    lines = said(capsys, "models").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["Test", "Graded"]
    assert lines[2].split().count("skill") == 2
    assert [line.split()[-3:-1] for line in lines[3:5]] == [["0", "n/a"], ["77", "-"]]
    assert "the baseline itself answered, and is not graded against itself." in " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["pairs", "--since", "2022-13-01"], 'unable to convert "2022-13-01" into date'),
        (["pairs", "--since", "2022-11-25", "--until", "2022-11-01"], "2022-11-25 is after 2022-11-01"),
        (["pairs", "--since", "2023-01-01"], "has no session since 2023-01-01. It has 2022-10-03 to 2022-10-04"),
        (["signals", "--pair", "AA0/BBB0"], "knows no pair AA0/BBB0. Did you mean AA0/BB0?"),
        (["models", "--sector", "technlogy"], "no sector technlogy. Did you mean technology?"),
        (["pairs", "--world", "paper-99"], "no world paper-99. There is paper-"),
        (["compare", "periods", "2022-10-03", "oops"], "oops is no period. Give two dates, as 2026-04-01..2026-04-14"),
        (["compare", "pairs", "AA0/BB0", "BB0/AA0"], "both are AA0/BB0. Name two that differ"),
        (["compare", "models", "v1", "v2"], "has no recipe v1. There are: none yet"),
        (["pairs", "--html", "."], ". is a folder"),
    ],
)
def test_what_cannot_be_answered_is_one_line_that_helps(filled, store, capsys, arguments, line):
    import pandas as pd

    store.sectors.load(pd.DataFrame({"symbol": ["AA0"], "sector": "technology"}))
    filled(40)
    assert run(["history", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert line in error
