"""`tandem tidy` as a person runs it, and the way back from its backups."""

import json
from datetime import date
from pathlib import Path

import pytest

from tandem.desk import Plan
from tandem.market import Calendar, WorldKind
from tandem.store import Record, Store, facts_digest

DAY = date(2023, 1, 25)
NOBODY = {"TANDEM_WEBSOCKET__RECYCLER__SERVER_URL": "ws://localhost:9"}  # no recycler answers there


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a replay that nobody plays any more."""
    with Store.open(tmp_path / "home") as store:
        store.new_world(WorldKind.RECYCLER)
    return tmp_path / "home"


def test_a_night_is_told_step_by_step_and_its_backup_comes_back(tandem, home, tmp_path):
    done = tandem("tidy", "--day", str(DAY), **NOBODY)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"Night after {DAY}, recycler-1"
    assert [line.split()[0] for line in lines[1:]] == ["gaps", "seal", "retention", "vacuum", "backup"]
    assert "not asked for, no recycler answers at" in lines[1]
    listed = json.loads(tandem("tidy", "backups", "--json").stdout)
    assert [each["damaged"] for each in listed] == [False]
    back = tandem("tidy", "restore", listed[0]["folder"], "--into", str(tmp_path / "again"))
    assert back.returncode == 0, back.stderr
    assert f"TANDEM_HOME={tmp_path / 'again'} uses it." in back.stdout
    with Store.open(home) as one, Store.open(tmp_path / "again") as other:
        assert facts_digest(one.url) == facts_digest(other.url)
        assert other.worlds() == one.worlds()


def test_one_json_document(tandem, home):
    done = tandem("tidy", "--day", str(DAY), "--dry-run", "--json", **NOBODY)
    document = json.loads(done.stdout)
    assert (document["world"], document["day"], done.returncode) == ("recycler-1", str(DAY), 0)
    assert document["steps"][0]["found"]["lacking"] == 1560
    assert not (home / "backups").exists()


def test_a_holiday_is_nothing_to_do(tandem, home):
    done = tandem("tidy", "--day", "2023-01-16", **NOBODY)
    assert (done.returncode, done.stdout) == (0, "2023-01-16 is no trading day: nothing to do.\n")


def test_a_session_that_is_still_to_come_is_refused_before_anything_goes(tandem, home):
    done = tandem("tidy", "--day", "2099-01-05", **NOBODY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tandem: the session of 2099-01-05 is not over. Wait for its end, or name another --day\n"


def test_a_replay_without_a_session_on_record_has_to_be_told_the_day(tandem, home):
    done = tandem("tidy", **NOBODY)
    assert (done.returncode, done.stderr) == (
        2,
        "tandem: recycler-1 has no session on record that is over. Name the --day\n",
    )


def test_without_a_backup_it_says_how_to_make_one(tandem):
    done = tandem("tidy", "backups")
    assert (done.returncode, done.stdout) == (0, "No backup yet: `tandem tidy` makes one.\n")


def test_help_says_what_each_step_does(tandem):
    help_text = tandem("tidy", "--help").stdout
    for word in ("gaps:", "seal:", "retention:", "vacuum:", "backup:", "restore", "backups", "--dry-run"):
        assert word in help_text


@pytest.mark.parametrize("command", ["restore", "backups"])
def test_the_steps_of_a_night_are_not_the_help_of_its_other_commands(tandem, command):
    done = tandem("tidy", command, "--help")
    assert (done.returncode, "vacuum:" in done.stdout) == (0, False)


def test_a_paper_accounts_night_is_after_the_last_session_of_the_exchange(tandem, tmp_path):
    with Store.open(tmp_path / "home") as store:
        world = store.new_world(WorldKind.PAPER)
    done = tandem("tidy", "--dry-run", TANDEM_WEBSOCKET__MODE="alpaca")
    assert done.returncode == 0, done.stderr
    day = date.fromisoformat(done.stdout.split()[2].rstrip(","))
    assert Calendar().session(day) is not None
    assert done.stdout.startswith(f"Night after {day}, {world}, dry run")


def test_a_backtest_has_its_last_session_and_no_gaps(tandem, tmp_path):
    with Store.open(tmp_path / "home") as store:
        facts = store.facts(store.new_world(WorldKind.BACKTEST))
        for day in (DAY, date(2023, 1, 24)):
            session = Calendar().session(day)
            facts.append(Record(Plan(0, {}), day, session.morning, f"plan.{day}"))
    done = tandem("tidy", "--world", str(facts.world), "--dry-run")
    assert done.stdout.startswith(f"Night after {DAY}, backtest-1, dry run\n  gaps      ")
    assert "has no bars of its own" in done.stdout
