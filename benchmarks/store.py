"""How fast bars go into the store and come out of it, and how that compares with the plain way.

    python benchmarks/store.py [--full] [--json]

Runs on an embedded PostgreSQL of its own in a temporary folder. Large reads are measured on 10 million 1-minute
bars (440 symbols x 60 days) and 1.26 million hourly ones (3,000 x 60), from PostgreSQL and from the columnar cache.
`--full` loads another 500 symbols x 60 days of 1-minute bars (11.7 million) beside the hourly ones. With `--json`
each line is a row of {name, value, unit, goal, met}.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg

from figures import Figure, at_least, at_most, line, row
from tandem.market import Calendar, Stopwatch, Timeframe
from tandem.store import Bars, Store
from tandem.store.connections import Connections

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
EARLY = datetime(2023, 1, 1, tzinfo=UTC)
PLAIN_ROWS = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        with Store.open(Path(home)) as store:
            figures = list(measure(store, asked.full))
        assert store.server is not None
        assert store.server.has_stopped()
    for figure in figures:
        print(row(figure) if asked.json else line(figure))


def measure(store: Store, full: bool) -> Iterator[Figure]:
    minutes = bars(symbols=60, days=15, timeframe=Timeframe.MIN_1)
    seconds = timed(lambda: load(store, minutes, Timeframe.MIN_1))
    first = len(minutes) / seconds
    yield at_least(f"first load into an empty month, {len(minutes):,} bars", first, "bars/s", 200_000)
    again = len(minutes) / min(timed(lambda: load(store, minutes, Timeframe.MIN_1)) for _ in range(3))
    yield at_least(f"the same load again, {len(minutes):,} bars", again, "bars/s", 80_000)
    hours = bars(symbols=500, days=60, timeframe=Timeframe.HOUR_1)
    more = len(hours) / timed(lambda: load(store, hours, Timeframe.HOUR_1))
    yield Figure(f"load beside other bars of the same months, {len(hours):,} hourly bars", more, "bars/s")
    names = sorted(set(hours["symbol"]))
    reading = min(timed(lambda: read(store, names)) for _ in range(3))
    yield at_most(f"read 500 symbols x 60 days of hourly bars, {len(hours):,} bars", reading, "s", 1.0)
    yield at_most("read 1 symbol x 60 days of hourly bars", timed(lambda: read(store, names[:1])), "s", 1.0)
    yield from compared(store, minutes, names, first=first, again=again, reading=reading)
    yield from universe(store, Timeframe.MIN_1, symbols=440, goal=2.0)
    yield from universe(store, Timeframe.HOUR_1, symbols=3_000, goal=1.0)
    if full:
        yield from whole_universe(store, names)


def compared(
    store: Store, minutes: pd.DataFrame, names: list[str], *, first: float, again: float, reading: float
) -> Iterator[Figure]:
    """The same work with executemany, and with rows fetched one by one."""
    some = minutes.head(PLAIN_ROWS)
    with psycopg.connect(store.url.replace("+psycopg", "")) as connection:
        plain = len(some) / timed(lambda: plain_load(connection, some))
        yield Figure(f"the plain way: executemany, {len(some):,} bars", plain, "bars/s")
        yield Figure("first load, times the plain way", first / plain, "x")
        repeated = len(some) / timed(lambda: plain_load(connection, some))
        yield Figure("the same load again, times the plain way", again / repeated, "x")
        fetched = timed(lambda: plain_read(connection, names))
        yield Figure("the plain way: fetchall into a frame", fetched, "s")
        yield Figure("read, times the plain way", fetched / reading, "x")


def universe(store: Store, timeframe: Timeframe, *, symbols: int, goal: float) -> Iterator[Figure]:
    """60 days of another year, from PostgreSQL and from the cache."""
    names, rows, watch = [f"U{n:04d}" for n in range(symbols)], 0, Stopwatch()
    for month in (2, 3, 4):
        some = bars(symbols=symbols, days=20, timeframe=timeframe, since=date(2023, month, 1), names=names)
        rows += load(store, some, timeframe)
    del some
    told = f"{rows:,} {timeframe} bars of {symbols:,} symbols"
    yield Figure(f"{told}: made and loaded", watch.seconds, "s")
    wanted = (names, timeframe)
    window = {"first": EARLY, "last": FIRST, "prefer": "adjusted"}
    first = timed(lambda: store.bars.panel(*wanted, **window))
    yield Figure(f"{told}: first read, which builds the cache", first, "s")
    plain = Bars(Connections(store.url))
    yield from beside(f"{told}: panel", lambda of: of.panel(*wanted, **window), plain, store.bars, goal)
    yield from beside(f"{told}: frame", lambda of: of.read(*wanted, **window), plain, store.bars, goal)
    size = sum(file.bytes for file in store.bars.cached() if file.timeframe == timeframe)
    yield Figure(f"{told}: size of the cache", size / 2**20, "MiB")


def beside(told: str, read: Callable[[Bars], object], plain: Bars, cached: Bars, goal: float) -> Iterator[Figure]:
    slow, quick = timed(lambda: read(plain)), min(timed(lambda: read(cached)) for _ in range(3))
    yield Figure(f"{told} from PostgreSQL", slow, "s")
    yield at_most(f"{told} from the cache", quick, "s", goal)
    yield Figure(f"{told}, times PostgreSQL", slow / quick, "x")


def whole_universe(store: Store, names: list[str]) -> Iterator[Figure]:
    rows, watch = 0, Stopwatch()
    for chunk in range(0, 500, 50):
        minutes = bars(symbols=50, days=60, timeframe=Timeframe.MIN_1, offset=chunk)
        rows += load(store, minutes, Timeframe.MIN_1, source="universe")
    yield Figure(f"500 symbols x 60 days of minutes, made and loaded in ten parts, {rows:,} bars", watch.seconds, "s")
    yield at_most("read 500 symbols x 60 days of hourly bars beside them", timed(lambda: read(store, names)), "s", 1.0)
    yield Figure("coverage of all of it", timed(store.bars.coverage), "s")


def bars(
    symbols: int,
    days: int,
    timeframe: Timeframe,
    offset: int = 0,
    since: date = date(2024, 2, 1),
    names: Sequence[str] = (),
) -> pd.DataFrame:
    """Random walks over full sessions, seeded."""
    sessions = Calendar().sessions(since, since + timedelta(days=120))
    step = timeframe.length
    per_day = timeframe.per_session
    starts = np.concatenate(
        [
            pd.date_range(s.open.replace(minute=0 if per_day < 390 else 30), periods=per_day, freq=step)
            for s in sessions[:days]
        ]
    )
    random = np.random.default_rng(7 + offset)
    closes = 100 * np.exp(np.cumsum(random.normal(0, 1e-3, (symbols, len(starts))), axis=1)).round(4).ravel()
    opens = (closes * (1 + random.normal(0, 1e-4, closes.size))).round(4)
    return pd.DataFrame(
        {
            "symbol": np.repeat(
                names or [f"S{n + offset:04d}"[: 3 + (n + offset) % 3] + f"{n + offset}" for n in range(symbols)],
                len(starts),
            ),
            "start": pd.DatetimeIndex(np.tile(starts, symbols)).as_unit("us"),
            "open": opens,
            "high": np.maximum(opens, closes) + 0.01,
            "low": np.minimum(opens, closes) - 0.01,
            "close": closes,
            "volume": random.integers(0, 100_000, closes.size),
            "trade_count": random.integers(0, 1000, closes.size).astype(float),
            "vwap": closes,
        }
    )


def load(store: Store, frame: pd.DataFrame, timeframe: Timeframe, source: str = "simulated") -> int:
    return store.bars.load(frame, timeframe=timeframe, source=source).added


def read(store: Store, names: list[str]) -> None:
    store.bars.read(names, Timeframe.HOUR_1, first=FIRST, last=LAST)


def plain_load(connection: "psycopg.Connection[tuple[object, ...]]", frame: pd.DataFrame) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(PLAIN_INSERT, frame.itertuples(index=False, name=None))


def plain_read(connection: "psycopg.Connection[tuple[object, ...]]", names: list[str]) -> pd.DataFrame:
    rows = connection.execute(PLAIN_SELECT, [names, FIRST, LAST]).fetchall()
    return pd.DataFrame(rows, columns=["symbol", "start", "open", "high", "low", "close", "volume"])


def timed(work: Callable[[], object]) -> float:
    watch = Stopwatch()
    work()
    return watch.seconds


PLAIN_INSERT = """
INSERT INTO market_data (symbol, timestamp, open, high, low, close, volume, trade_count, vwap,
                         timeframe, data_source, feed, adjustment)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '1Min', 'plain', '', 'raw') ON CONFLICT DO NOTHING
"""
PLAIN_SELECT = """
SELECT symbol, timestamp, open, high, low, close, volume FROM market_data
WHERE timeframe = '1Hour' AND symbol = ANY(%s) AND timestamp >= %s AND timestamp < %s AND data_source = 'simulated'
ORDER BY symbol, timestamp
"""

if __name__ == "__main__":
    main()
