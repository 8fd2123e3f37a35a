"""`tandem brief` and the reports of a day and a week, as a person asks for them."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Capital, Mark
from tandem.cli.app import run
from tandem.desk import Plan
from tandem.market import Calendar, WorldKind
from tandem.store import Record

SESSION = Calendar().session(date(2022, 11, 25))


@pytest.fixture
def world(store, tmp_path, monkeypatch):
    """An account with a morning without a model and one mark."""
    monkeypatch.chdir(tmp_path)
    given = {"HOME": str(tmp_path), "DATABASE_URL": store.url, "WEBSOCKET__MODE": "alpaca"}
    for name, value in given.items():
        monkeypatch.setenv(f"TANDEM_{name}", value)
    made = store.new_world(WorldKind.PAPER)
    mark = Mark(Decimal(50_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    store.facts(made).append(
        Record(Capital(Decimal(50_000)), SESSION.day, SESSION.morning, "capital"),
        Record(Plan(0, {}), SESSION.day, SESSION.morning, "plan"),
        Record(mark, SESSION.day, SESSION.decisions[-1], "mark"),
    )
    return made


def test_a_brief_is_text_or_a_document(world, capsys):
    assert run(["brief", "--day", "2022-11-28"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Mon 28 Nov 2022, {world}\nNo new position may be opened")
    assert "Risk, of $50,000.00 equity" in said
    assert run(["brief", "--day", "2022-11-28", "--world", str(world), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["risk"]["pair"] == 12_500.0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["brief"], "has no identified morning yet. Run `tandem identify` first, or give --day"),
        (["brief", "--day", "2022-11-26"], "2022-11-26 is not a trading day. The next one is 2022-11-28"),
        (["brief", "--world", "paper-99"], "no world is called paper-99. The newest are: paper-"),
        (["brief", "--day", "soon"], 'unable to convert "soon" into date'),
        (["report", "--day", "2022-11-23"], "nothing on record of 2022-11-23"),
        (["report", "--week", "2022-11-16"], "nothing on record of the week of 2022-11-14"),
        (["report", "--day", "2022-11-25", "--week", "2022-11-25"], "Give --day or --week"),
        (["report", "--day", "2022-11-25", "--out", "."], ". is a folder"),
    ],
)
def test_what_cannot_be_answered_is_one_line_that_helps(world, capsys, arguments, line):
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert line in error


@pytest.mark.parametrize(("option", "title"), [("--day", "Fri 25 Nov 2022"), ("--week", "Week 47 of 2022")])
def test_a_report_of_a_day_and_of_a_week_is_a_page_or_a_document(world, capsys, tmp_path, option, title):
    assert run(["report", option, "2022-11-25"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert f"<h1>{title}</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert run(["report", option, "2022-11-25", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sessions"][0]["equity"] == 50_000.0
