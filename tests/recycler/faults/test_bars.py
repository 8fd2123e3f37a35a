from datetime import UTC, datetime, timedelta
from math import isnan

import numpy as np
import pytest

from tandem.market import Timeframe
from tandem.matching import Columns, MinuteBars
from tandem.recycler.faults import Fault, Faults, SpoiltBars

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
SYMBOLS = ("AAPL", "IBM", "MSFT")


@pytest.fixture
def clock():
    return [OPEN]


@pytest.fixture
def faults(clock):
    return Faults(lambda: clock[0])


@pytest.fixture
def minutes():
    """Ten minutes of three symbols."""
    code = np.tile(np.arange(3, dtype=np.int32), 10)
    start = np.repeat(np.arange(10, dtype=np.int64), 3) * 60_000_000 + int(OPEN.timestamp()) * 1_000_000
    price = 100.0 + np.arange(30)
    columns = Columns(
        symbols=SYMBOLS,
        code=code,
        start=start,
        open=price,
        high=price + 1,
        low=price - 1,
        close=price,
        volume=np.full(30, 500),
        trade_count=np.full(30, -1),
        vwap=np.full(30, np.nan),
        timeframe=Timeframe.MIN_1,
    )
    return [MinuteBars(columns, 3 * n, 3 * n + 3) for n in range(10)]


def sent(faults, minutes):
    spoilt = SpoiltBars(faults)
    return [
        [(b.symbol, round((b.start - OPEN) / timedelta(minutes=1))) for b in bars]
        for m in minutes
        for bars in spoilt.after(m)
    ]


def raw(faults, minutes):
    spoilt = SpoiltBars(faults)
    return [bars for minute in minutes for bars in spoilt.after(minute)]


def test_without_faults_a_minute_is_passed_on_untouched(faults, minutes):
    assert SpoiltBars(faults).after(minutes[0])[0] is minutes[0]


def test_bars_of_one_symbol_are_dropped(faults, minutes):
    faults.arm(Fault(name="drop-bars", symbol="IBM", every=2))
    told = sent(faults, minutes)
    assert [len(minute) for minute in told] == [3, 2] * 5
    assert all(("IBM", 1) not in minute for minute in told)


def test_a_repeated_bar_comes_again_after_its_minute(faults, minutes):
    faults.arm(Fault(name="duplicate", symbol="IBM", every=3))
    told = sent(faults, minutes)
    assert told[2:4] == [[("AAPL", 2), ("IBM", 2), ("MSFT", 2)], [("IBM", 2)]]
    assert len(told) == 13


def test_a_late_bar_comes_after_the_next_minute(faults, minutes):
    faults.arm(Fault(name="reorder", symbol="MSFT"))
    told = sent(faults, minutes)
    assert told[:3] == [[("AAPL", 0), ("IBM", 0)], [("AAPL", 1), ("IBM", 1), ("MSFT", 1)], [("MSFT", 0)]]


@pytest.mark.parametrize(
    ("name", "is_spoilt"),
    [
        ("corrupt-nan", lambda columns, row: isnan(columns.close[row])),
        ("corrupt-negative", lambda columns, row: columns.low[row] < 0),
        ("corrupt-range", lambda columns, row: columns.high[row] < columns.low[row]),
    ],
)
def test_a_spoilt_bar_is_spoilt_for_everybody_but_the_store(faults, minutes, name, is_spoilt):
    faults.arm(Fault(name=name, symbol="IBM", count=1))
    first, second, *_ = raw(faults, minutes)
    assert [bool(is_spoilt(first.columns, row)) for row in range(3)] == [False, True, False]
    assert not any(is_spoilt(second.columns, row) for row in range(second.first, second.last))
    assert [bar.low for bar in minutes[0]] == [99.0, 100.0, 101.0]


def test_the_same_seed_spoils_the_same_bars(clock, minutes):
    def told(seed):
        faults = Faults(lambda: clock[0])
        faults.arm(*(Fault(name=name, chance=0.3, seed=seed) for name in ("drop-bars", "duplicate", "reorder")))
        return sent(faults, minutes)

    assert told(1) == told(1)
    assert told(1) != told(2)
