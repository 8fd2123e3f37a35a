"""`tandem trial`: what it says, and what it puts on record."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Capital, Mark
from tandem.cli.trial import app
from tandem.forecast import Verdict
from tandem.market import Calendar, DataError, WorldKind
from tandem.store import Record, Stages


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


def test_status_shows_and_decide_records(facts, capsys):
    run("status", "--world", str(facts.world))
    assert capsys.readouterr().out.startswith("technology, v1: keep. within the band of its record for 0 sessions.\n")
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


def test_without_a_sector_those_that_had_pairs_are_decided_on(facts, capsys):
    run("decide", "--world", str(facts.world))
    assert capsys.readouterr().out == "No sector had pairs on 2022-11-25.\n"


def test_without_a_world_there_is_one_line_that_says_what_to_do(tandem):
    done = tandem("trial", "decide")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Tandem has not traded in this account yet" in done.stderr
