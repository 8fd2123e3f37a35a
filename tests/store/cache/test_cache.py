import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from tandem.market import DataError, Timeframe, World, WorldKind
from tandem.store import Bars, Panel, Store
from tandem.store.connections import Connections

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
JANUARY, FEBRUARY = datetime(2023, 1, 3, 14, 30, tzinfo=UTC), datetime(2023, 2, 1, 14, 30, tzinfo=UTC)
SYMBOLS = ("A", "B", "C", "é D")
DAY = timedelta(days=1)
NewStore = Callable[[], AbstractContextManager[Store]]


def execute(store: Store, statement: str) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@dataclass
class Pair:
    """The same database read through a cache, and without one."""

    store: Store
    cached: Bars
    plain: Bars
    folder: Path

    def load(self, frame: pd.DataFrame, **options: Any) -> None:
        given: dict[str, Any] = {"timeframe": Timeframe.MIN_1, "source": "sample", **options}
        self.store.bars.load(frame, **given)

    def agree(self) -> None:
        whole, part = (FIRST, LAST), (JANUARY + DAY / 100, FEBRUARY + DAY / 99)
        for names, span, prefer in (
            (SYMBOLS, whole, "adjusted"),
            (SYMBOLS, part, None),
            (("A", "B"), whole, "seen"),
            (("NONE", "C"), part, "adjusted"),
        ):
            window = {"first": span[0], "last": span[1], "prefer": prefer}
            same(*(answer(bars, names, window) for bars in (self.cached, self.plain)))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*/*/*.parquet"))

    def states(self) -> list[str]:
        return [one.state for one in self.cached.cached()]

    def built(self) -> list[Path]:
        self.cached.read(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST, prefer="adjusted")
        return self.files()


def answer(bars: Bars, names: tuple[str, ...], window: dict[str, Any]) -> tuple[Any, Any]:
    try:
        frame = bars.read(names, Timeframe.MIN_1, **window)
    except DataError as error:
        return str(error), None
    return frame, bars.panel(names, Timeframe.MIN_1, **window)


def same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    if isinstance(one[0], str):
        assert one == other
        return
    pd.testing.assert_frame_equal(one[0], other[0], check_exact=True)
    assert one[1].version == other[1].version == Panel.of(one[0], Timeframe.MIN_1).version


def bars(start: datetime, days: int = 3, count: int = 40, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    starts = [
        moment
        for day in range(days)
        for moment in pd.date_range(start + day * DAY, periods=count, freq="min", unit="us")
    ]
    whole = pd.DataFrame([(symbol, moment) for symbol in SYMBOLS for moment in starts], columns=["symbol", "start"])
    prices = 100 + random.random((2, len(whole))).round(4)
    whole = whole.assign(open=prices[0], close=prices[1], high=prices.max(0), low=prices.min(0))
    whole["volume"] = random.integers(0, 2**52, len(whole))
    whole["trade_count"] = np.where(random.random(len(whole)) < 0.5, np.nan, random.integers(0, 9, len(whole)))
    return whole[random.random(len(whole)) < 0.9].reset_index(drop=True)


@pytest.fixture
def pair(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr("tandem.store.cache.cache.WORTH", 1)
    monkeypatch.setattr("tandem.store.cache.cache.LEAST", 1)
    monkeypatch.setattr("tandem.store.cache.cache.AT_ONCE", 200)
    connections = [Connections(store.url) for _ in range(2)]
    folder = tmp_path / "bars"
    pair = Pair(store, Bars(connections[0], folder), Bars(connections[1]), folder)
    pair.load(bars(JANUARY))
    pair.load(bars(FEBRUARY, seed=1))
    yield pair
    for one in connections:
        one.close()


def no_database(*_: object) -> list[Any]:
    raise AssertionError("bars were fetched from PostgreSQL")


def test_a_closed_month_is_read_from_its_file_alone(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.agree()
    assert [path.stem for path in pair.files()] == ["2023-01", "2023-02"]
    assert pair.states() == ["current", "current"]
    monkeypatch.setattr("tandem.store.cache.cache.fetch_blocks", no_database)
    found = pair.cached.read(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST)
    pd.testing.assert_frame_equal(
        found.drop(columns="trade_count"),
        pd.concat([bars(JANUARY), bars(FEBRUARY, seed=1)])
        .sort_values(["symbol", "start"], ignore_index=True)
        .drop(columns="trade_count")[list(found.drop(columns="trade_count"))],
    )


def test_small_reads_leave_no_file(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.store.cache.cache.WORTH", 100_000_000)
    pair.agree()
    assert pair.files() == []


def test_a_few_symbols_of_many_build_no_file(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.store.cache.cache.SHARE", 2)
    pair.cached.read(["A"], Timeframe.MIN_1, first=FIRST, last=LAST)
    assert pair.files() == []


CHANGES: dict[str, str] = {
    "delete": "DELETE FROM market_data WHERE symbol = 'A' AND timestamp < '2023-01-04'",
    "delete from a month": "DELETE FROM market_data_2023_01 WHERE symbol = 'B'",
    "update": "UPDATE market_data SET close = high WHERE symbol = 'C'",
    "update of a month": "UPDATE market_data_2023_02 SET volume = volume + 1",
    "truncate a month": "TRUNCATE market_data_2023_01",
    "truncate": "TRUNCATE market_data",
    "drop a month": "DROP TABLE market_data_2023_01",
    "detach a month": "ALTER TABLE market_data DETACH PARTITION market_data_2023_02",
    "insert": """INSERT INTO market_data (symbol, timestamp, open, high, low, close, volume, timeframe, data_source,
                 feed, adjustment) VALUES ('A', '2023-01-20 15:00+00', 1, 1, 1, 1, 1, '1Min', 'sample', '', 'raw')""",
    "move between months": "UPDATE market_data SET timestamp = timestamp + '40 days' WHERE timestamp < '2023-01-04'",
    "another type": "ALTER TABLE market_data ALTER COLUMN close TYPE float8 USING close * 2",
    "columns that change places": """ALTER TABLE market_data RENAME COLUMN open TO other;
                 ALTER TABLE market_data RENAME COLUMN close TO open;
                 ALTER TABLE market_data RENAME COLUMN other TO close""",
    "a column made anew": """ALTER TABLE market_data DROP COLUMN vwap;
                 ALTER TABLE market_data ADD COLUMN vwap float8 DEFAULT 1""",
    "as a replica": "SET session_replication_role = replica; DELETE FROM market_data WHERE symbol = 'A'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_hand_is_seen_by_the_next_read(pair: Pair, change: str) -> None:
    assert len(pair.built()) == 2
    execute(pair.store, CHANGES[change])
    assert "stale" in pair.states()
    pair.agree()
    if not change.startswith("detach"):
        pair.load(bars(JANUARY, seed=5))
        pair.agree()


def test_without_the_notes_the_cache_is_not_used(pair: Pair) -> None:
    pair.built()
    execute(pair.store, "TRUNCATE bar_changes")
    execute(pair.store, "UPDATE market_data_2023_01 SET close = high; TRUNCATE bar_changes")
    pair.agree()
    assert pair.cached.unwatched() == ("bar_changes",)


LOADS: dict[str, Callable[[Pair], None]] = {
    "more of the month": lambda pair: pair.load(bars(JANUARY + 10 * DAY, seed=2)),
    "another symbol": lambda pair: pair.load(bars(JANUARY, seed=2).assign(symbol="E")),
    "another source": lambda pair: pair.load(bars(JANUARY, seed=2), source="other"),
    "another adjustment": lambda pair: pair.load(bars(FEBRUARY, days=4, seed=2), adjustment="split"),
    "an earlier month": lambda pair: pair.load(bars(JANUARY - 30 * DAY, seed=2)),
}


@pytest.mark.parametrize("load", LOADS)
def test_a_load_is_seen_by_the_next_read(pair: Pair, load: str) -> None:
    pair.built()
    LOADS[load](pair)
    pair.agree()
    assert set(pair.states()) == {"current"}


def test_what_changes_no_history_makes_no_file_stale(pair: Pair) -> None:
    pair.built()
    pair.load(bars(JANUARY))
    pair.load(bars(JANUARY).assign(volume=7), revise=True)
    pair.load(bars(JANUARY + 5 * DAY, seed=9), world=World(WorldKind.PAPER, 1))
    pair.load(bars(JANUARY), timeframe=Timeframe.HOUR_1)
    assert pair.states() == ["current", "current"]
    pair.agree()
    for options in ({"revised": True}, {"world": World(WorldKind.PAPER, 1)}):
        one, other = (
            reader.read(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST, **options)  # type: ignore[arg-type]
            for reader in (pair.cached, pair.plain)
        )
        pd.testing.assert_frame_equal(one, other)


def test_what_was_rolled_back_makes_no_file_stale(pair: Pair) -> None:
    pair.built()
    with psycopg.connect(pair.store.url.replace("+psycopg", "")) as connection:
        connection.execute("DELETE FROM market_data")
        connection.rollback()
        with suppress(ZeroDivisionError), connection.transaction():
            connection.execute("DELETE FROM market_data")
            raise ZeroDivisionError
        connection.execute("SELECT 1")
    assert pair.states() == ["current", "current"]
    with psycopg.connect(pair.store.url.replace("+psycopg", "")) as connection:
        with suppress(ZeroDivisionError), connection.transaction():
            connection.execute("DELETE FROM market_data WHERE symbol = 'A'")
            raise ZeroDivisionError
        connection.execute("DELETE FROM market_data WHERE symbol = 'B'")
    pair.agree()


def test_a_month_that_leaves_no_note_is_not_believed(pair: Pair) -> None:
    pair.built()
    execute(pair.store, "ALTER TABLE market_data_2023_01 DISABLE TRIGGER bars_changed")
    execute(pair.store, "DELETE FROM market_data_2023_01 WHERE symbol = 'A'")
    pair.agree()
    execute(pair.store, "ALTER TABLE market_data_2023_01 ENABLE TRIGGER bars_changed")
    pair.agree()


def test_a_table_made_by_hand_turns_the_cache_off(pair: Pair) -> None:
    pair.built()
    execute(pair.store, "CREATE TABLE mine PARTITION OF market_data DEFAULT")
    pair.load(bars(JANUARY + 8 * DAY, seed=3))
    execute(pair.store, "INSERT INTO mine SELECT * FROM market_data WHERE false")
    assert set(pair.states()) == {"stale"}
    pair.agree()


def flip(path: Path, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    content[random.integers(len(content))] ^= 1 << int(random.integers(8))
    path.write_bytes(content)


def cut(path: Path, random: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes()[: random.integers(path.stat().st_size)])


def scramble(path: Path, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    at, count = random.integers(len(content)), int(random.integers(1, 300))
    content[at : at + count] = random.bytes(count)
    path.write_bytes(content)


@pytest.mark.parametrize("rounds", [8, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("damage", [flip, cut, scramble])
def test_a_damaged_file_is_never_believed(pair: Pair, damage: Callable[..., None], rounds: int) -> None:
    window = {"first": FIRST, "last": LAST, "prefer": "adjusted"}
    expected, random = answer(pair.plain, SYMBOLS, window), np.random.default_rng(7)
    for _ in range(rounds):
        damage(pair.built()[0], random)
        same(answer(pair.cached, SYMBOLS, window), expected)
    pair.built()
    assert pair.states() == ["current", "current"]


def test_swapped_foreign_and_absent_files_do_no_harm(pair: Pair, new_store: NewStore) -> None:
    one, other = pair.built()
    swap = pair.folder / "swap"
    one.rename(swap)
    other.rename(one)
    swap.rename(other)
    assert pair.states() == ["stale", "stale"]
    pair.agree()
    with new_store() as second:
        connections = Connections(second.url)
        theirs = Bars(connections, pair.folder)
        second.bars.load(bars(JANUARY, seed=8), timeframe=Timeframe.MIN_1, source="sample")
        theirs.read(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST)
        (foreign,) = set(pair.files()) - {one, other}
        assert sorted(pair.states()) == ["current", "current", "foreign"]
        shutil.copy(foreign, one)
        shutil.copy(other, foreign)
        pair.agree()
        assert theirs.panel(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST).version == (
            Panel.of(bars(JANUARY, seed=8), Timeframe.MIN_1).version
        )
        connections.close()
    pair.cached.cache.clear()
    assert not pair.folder.exists()
    pair.agree()
    assert len(pair.files()) == 2


def test_a_folder_that_cannot_be_written_gives_the_same_answer(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.folder.write_text("in the way")
    pair.agree()
    pair.folder.unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tandem.store.cache.month_file._fill", full)
    pair.cached.cache._refused.clear()
    pair.agree()
    assert [path for path in pair.folder.rglob("*") if path.is_file()] == []


def test_many_builders_at_once_do_no_harm(pair: Pair) -> None:
    expected = pair.plain.panel(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST).version

    def build(n: int) -> str:
        if n % 5 == 4:
            shutil.rmtree(pair.folder, ignore_errors=True)
        return pair.cached.panel(SYMBOLS, Timeframe.MIN_1, first=FIRST, last=LAST).version

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(build, range(20))) == {expected}
    assert list(pair.folder.rglob("*.part")) == []


BUILDER = """
import sys, time
from pathlib import Path
from tandem.store.cache.month_file import Title, write

def blocks():
    print("building", flush=True)
    time.sleep(60)
    yield

write(Path(sys.argv[1]), Title("", "", "", "", ""), blocks())
"""


def test_what_a_killed_builder_leaves_is_swept_away_and_what_a_living_one_writes_is_not(pair: Pair) -> None:
    path = pair.built()[0]
    path.unlink()
    command = [sys.executable, "-c", BUILDER, str(path)]
    with ExitStack() as ends:
        builders = []
        for _ in range(2):
            builders.append(ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
            ends.callback(builders[-1].kill)
            assert builders[-1].stdout.readline() == "building\n"
        builders[0].kill()
        builders[0].wait()
        assert len(list(path.parent.glob("*.part"))) == 2
        pair.agree()
        assert len(list(path.parent.glob("*.part"))) == 1


def test_today_comes_from_the_database_and_leaves_the_file_as_it_is(pair: Pair) -> None:
    now = FEBRUARY + 2 * DAY + timedelta(minutes=20)
    window: dict[str, Any] = {"first": FIRST, "last": now, "prefer": "adjusted"}
    execute(pair.store, f"DELETE FROM market_data WHERE timestamp >= '{now - timedelta(minutes=5)}'")
    same(answer(pair.cached, SYMBOLS, window), answer(pair.plain, SYMBOLS, window))
    written = [path.stat().st_mtime_ns for path in pair.files()]
    pair.load(bars(FEBRUARY + 2 * DAY, days=1, seed=4))
    assert pair.states() == ["current", "current"]
    same(answer(pair.cached, SYMBOLS, window), answer(pair.plain, SYMBOLS, window))
    assert written == [path.stat().st_mtime_ns for path in pair.files()]
    pair.agree()
    assert pair.states() == ["current", "current"]


def test_a_full_check_finds_what_no_note_tells(pair: Pair) -> None:
    pair.built()
    assert [one.state for one in pair.cached.cached(check=True)] == ["current", "current"]
    execute(pair.store, "ALTER TABLE market_data_2023_01 DISABLE TRIGGER bars_changed")
    execute(pair.store, "UPDATE market_data_2023_01 SET vwap = 7 WHERE symbol = 'A'")
    execute(pair.store, "ALTER TABLE market_data_2023_01 ENABLE ALWAYS TRIGGER bars_changed")
    assert [one.state for one in pair.cached.cached(check=True)] == ["differs", "current"]
    pair.agree()
    assert [one.state for one in pair.cached.cached(check=True)] == ["current", "current"]


def test_a_read_during_loads_sees_whole_loads(pair: Pair) -> None:
    """Each load adds one bar to both months; a torn read would find them unequal."""
    pair.built()

    def one_more(n: int) -> pd.DataFrame:
        both = pd.concat([bars(JANUARY, 1, 1), bars(FEBRUARY, 1, 1)]).groupby("start").head(1).assign(symbol="N")
        return both.assign(start=[m + timedelta(days=4, minutes=n) for m in (JANUARY, FEBRUARY)][: len(both)])

    with ThreadPoolExecutor(1) as threads:
        loading = threads.submit(lambda: [pair.load(one_more(n)) for n in range(20)])
        while not loading.done():
            panel = pair.cached.panel([*SYMBOLS, "N"], Timeframe.MIN_1, first=FIRST, last=LAST)
            if "N" in panel.symbols:
                held = panel.starts[np.isfinite(panel.closes[panel.symbols.index("N")])]
                assert len(held) % 2 == 0
        loading.result()
    pair.agree()
