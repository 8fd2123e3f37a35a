"""`tandem tidy` as a person runs it, and the way back from its backups."""

import json
from datetime import date
from pathlib import Path

import pytest

from tandem.market import WorldKind
from tandem.store import Store, facts_digest

DAY = date(2023, 1, 25)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a replay that nobody plays any more, and one paper account that never traded."""
    with Store.open(tmp_path / "home") as store:
        store.new_world(WorldKind.RECYCLER)
    return tmp_path / "home"


def test_a_night_is_told_step_by_step_and_its_backup_comes_back(tandem, home, tmp_path):
    done = tandem("tidy", "--day", str(DAY))
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
    done = tandem("tidy", "--day", str(DAY), "--dry-run", "--json")
    document = json.loads(done.stdout)
    assert (document["world"], document["day"], done.returncode) == ("recycler-1", str(DAY), 0)
    assert document["steps"][0]["found"]["lacking"] == 1560
    assert not (home / "backups").exists()


def test_a_holiday_is_nothing_to_do(tandem, home):
    done = tandem("tidy", "--day", "2023-01-16")
    assert (done.returncode, done.stdout) == (0, "2023-01-16 is no trading day: nothing to do.\n")


def test_a_replay_without_a_session_on_record_has_to_be_told_the_day(tandem, home):
    done = tandem("tidy")
    assert (done.returncode, done.stderr) == (2, "tandem: recycler-1 has no session on record. Name the --day\n")


def test_without_a_backup_it_says_how_to_make_one(tandem):
    done = tandem("tidy", "backups")
    assert (done.returncode, done.stdout) == (0, "No backup yet: `tandem tidy` makes one.\n")


def test_help_says_what_each_step_does(tandem):
    help_text = tandem("tidy", "--help").stdout
    for word in ("gaps:", "seal:", "retention:", "vacuum:", "backup:", "restore", "backups", "--dry-run"):
        assert word in help_text
