"""`tandem trial`: what it says, and what it puts on record."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tandem.book import Capital, Mark
from tandem.cli.app import run as tandem_run
from tandem.cli.trial import app
from tandem.desk import Plan, Shadow
from tandem.forecast import Verdict
from tandem.market import Calendar, DataError, Pair, Refusal, Timeframe, WorldKind
from tandem.screening import Passport, Score
from tandem.statistics import GarchFit
from tandem.store import Record, StageChanged, Stages


@pytest.fixture
def facts(store, tmp_path, monkeypatch):
    """A world that traded one session in which nothing happened."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path))
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    session = Calendar().session(date(2022, 11, 25))
    made = store.facts(store.new_world(WorldKind.RECYCLER))
    nothing = Mark(Decimal(100_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    made.append(
        Record(Capital(Decimal(100_000)), session.day, session.morning, "capital"),
        Record(nothing, session.day, session.close, "mark"),
    )
    return made


def run(*tokens):
    app(tokens, result_action="return_value")


def test_status_shows_and_decide_records(facts, capsys, monkeypatch):
    monkeypatch.setenv("TANDEM_SECTORS__ACTIVE", '["technology", "healthcare"]')
    run("status", "--world", str(facts.world))
    assert capsys.readouterr().out.startswith("technology, v1: keep. there is no record of live sessions yet.\n")
    assert facts.read(Verdict) == []
    for _ in range(2):
        run("decide", "healthcare", "--world", str(facts.world))
    (record,) = facts.read(Verdict)
    assert (record.body.sector, record.body.action, record.session) == ("healthcare", "keep", date(2022, 11, 25))


def test_status_is_one_json_document(facts, capsys):
    run("status", "--json", "--world", str(facts.world))
    (verdict,) = json.loads(capsys.readouterr().out)
    assert (verdict["recipe"], verdict["action"], verdict["against"]) == ("v1", "keep", "")
    assert verdict["evidence"] == {"days": 0, "record_days": 1}


def test_a_trial_without_a_shadow_says_what_to_do(facts, monkeypatch):
    monkeypatch.setenv("TANDEM_TRIAL__MODE", "shadow")
    monkeypatch.setenv("TANDEM_TRIAL__CHALLENGER", "version=v2")
    with pytest.raises(DataError, match="v2 has no shadow beside recycler-"):
        run("status", "--world", str(facts.world))


def test_a_challenger_that_was_withdrawn_is_not_tried_and_status_says_so(facts, monkeypatch, capsys):
    monkeypatch.setenv("TANDEM_TRIAL__MODE", "shadow")
    monkeypatch.setenv("TANDEM_TRIAL__CHALLENGER", "version=v2")
    stages, at = Stages(facts), Calendar().session(date(2022, 11, 25)).morning
    for recipe in ("v1", "v2"):
        stages.stage("technology", recipe, why="new", by="morning", at=at)
    stages.withdraw("technology", "v2", why="too slow", by="ada", at=at)
    run("status", "--world", str(facts.world))
    assert "Nobody is tried: v2 of technology is in Archived: name another" in capsys.readouterr().out


def test_shadow_says_what_it_traded_and_that_there_was_nothing_to_do(facts, store, monkeypatch, capsys):
    run("shadow", "--world", str(facts.world))
    assert capsys.readouterr().out == "No shadow books are kept: trial.mode is off.\n"
    monkeypatch.setenv("TANDEM_TRIAL__MODE", "shadow")
    monkeypatch.setenv("TANDEM_TRIAL__CHALLENGER", "version=v2")
    monkeypatch.setenv("TANDEM_WEBSOCKET__SYMBOLS", '["AAA"]')
    session = Calendar().session(date(2022, 11, 25))
    minutes = pd.date_range(session.open, session.close, freq="min", unit="us", inclusive="left")
    bars = pd.DataFrame({"symbol": "AAA", "start": minutes, **dict.fromkeys(("open", "high", "low", "close"), 100.0)})
    store.bars.load(bars.assign(volume=1000), timeframe=Timeframe.MIN_1, source="alpaca")
    facts.append(Record(Plan(0, {}), session.day, session.morning, "plan"))
    run("shadow", "--world", str(facts.world))
    own, plain = (each.body.world for each in facts.read(Shadow))
    assert capsys.readouterr().out == f"2022-11-25: traded in {own}.\n2022-11-25: traded in {plain}.\n"
    run("shadow", "--world", str(facts.world))
    assert capsys.readouterr().out == f"Nothing to do: {own}, {plain} have every session on record already.\n"


def test_without_a_sector_those_that_had_pairs_are_decided_on(facts, capsys):
    run("decide", "--world", str(facts.world))
    assert capsys.readouterr().out == "No sector had pairs on 2022-11-25.\n"


def passport_in(sector, session):
    starts = tuple(session.open - timedelta(days=1) + timedelta(minutes=5 * n) for n in range(3))
    garch = GarchFit(0, 0.9, 0.1, 0.1, 0.8, None, 0.01, 0.1, 1.0, 1.0, 1.0, 0.9, True, 0.5, 0.5)
    score = Score(0.8, 0.9, 0.7, 0.5, 1.0, 2)
    return Passport(
        Pair("AAA", "BBB"), sector, Timeframe.MIN_5, session.day, starts[0], starts[-1], 3, 1.0, 0.0, 0.0, 0.003, 0.9,
        6.6, garch, 0.95, 0.6, -4.0, 0.01, 1, 0.02, 0.03, 0.001, score, "", starts, (100.0,) * 3, (100.0,) * 3,
    )  # fmt: skip


@pytest.fixture
def sectors(facts, monkeypatch):
    """Technology is active, healthcare has recipes, energy had a pair; a trial is on."""
    monkeypatch.setenv("TANDEM_TRIAL__MODE", "shadow")
    monkeypatch.setenv("TANDEM_TRIAL__CHALLENGER", "version=v2")
    session = Calendar().session(date(2022, 11, 25))
    for recipe in ("v1", "v2"):
        Stages(facts).stage("healthcare", recipe, why="new", by="morning", at=session.morning)
    facts.append(Record(passport_in("energy", session), session.day, session.morning, "passport", "AAA/BBB"))
    return facts


def on_record(facts):
    return [[(r.key, r.at, r.body) for r in facts.read(kind)] for kind in (Verdict, StageChanged, Shadow, Refusal)]


@pytest.mark.parametrize("command", ["status", "decide"])
@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ("technolgy", "Did you mean technology?"),
        ("HEALTHCRE", "Did you mean healthcare?"),
        ("eenrgy", "Did you mean energy?"),
        ("zz", "There are: technology, healthcare, energy"),
    ],
)
def test_a_misspelt_sector_is_one_line_with_the_nearest_name_and_changes_nothing(
    sectors, store, capsys, command, asked, mend
):
    before, worlds = on_record(sectors), store.worlds()
    assert tandem_run(["trial", command, asked, "--world", str(sectors.world)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"tandem: {sectors.world} has no sector {asked}. {mend}\n")
    assert on_record(sectors) == before
    assert store.worlds() == worlds


def test_a_misspelt_sector_of_a_world_without_pairs_is_not_decided_on(facts, capsys):
    assert tandem_run(["trial", "decide", "tecnology", "--world", str(facts.world)]) == 2
    assert "Did you mean technology?" in capsys.readouterr().err
    assert facts.read(Verdict) == []


@pytest.mark.parametrize("asked", ["healthcare", "HealthCare"])
def test_a_sector_is_meant_whatever_its_case(sectors, capsys, monkeypatch, asked):
    monkeypatch.setenv("TANDEM_TRIAL__MODE", "off")
    run("status", asked, "--json", "--world", str(sectors.world))
    assert [each["sector"] for each in json.loads(capsys.readouterr().out)] == ["healthcare"]


def test_without_a_world_there_is_one_line_that_says_what_to_do(tandem):
    done = tandem("trial", "decide")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Tandem has not traded in this account yet" in done.stderr
