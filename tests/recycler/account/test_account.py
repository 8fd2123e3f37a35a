from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random

import pandas as pd
import pytest

from tandem.config import CostSettings
from tandem.market import RecyclerError, Side, World, WorldKind
from tandem.matching import (
    Changes,
    Engine,
    Hours,
    OrderClass,
    OrderType,
    Place,
    Prices,
    Reel,
    Rejected,
    Replay,
    Request,
    StopLoss,
    TimeInForce,
)
from tandem.recycler.account.account import News, Recalled, new_account, standing_world
from tandem.store import PaperAccount, Store

WORLD = World(WorldKind.RECYCLER, 5)
CASH = Decimal(100_000)
REEL = {"symbols": ["AAPL", "MSFT"]}


def replay_of(bars: pd.DataFrame, place: Place | None = None) -> Replay:
    reel = Reel.from_frame(bars)
    engine = Engine(WORLD, CASH, CostSettings(max_volume_share=0.002), Prices(reel.symbols))
    return Replay(reel, engine, place)


@pytest.fixture
def account(store: Store) -> PaperAccount:
    account = store.paper(WORLD)
    account.open(CASH)
    return account


def recalled(account: PaperAccount) -> Recalled:
    with account.hold() as hold:
        return Recalled.of(hold.read())


def save(account: PaperAccount, news: News, place: bool = False) -> None:
    entry = news.drain(place)
    if entry is not None:
        with account.hold() as hold:
            hold.write(entry)


def requests(luck: Random, close: Decimal) -> Iterator[Request]:
    """An order of every type near the market, in random order and of random size."""
    number = luck.randrange(10**9)
    side, step = luck.choice(list(Side)), Decimal(luck.randrange(-80, 80)) / 100
    near = (close + step).quantize(Decimal("0.01"))
    kinds = [
        {},
        {"time_in_force": TimeInForce.GTC},
        {"type": OrderType.LIMIT, "limit_price": near},
        {"type": OrderType.LIMIT, "limit_price": near, "time_in_force": TimeInForce.IOC},
        {"type": OrderType.STOP, "stop_price": close + side.sign},
        {"type": OrderType.STOP_LIMIT, "stop_price": close + side.sign, "limit_price": close + 2 * side.sign},
        {"type": OrderType.TRAILING_STOP, "trail_price": Decimal("0.75")},
        {
            "order_class": OrderClass.BRACKET,
            "take_profit": close + 2 * side.sign,
            "stop_loss": StopLoss(close - 2 * side.sign),
        },
    ]
    for at, kind in enumerate(luck.sample(kinds, 3)):
        yield Request(
            client_order_id=f"o{number}-{at}", symbol="AAPL", side=side, qty=Decimal(luck.randrange(1, 60)), **kind
        )


def trade(replay: Replay, luck: Random) -> None:
    close = replay.engine.prices.close("AAPL")
    for request in requests(luck, close) if close and replay.session else ():
        try:
            replay.submit(request)
        except Rejected:
            continue
    for ticket in luck.sample(open_ := replay.engine.open_tickets(), min(2, len(open_))):
        try:
            if luck.random() < 0.5:
                replay.cancel(ticket.client_order_id)
            else:
                replay.replace(ticket.client_order_id, Changes(qty=Decimal(luck.randrange(1, 60))))
        except Rejected:
            continue


@pytest.mark.parametrize("seed", range(3))
def test_an_account_taken_up_again_goes_on_as_if_nothing_had_happened(
    bars: pd.DataFrame, account: PaperAccount, seed: int
) -> None:
    luck, replay = Random(seed), replay_of(bars)
    news = News(replay, REEL)
    for minute in range(70):
        replay.step()
        if minute % 3 == 0:
            trade(replay, luck)
        save(account, news, place=luck.random() < 0.3)
    save(account, news, place=True)

    known = recalled(account)
    again = replay_of(bars, known.place)
    known.restore(again)
    assert len(replay.engine.executions()) > 5
    while replay.next_mark is not None:
        assert again.time == replay.time
        assert again.engine.tickets() == replay.engine.tickets()
        assert again.engine.executions() == replay.engine.executions()
        assert again.engine.ledger.state() == replay.engine.ledger.state()
        assert again.engine.account() == replay.engine.account()
        assert again.step().updates == replay.step().updates


def test_what_was_not_saved_since_the_last_order_event_happens_again(bars: pd.DataFrame, account: PaperAccount) -> None:
    replay = replay_of(bars)
    news = News(replay, REEL)
    for _ in range(3):
        replay.step()
    replay.submit(Request(client_order_id="a", symbol="AAPL", side=Side.BUY, qty=Decimal(5)))
    save(account, news)
    saved = replay.time
    told = [replay.step() for _ in range(2)]
    known = recalled(account)
    again = replay_of(bars, known.place)
    known.restore(again)
    assert again.time == saved
    assert [minute.updates for minute in (again.step(), again.step())] == [told[0].updates, told[1].updates]
    assert again.engine.executions() == replay.engine.executions() != []


def test_a_clock_that_moves_is_news_only_where_it_is_asked_for(bars: pd.DataFrame) -> None:
    replay = replay_of(bars)
    news = News(replay, REEL)
    assert news.drain(place=True) is not None
    assert news.drain(place=True) is None
    replay.step()
    assert news.drain(place=False) is None
    assert news.drain(place=True) is not None


def test_a_new_account_is_the_one_that_stands(store: Store) -> None:
    first = standing_world(store, CASH)
    assert standing_world(store, CASH) == first
    second = new_account(store, Decimal(5_000))
    assert second != first
    assert standing_world(store, CASH) == second
    assert recalled(store.paper(second)) == Recalled(Decimal(5_000), None, None, None, {})


def test_an_account_of_another_version_is_one_line(account: PaperAccount, bars: pd.DataFrame) -> None:
    news = News(replay_of(bars), REEL)
    entry = news.drain(place=True)
    assert entry is not None
    with account.hold() as hold:
        hold.write(replace(entry, place='{"elsewhere": 1}'))
    with pytest.raises(RecyclerError, match=r"cannot be read: .* Another version of Tandem wrote it"):
        recalled(account)


def test_what_was_halted_trades_again(bars: pd.DataFrame, account: PaperAccount) -> None:
    replay = replay_of(bars)
    news = News(replay, REEL)
    replay.engine.halt("AAPL")
    save(account, news, place=True)
    again = replay_of(bars)
    recalled(account).restore(again)
    assert again.engine.changes().hours == replace(replay.engine.changes().hours, halted=())
    assert again.engine.changes().hours != Hours()
