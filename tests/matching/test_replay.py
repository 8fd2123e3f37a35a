from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tandem.config import CostSettings
from tandem.market import DataError, Order, OrderEvent, Side, World, WorldKind
from tandem.matching import Engine, OrderType, Prices, Reel, Rejected, Replay, Request, TimeInForce

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
CLOSE = datetime(2023, 1, 3, 21, 0, tzinfo=UTC)


def frame(*rows: tuple[str, datetime]) -> pd.DataFrame:
    bars = pd.DataFrame(rows, columns=["symbol", "start"]).assign(
        open=10.0, high=11.0, low=9.0, close=10.5, volume=1000
    )
    return bars.assign(start=bars["start"].astype("datetime64[us, UTC]"))


def replay_of(*rows: tuple[str, datetime]) -> Replay:
    reel = Reel.from_frame(frame(*rows))
    return Replay(reel, Engine(World(WorldKind.BACKTEST, 1), Decimal(100_000), CostSettings(), Prices(reel.symbols)))


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


def test_bars_that_cannot_be_replayed_are_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="there are no bars"):
        Reel.from_frame(frame())
    with pytest.raises(DataError, match="two bars of one symbol"):
        Reel.from_frame(frame(("A", OPEN), ("A", OPEN)))
    with pytest.raises(DataError, match="no trading day"):
        Reel.from_frame(frame(("A", OPEN + timedelta(days=4))))


def test_orders_sent_at_a_mark_fill_on_the_bar_that_starts_there() -> None:
    replay = replay_of(*(("A", OPEN + minutes(n)) for n in range(3)))
    while replay.time < OPEN + minutes(1):
        replay.step()
    replay.submit(Order("a", "A", Side.BUY, Decimal(1)))
    assert (replay.barrier.order_events, replay.order_events) == (0, 1)
    minute = replay.step()
    assert [(u.event, u.at) for u in minute.updates] == [(OrderEvent.FILL, OPEN + minutes(1))]
    assert minute.mark == OPEN + minutes(2)
    assert replay.barrier.order_events == 2
    assert replay.barrier.bars == 2
    assert replay.barrier.last_bars == {"A": OPEN + minutes(1)}


def test_of_a_halted_symbol_nothing_is_played_and_its_price_stands() -> None:
    replay = replay_of(*((symbol, OPEN + minutes(n)) for n in range(4) for symbol in "AB"))
    heard = []
    while replay.time < OPEN + minutes(4):
        if replay.time == OPEN + minutes(1):
            replay.engine.halt("A")
        if replay.time == OPEN + minutes(3):
            assert replay.barrier.last_bars == {"A": OPEN, "B": OPEN + minutes(2)}
            replay.engine.resume("A")
        heard.append([bar.symbol for bar in replay.step().bars])
    assert [symbols for symbols in heard if symbols] == [["A", "B"], ["B"], ["B"], ["A", "B"]]
    assert replay.barrier.bars == 6


def test_an_order_without_a_bar_expires_when_the_clock_reaches_the_close() -> None:
    replay = replay_of(("A", OPEN))
    while replay.time < OPEN + minutes(1):
        replay.step()
    replay.submit(Order("a", "A", Side.BUY, Decimal(1)))
    heard = []
    while replay.next_mark:
        heard += [(update.event, replay.time) for update in replay.step().updates]
    assert heard == [(OrderEvent.EXPIRED, CLOSE)]
    assert replay.barrier.ended
    with pytest.raises(IndexError):
        replay.step()


def test_bars_outside_the_session_are_published_and_fill_nothing() -> None:
    early = OPEN - minutes(60)
    replay = replay_of(("A", early), ("A", OPEN))
    replay.submit(Order("a", "A", Side.BUY, Decimal(1)))
    seen = []
    while replay.next_mark:
        minute = replay.step()
        seen += [(bar.start, len(minute.updates)) for bar in minute.bars]
    assert seen == [(early, 0), (OPEN, 1)]


def test_a_symbol_that_is_not_on_the_reel_is_not_an_asset() -> None:
    replay = replay_of(("A", OPEN))
    with pytest.raises(Rejected, match='asset "ZZZ" not found'):
        replay.submit(Order("a", "ZZZ", Side.BUY, Decimal(1)))


@pytest.mark.parametrize("to", [CLOSE, CLOSE - minutes(1), CLOSE + timedelta(days=1)])
def test_an_order_for_an_auction_that_a_seek_passes_is_canceled_and_never_fills(to: datetime) -> None:
    replay = replay_of(*(("A", OPEN + minutes(n)) for n in range(380)), ("A", OPEN + timedelta(days=1)))
    for name, force in (("open", TimeInForce.OPG), ("close", TimeInForce.CLS)):
        replay.submit(
            Request(
                client_order_id=name,
                symbol="A",
                side=Side.BUY,
                type=OrderType.MARKET,
                qty=Decimal(1),
                time_in_force=force,
            )
        )
    told = replay.seek(OPEN + minutes(3))
    assert [(u.client_order_id, u.event) for u in told][-1] == ("open", OrderEvent.CANCELED)
    replay.step()
    told = replay.seek(to)
    while replay.time < CLOSE:
        told += replay.step().updates
    assert [(u.client_order_id, u.event) for u in told] == [("close", OrderEvent.CANCELED)]
    assert replay.engine.executions() == []


def test_a_seek_stops_at_every_close_with_the_closes_known_then() -> None:
    replay = replay_of(*(("A", OPEN + timedelta(days=day, minutes=n)) for day in range(3) for n in (0, 389)))
    stops = list(replay.wind(OPEN + timedelta(days=2, minutes=5), replay.last_mark))
    assert [stop.mark for stop in stops if stop.mark.hour == CLOSE.hour] == [CLOSE, CLOSE + timedelta(days=1)]
    assert stops[-1].mark == replay.time == OPEN + timedelta(days=2, minutes=5)
    assert all(len(stop.bars) == 0 for stop in stops)
