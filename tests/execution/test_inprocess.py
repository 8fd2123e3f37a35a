from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tandem.config import CostSettings
from tandem.execution.inprocess import InProcess, in_process
from tandem.market import Bar, BrokerError, DataError, Order, OrderEvent, Side, World, WorldKind

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
MORNING = datetime(2023, 1, 3, 11, 0, tzinfo=UTC)
CLOSE = datetime(2023, 1, 3, 21, 0, tzinfo=UTC)


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture
def world() -> InProcess:
    starts = pd.date_range(OPEN, periods=10, freq="min", unit="us")
    bars = pd.DataFrame(
        {"symbol": "A", "start": starts, "open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 1000}
    )
    both = pd.concat([bars, bars.assign(symbol="B")], ignore_index=True)
    return in_process(both, World(WorldKind.BACKTEST, 1), Decimal(10_000), CostSettings(spread_bps=0, impact=0))


def test_the_clock_starts_in_the_morning_and_waiting_plays_the_minutes_in_between(world: InProcess) -> None:
    assert world.clock.now() == MORNING
    world.clock.wait_until(OPEN + minutes(3))
    assert world.clock.now() == OPEN + minutes(3)
    bars = world.feed.take(OPEN + minutes(2))
    assert [(bar.start, bar.symbol) for bar in bars] == [(OPEN + minutes(n), s) for n in range(2) for s in "AB"]
    assert [bar.start for bar in world.feed.take(OPEN + minutes(3))] == [OPEN + minutes(2)] * 2
    assert world.feed.take(OPEN + minutes(3)) == []


def test_what_became_of_an_order_is_told_when_the_clock_gets_to_the_next_mark(world: InProcess) -> None:
    world.clock.wait_until(OPEN + minutes(1))
    world.broker.submit(Order("a", "A", Side.BUY, Decimal(3)))
    assert world.broker.updates(OPEN + minutes(1)) == []
    assert [update.event for update in world.broker.find("a") or []] == [OrderEvent.NEW]
    world.clock.wait_until(OPEN + minutes(2))
    told = world.broker.updates(OPEN + minutes(2))
    assert [(update.event, update.at) for update in told] == [
        (OrderEvent.NEW, OPEN + minutes(1)),
        (OrderEvent.FILL, OPEN + minutes(1)),
    ]
    assert world.broker.updates(OPEN + minutes(2)) == []
    assert world.broker.positions()["A"].qty == 3
    assert world.broker.account().cash == 9_970


def test_a_halt_is_known_to_the_feed(world: InProcess) -> None:
    world.clock.wait_until(OPEN + minutes(1))
    assert list(world.feed.halted()) == []
    world.feed._tape.replay.engine.halt("A")
    world.clock.wait_until(OPEN + minutes(3))
    assert list(world.feed.halted()) == ["A"]
    assert [bar.symbol for bar in world.feed.take(OPEN + minutes(3))][2:] == ["B", "B"]


def test_an_order_sent_twice_counts_once(world: InProcess) -> None:
    for _ in range(2):
        world.broker.submit(Order("a", "A", Side.BUY, Decimal(3)))
    world.clock.wait_until(CLOSE)
    assert world.broker.positions()["A"].qty == 3


def test_a_canceled_order_says_so_and_an_unknown_one_is_refused(world: InProcess) -> None:
    world.broker.submit(Order("a", "A", Side.BUY, Decimal(3)))
    world.broker.cancel("a")
    with pytest.raises(BrokerError, match="order not found"):
        world.broker.cancel("b")
    world.clock.wait_until(OPEN)
    assert [update.event for update in world.broker.updates(OPEN)] == [OrderEvent.ACCEPTED, OrderEvent.CANCELED]


def test_waiting_beyond_the_last_bar_says_where_the_bars_end(world: InProcess) -> None:
    world.clock.wait_until(CLOSE)
    with pytest.raises(DataError, match=r"the bars end at 2023-01-03 16:00, before 2023-01-03 16:01, New York time"):
        world.clock.wait_until(CLOSE + minutes(1))


def test_the_bars_taken_are_the_bars_put_in(world: InProcess) -> None:
    world.clock.wait_until(CLOSE)
    assert world.feed.take(CLOSE)[0] == Bar("A", OPEN, 10.0, 11.0, 9.0, 10.5, 1000)
