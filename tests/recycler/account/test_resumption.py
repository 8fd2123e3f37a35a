import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tandem.market import NEW_YORK, ManualClock, RecyclerError, Side, StoreError, Timeframe, World
from tandem.matching import OrderType, Replay, Request, Status, TimeInForce
from tandem.recycler import Options, new_account
from tandem.recycler.account.journal import MemoryJournal
from tandem.recycler.account.resumption import Opening, description, opened
from tandem.store import Store

Start = Callable[..., AbstractContextManager[Opening]]
NOW = datetime(2024, 6, 3, 15, tzinfo=UTC)


@pytest.fixture
def days(bars: pd.DataFrame) -> pd.DataFrame:
    """The session of the shared bars, and the next two days."""
    return pd.concat([bars.assign(start=bars["start"] + timedelta(days=n)) for n in range(3)], ignore_index=True)


@pytest.fixture
def world(store: Store, days: pd.DataFrame) -> World:
    store.bars.load(days, timeframe=Timeframe.MIN_1, source="sample")
    return new_account(store, Decimal(50_000))


@pytest.fixture
def start(store: Store, world: World, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Opens durable recyclers, one after the other, each with the newest account."""
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    monkeypatch.setattr("tandem.recycler.account.writer.PATIENCE_SECONDS", 0.05)

    @contextmanager
    def begun(**changes: object) -> Iterator[Opening]:
        now = store.newest_paper() or world
        usual = Options(("AAPL", "MSFT"), world=now, durable=True)
        with opened(replace(usual, **changes), ManualClock(NOW)) as opening:  # type: ignore[arg-type]
            yield opening
            settle(opening)

    return begun


def trade(opening: Opening, minutes: int = 8) -> None:
    """Buys five shares, and leaves one order waiting."""
    replay = opening.replay
    until(replay, lambda: replay.session is not None)
    for _ in range(minutes // 2):
        replay.step()
    replay.submit(Request(client_order_id="held", symbol="AAPL", side=Side.BUY, qty=Decimal(5)))
    replay.submit(
        Request(
            client_order_id="waits",
            symbol="MSFT",
            side=Side.BUY,
            qty=Decimal(1),
            type=OrderType.LIMIT,
            limit_price=Decimal(1),
            time_in_force=TimeInForce.GTC,
        )
    )
    for _ in range(minutes // 2):
        replay.step()


def settle(opening: Opening) -> None:
    asyncio.run(asyncio.wait_for(opening.journal.committed(), 10))


def until(replay: Replay, reached: Callable[[], bool]) -> None:
    while not reached():
        replay.step()


def test_the_same_reel_goes_on_where_it_stood(start: Start) -> None:
    with start() as first:
        trade(first)
        time, engine = first.replay.time, first.replay.engine
    with start(speed=9.0) as second:
        assert second.replay.time == time
        assert second.replay.engine.tickets() == engine.tickets()
        assert second.replay.engine.account() == engine.account()
        assert second.replay.engine.executions() == engine.executions() != []


def test_an_account_has_the_cash_it_was_made_with(start: Start, world: World) -> None:
    with start(cash=Decimal(7)) as opening:
        assert opening.replay.engine.world == world
        assert opening.replay.engine.account().cash == 50_000


def test_another_reel_at_current_times_keeps_the_account_and_takes_waiting_orders_back(start: Start) -> None:
    with start(timestamps="current") as first:
        trade(first)
        cash, time = first.replay.engine.ledger.cash, first.replay.time
    with start(timestamps="current", start=date(2023, 1, 5)) as second:
        engine = second.replay.engine
        assert second.replay.time == time + timedelta(minutes=1)
        assert (engine.ledger.cash, engine.ledger.held("AAPL")) == (cash, 5)
        assert [t.status for t in engine.tickets()] == [Status.FILLED, Status.CANCELED]
        assert engine.account().equity > engine.account().cash


def test_another_reel_at_its_own_times_is_a_new_loop_with_an_account_of_its_own(start: Start, world: World) -> None:
    with start() as first:
        trade(first)
        assert first.account == ""
    with start(start=date(2023, 1, 5), cash=Decimal(5_000)) as second:
        new = replace(world, loop=1)
        assert second.replay.engine.world == new
        why = f"{new}: a new account with $5,000, because what is played has changed; {world} stays as it is."
        assert second.account == why
        assert second.replay.time.astimezone(NEW_YORK).date() == date(2023, 1, 5)
        assert second.replay.engine.tickets() == []
        assert second.replay.engine.account().cash == 5_000
        trade(second)
    with start(start=date(2023, 1, 5)) as third:
        assert third.replay.engine.world == replace(world, loop=1)
        assert third.account == ""
        assert len(third.replay.engine.executions()) == 1


def test_a_reel_that_has_ended_begins_again(start: Start, world: World) -> None:
    with start(end=date(2023, 1, 4)) as first:
        trade(first)
        until(first.replay, lambda: first.replay.next_mark is None)
    with start(end=date(2023, 1, 4)) as second:
        assert second.replay.engine.world == replace(world, loop=1)
        assert second.replay.place.mark == second.replay.began
        assert "because its days had been played to their end" in second.account


def test_a_loop_at_its_own_times_is_taken_up_in_its_own_world(start: Start, world: World) -> None:
    with start(mode="loop", end=date(2023, 1, 4)) as first:
        trade(first)
        until(first.replay, lambda: first.replay.engine.world != world)
        trade(first)
        time = first.replay.time
    with start(mode="loop", end=date(2023, 1, 4)) as second:
        assert second.replay.engine.world == replace(world, loop=1)
        assert (second.replay.time, second.replay.place.loop) == (time, 1)
        assert [t.client_order_id for t in second.replay.engine.tickets()] == ["held", "waits"]
        until(second.replay, lambda: second.replay.engine.world.loop == 2)


def test_what_is_held_must_be_on_the_reel(start: Start) -> None:
    with start(timestamps="current") as first:
        trade(first)
    words = "holds AAPL, which would not be played. Add them with --symbols, or start a new account"
    with pytest.raises(RecyclerError, match=words), start(timestamps="current", symbols=("MSFT",)):
        pass


def test_a_second_recycler_on_the_account_is_refused_in_one_line(start: Start) -> None:
    with start(), pytest.raises(StoreError, match="another recycler uses the account of recycler-"), start():
        pass
    with start():
        pass


def test_an_account_is_not_kept_beside_a_file(start: Start, options: Options) -> None:
    with pytest.raises(RecyclerError, match="not kept beside a file of bars"), start(bars=options.bars):
        pass


def test_a_recycler_that_is_not_durable_leaves_no_account(start: Start, store: Store, world: World) -> None:
    other = replace(world, run=world.run + 1)
    with start(world=other, durable=False) as opening:
        assert isinstance(opening.journal, MemoryJournal)
        trade(opening)
    assert store.newest_paper() == world


def test_what_is_played_is_described_as_json_gives_it_back(options: Options) -> None:
    spliced = replace(options, mode="splice", splice=(date(2023, 1, 4),), proxies={"MSFT": "AAPL"})
    assert description(spliced) == description(replace(spliced, speed=3.0, port=9, cash=Decimal(1)))
    assert description(spliced) != description(options)
    assert description(spliced)["splice"] == ["2023-01-04"]
