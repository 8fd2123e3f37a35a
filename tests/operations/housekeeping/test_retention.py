"""What is old is let go; facts, everybody's bars and what is still in use stay."""

from datetime import date

import psycopg
import pytest

from tandem.market import Refusal, Timeframe, WorldKind
from tandem.operations.housekeeping.retention import let_go
from tandem.store import Record

from .conftest import DAY, bars_of, keep, minutes_of, session_of

OLD, RECENT = date(2022, 12, 23), date(2022, 12, 27)


def heard(store, world):
    """The oldest day of which a world has bars, and how many it has."""
    seen = store.bars.seen().set_index("world").loc[str(world)]
    return seen["first"].date(), seen["rows"]


@pytest.fixture
def replay(store):
    """A finished replay with an old day and a recent one, and a newer one."""
    world = store.new_world(WorldKind.RECYCLER)
    for day in (OLD, RECENT):
        keep(store, "AAPL", day=day, source="recycled", world=world)
    store.new_world(WorldKind.RECYCLER)
    return world


def test_a_replays_old_bars_go_and_nothing_else(night, store, replay):
    keep(store, "AAPL", day=OLD)
    refusal = Record(Refusal("no", "why", "risk"), OLD, session_of(OLD).close, "refusal.1")
    store.facts(replay).append(refusal)
    found = let_go(night())
    assert found.old[0].count == 390
    assert found.old[0].what == f"390 bars of {replay} before 2022-12-26"
    assert found.words.startswith(f"390 bars of {replay} before 2022-12-26 (")
    assert heard(store, replay) == (RECENT, 390)
    assert store.bars.coverage()["rows"].sum() == 390
    assert store.facts(replay).read(Refusal) == [refusal]
    assert let_go(night()).words == "nothing is old"


def test_days_are_kept_as_long_as_the_setting_says(night, replay):
    assert let_go(night(operations={"recycled_data_days": 33})).old == ()
    assert let_go(night(operations={"recycled_data_days": 3})).old[0].count == 780


def test_a_dry_run_tells_and_keeps(night, store, replay):
    found = let_go(night(dry=True))
    assert found.old[0].count == 390
    assert found.old[0].bytes > 390 * 50
    assert "would go" in found.words
    assert heard(store, replay) == (OLD, 780)


def test_the_replay_that_goes_on_counts_from_its_own_newest_bar(night, store):
    world = store.new_world(WorldKind.RECYCLER)
    for day in (OLD, RECENT):
        keep(store, "AAPL", day=day, source="recycled", world=world)
    assert let_go(night(day=date(2023, 6, 1))).old == ()
    assert let_go(night(day=date(2023, 6, 1), operations={"recycled_data_days": 3})).old[0].count == 390


def test_what_was_no_bar_goes_with_them(night, store, replay):
    for day in (OLD, RECENT):
        broken = bars_of("AAPL", minutes_of(session_of(day))[:1]).assign(high=-1.0)
        store.bars.load(broken, timeframe=Timeframe.MIN_1, source="recycled", world=replay)
    let_go(night())
    assert [given["start"][:10] for given in store.bars.quarantine()["given"]] == [str(RECENT)]


def test_everybodys_bars_leave_no_note_when_a_worlds_go(night, store, replay):
    with psycopg.connect(store.url.replace("+psycopg", "")) as connection:
        before = connection.execute("SELECT count(*) FROM bar_changes").fetchone()
        let_go(night())
        assert connection.execute("SELECT count(*) FROM bar_changes").fetchone() == before


def test_checkpoints_of_days_gone_go(night):
    meant = night()
    for name in ("2023-01-24", str(DAY), "2023-01-26", "by-hand"):
        folder = meant.home / "training" / name
        folder.mkdir(parents=True)
        (folder / "a.batch").write_bytes(b"123")
    found = let_go(meant)
    assert [(each.what, each.count, each.bytes) for each in found.old] == [
        ("training checkpoints of 2023-01-24", 1, 3),
        (f"training checkpoints of {DAY}", 1, 3),
    ]
    assert sorted(path.name for path in (meant.home / "training").iterdir()) == ["2023-01-26", "by-hand"]


def test_cache_files_that_hold_no_longer_go(night, store):
    folder = store.bars.cache.folder / "elsewhere" / "1Min"
    folder.mkdir(parents=True)
    file = folder / "2023-01.parquet"
    file.write_bytes(b"no such thing")
    assert let_go(night(dry=True)).old[0].what == "1 stale cache file"
    assert file.exists()
    let_go(night())
    assert not file.exists()
