from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tandem.market import Calendar, RecyclerError, Timeframe, World, WorldKind
from tandem.recycler.options import Options
from tandem.recycler.reel.programme import replay_of
from tandem.recycler.reel.shelf import EARLIEST, LATEST, File, Shelf, open_shelf
from tandem.store import Store

MINUTE = timedelta(minutes=1)
OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)


class Wall:
    """Never asked: these bars keep their times."""

    def now(self) -> datetime:
        raise AssertionError


def bars_of(symbol: str, count: int, first: datetime = OPEN, base: float = 10.0) -> pd.DataFrame:
    starts = pd.Series(pd.date_range(first, periods=count, freq="min", unit="us"))
    prices = base + pd.Series(range(count)) / 100
    frame = pd.DataFrame({"symbol": symbol, "start": starts, "open": prices, "high": prices, "low": prices})
    return frame.assign(close=prices, volume=100, trade_count=3.0, vwap=float("nan"))


def load(store: Store, bars: pd.DataFrame, source: str = "alpaca", feed: str = "", adjustment: str = "raw") -> None:
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source=source, feed=feed, adjustment=adjustment)


def chosen(store: Store, *symbols: str, allow_simulated: bool = False) -> dict[str, str]:
    shelf = Shelf(store.bars, allow_simulated=allow_simulated)
    return {symbol: str(track) for symbol, track in shelf.choose(symbols, Timeframe.MIN_1).items()}


def test_a_symbol_plays_one_track_real_before_simulated_then_the_one_with_most_bars(store: Store) -> None:
    load(store, bars_of("A", 9), "simulated")
    load(store, bars_of("A", 2), "sample")
    load(store, bars_of("A", 3), "alpaca", "iex")
    load(store, bars_of("A", 3), "alpaca", "iex", "split")
    load(store, bars_of("B", 4), "sample")
    load(store, bars_of("C", 4), "simulated")
    assert chosen(store, "A", "B", "C", "D") == {"A": "alpaca iex raw", "B": "sample raw"}
    assert chosen(store, "A", "C", allow_simulated=True) == {"A": "alpaca iex raw", "C": "simulated raw"}


def test_the_choice_is_made_in_the_range_that_is_played(store: Store) -> None:
    later = OPEN + timedelta(days=1)
    load(store, bars_of("A", 9), "alpaca")
    load(store, bars_of("A", 2, later), "sample")
    shelf = Shelf(store.bars)
    assert str(shelf.choose(["A"], Timeframe.MIN_1, later, LATEST)["A"]) == "sample raw"
    assert str(shelf.choose(["A"], Timeframe.MIN_1, EARLIEST, later)["A"]) == "alpaca raw"


def test_bars_of_a_world_are_nobody_elses(store: Store) -> None:
    world = World(WorldKind.RECYCLER, 7)
    store.bars.load(bars_of("A", 3), timeframe=Timeframe.MIN_1, source="recycled", world=world)
    assert chosen(store, "A") == {}


def test_of_a_long_history_some_days_are_looked_into(store: Store) -> None:
    days = [session.open for session in Calendar().sessions(date(2021, 1, 4), date(2022, 12, 30))]
    names = [f"S{number:03d}" for number in range(60)]
    few = pd.concat([bars_of(name, 1, day) for name in names for day in (days[0], days[-1])])
    load(store, few, "sample")
    load(store, pd.concat([bars_of("S000", 2, day) for day in days[::20]]), "alpaca")
    assert chosen(store, *names)["S000"] in ("alpaca raw", "sample raw")
    assert len(chosen(store, *names)) == 60
    assert chosen(store, "S000") == {"S000": "alpaca raw"}


def test_what_is_read_has_ended_and_comes_from_the_chosen_track_alone(store: Store) -> None:
    load(store, bars_of("A", 5), "alpaca")
    load(store, bars_of("A", 4, base=90.0), "sample")
    load(store, bars_of("B", 3), "sample")
    shelf = Shelf(store.bars)
    found = shelf.read(["B", "A", "Z"], Timeframe.MIN_1, OPEN + MINUTE, OPEN + 3 * MINUTE)
    assert [(row.symbol, row.start, row.open) for row in found.itertuples(index=False)] == [
        (symbol, OPEN + n * MINUTE, 10.0 + n / 100) for symbol in "AB" for n in (1, 2)
    ]
    assert "vwap" not in found
    assert shelf.read(["A"], Timeframe.DAY_1, EARLIEST, LATEST).empty


def test_a_file_reads_as_the_store_does(store: Store, tmp_path: Path) -> None:
    bars = pd.concat([bars_of("A", 5), bars_of("B", 3)], ignore_index=True)
    load(store, bars)
    bars.sample(frac=1, random_state=1).to_parquet(tmp_path / "bars.parquet")
    with open_shelf(Options(("A",), bars=tmp_path / "bars.parquet")) as file:
        wanted = (["A", "B"], Timeframe.MIN_1, OPEN, OPEN + 4 * MINUTE)
        pd.testing.assert_frame_equal(file.read(*wanted), Shelf(store.bars).read(*wanted))
        assert file.source.following(list(file.choose(["A"], Timeframe.MIN_1).values()), Timeframe.MIN_1, OPEN) == OPEN
        assert file.source.tracks(["A"], Timeframe.DAY_1, EARLIEST, LATEST) == []
    with pytest.raises(RecyclerError, match="cannot be read as bars"):
        File.read(tmp_path / "nothing.parquet")


def test_days_with_bars_and_the_next_bar_are_found(store: Store) -> None:
    later = OPEN + timedelta(days=3)
    load(store, pd.concat([bars_of("A", 2), bars_of("B", 2, later)]))
    tracks = store.bars.tracks(["A", "B"], Timeframe.MIN_1, EARLIEST, LATEST)
    days = [date(2023, 1, 3) + timedelta(days=n) for n in range(5)]
    assert store.bars.days(tracks, Timeframe.MIN_1, days) == [date(2023, 1, 3), date(2023, 1, 6)]
    assert store.bars.following(tracks, Timeframe.MIN_1, OPEN + 2 * MINUTE) == later
    assert store.bars.following(tracks, Timeframe.MIN_1, later + timedelta(days=1)) is None


def test_simulated_bars_are_refused_unless_they_are_allowed(store: Store) -> None:
    load(store, bars_of("A", 3))
    load(store, bars_of("S", 3, base=70.0), "simulated")
    with pytest.raises(RecyclerError, match="S: there are simulated bars only"):
        replay_of(Options(("A", "S"), any_proxy=True), Shelf(store.bars), Wall())
    assert replay_of(Options(("A", "S"), proxies={"S": "A"}), Shelf(store.bars), Wall()).reel.proxies == {"S": "A"}
    allowed = replay_of(Options(("A", "S")), Shelf(store.bars, allow_simulated=True), Wall())
    assert allowed.reel.sources == {"A": "alpaca raw", "S": "simulated raw"}


def test_real_bars_take_the_place_of_a_proxys_at_the_next_start(store: Store) -> None:
    load(store, bars_of("A", 3))
    options = Options(("A", "PDFS"), proxies={"PDFS": "A"})
    assert replay_of(options, Shelf(store.bars), Wall()).reel.proxies == {"PDFS": "A"}
    load(store, bars_of("PDFS", 2, base=30.0))
    replay = replay_of(options, Shelf(store.bars), Wall())
    assert replay.reel.proxies == {}
    assert next(minute for _ in range(9) if (minute := replay.step()).bars).bars.of("PDFS").open == 30.0  # type: ignore[union-attr]
