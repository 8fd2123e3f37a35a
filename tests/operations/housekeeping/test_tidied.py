"""A night: every step in its order, whatever becomes of one, and killed anywhere the next run ends the same."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tandem.market import DataError, StoreError, WorldKind
from tandem.operations import tidy_day
from tandem.operations.housekeeping import tidied
from tandem.operations.housekeeping.backing_up import back_up_home, kept_backups
from tandem.operations.housekeeping.seal import DaySealed
from tandem.operations.housekeeping.vacuuming import vacuum_tables
from tandem.store import Store

from .conftest import DAY, SYMBOLS, keep


def test_the_steps_of_a_night_are_done_in_their_order(night, store, history):
    for symbol in SYMBOLS:
        keep(store, symbol)
    told = []
    found = tidy_day(night(origin=history.origin()), told.append)
    assert [step.name for step in told] == ["gaps", "seal", "retention", "vacuum", "backup"]
    assert found.steps == tuple(told)
    assert found.failed == ()
    assert found.words.startswith("gaps: 780 minutes of 2 symbols: each has its bar; seal: 780 1Min bars")
    assert [each["step"] for each in found.document["steps"]] == list(tidied.STEPS)
    msgspec.json.encode(found.document)


def test_a_step_that_fails_keeps_no_other_from_being_done(night, monkeypatch):
    def away(_):
        raise StoreError("PostgreSQL is away", "Start it")

    monkeypatch.setattr(tidied, "STEPS", {**tidied.STEPS, "retention": away})
    found = tidy_day(night())
    assert [(step.name, step.words) for step in found.failed] == [("retention", "PostgreSQL is away. Start it")]
    assert found.steps[-1].words.startswith("/")


def test_a_disk_that_refuses_is_a_step_that_fails(night):
    meant = night()
    meant.home.mkdir()
    (meant.home / "backups").touch()
    assert [step.name for step in tidy_day(meant).failed] == ["backup"]


def test_a_session_that_goes_on_is_not_tidied(night):
    early = night()
    with pytest.raises(DataError, match="is not over"):
        tidy_day(replace(early, now=early.session.close - timedelta(seconds=1)))


def test_a_dry_run_leaves_everything_as_it_is(night, store):
    meant = night(dry=True)
    found = tidy_day(meant)
    assert found.failed == ()
    assert meant.facts.read(DaySealed) == []
    assert not (meant.home / "backups").exists()


def test_no_backup_is_made_where_none_are_kept(night):
    found = back_up_home(night(operations={"backups": 0}))
    assert (found.backup, found.words) == (None, "none is made: operations.backups is 0")


def test_backups_are_kept_as_the_setting_says(night):
    for day in ("2023-01-24", "2023-01-25", "2023-01-26"):
        found = back_up_home(night(day=DAY.fromisoformat(day), operations={"backups": 2}))
    assert found.gone == ("2023-01-24-paper",)
    kept = kept_backups(night().home)
    assert [Path(each.folder).name for each in kept] == ["2023-01-26-paper", "2023-01-25-paper"]
    assert not any(each.damaged for each in kept)


def test_a_damaged_backup_is_said_to_be(night):
    meant = night()
    back_up_home(meant)
    next((meant.home / "backups" / f"{DAY}-paper").glob("*.dump")).write_bytes(b"")
    assert [each.damaged for each in kept_backups(meant.home)] == [True]


def test_vacuuming_in_words(night):
    assert vacuum_tables(night(), seconds=0).words.startswith("no table needs it")


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from tandem.config import Settings
from tandem.market import Calendar
from tandem.operations import Night, tidy_day
from tandem.operations.housekeeping import tidied
from tandem.store import Bars, PostgresFacts, Store, backup
from tandem.store.bars import removal

point, url, home, world = sys.argv[1:]
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
def after(owner, name):
    done = getattr(owner, name)
    setattr(owner, name, lambda *given, **named: (done(*given, **named), die()))
if point == "forgotten": after(Bars, "forget_heard")
elif point == "forgetting": after(removal, "forget_heard")
elif point == "sealing": PostgresFacts.append = die
elif point == "sealed": after(PostgresFacts, "append")
elif point == "vacuumed": tidied.STEPS = {**tidied.STEPS, "backup": die}
elif point == "dumped": after(backup, "run")
with Store.open(Path(home), url) as store:
    found = next(each for each in store.worlds() if str(each) == world)
    session = Calendar().session(datetime(2023, 1, 25).date())
    tidy_day(Night(store, store.facts(found), session, Settings(home=Path(home)), session.close))
"""


@pytest.mark.parametrize("point", ["sealing", "sealed", "forgetting", "forgotten", "vacuumed", "dumped"])
def test_killed_anywhere_the_next_night_comes_to_the_same_end(night, store: Store, point):
    meant = night(WorldKind.RECYCLER)
    for day in (DAY, DAY - timedelta(days=40)):
        keep(store, "AAPL", day=day, source="recycled", feed="iex", world=meant.world)
    arguments = [point, store.url, str(meant.home), str(meant.world)]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = tidy_day(meant)
    assert found.failed == ()
    assert [record.key for record in meant.facts.read(DaySealed)] == [f"sealed.{DAY}.1"]
    assert store.bars.seen()["rows"].sum() == 390
    assert [path.name for path in (meant.home / "backups").iterdir()] == [f"{DAY}-recycler"]
    assert not kept_backups(meant.home)[0].damaged
    again = tidy_day(meant)
    assert [step.words for step in again.steps[:3]] == [
        found.steps[0].words,
        f"as in seal 1: {found.steps[1].words.removeprefix('as in seal 1: ')}",
        "nothing is old",
    ]
