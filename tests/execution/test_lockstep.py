import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Protocol

import pandas as pd
import pytest

from tandem.config import CostSettings
from tandem.execution.inprocess import in_process
from tandem.execution.lockstep import LockstepClock, connect
from tandem.execution.seams import Broker, Feed
from tandem.market import (
    Bar,
    BrokerError,
    Clock,
    DataError,
    Order,
    OrderUpdate,
    RecyclerError,
    Side,
    Stopwatch,
    World,
    WorldKind,
)
from tandem.recycler import Launched, Options, launch

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
CLOSE = datetime(2023, 1, 4, 21, 0, tzinfo=UTC)
COSTS = CostSettings(spread_bps=3.0, impact=0.2)
CASH = Decimal(100_000)
SYMBOLS = ("AAPL", "IBM", "MSFT")


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    """Two sessions of three symbols with gaps, minutes without volume, and none of IBM in the second afternoon."""
    chance = Random(5)
    rows = []
    for day in range(2):
        for symbol, base in zip(SYMBOLS, (125.0, 140.0, 230.0), strict=True):
            price = base
            for n in range(390):
                opened, price = price, round(price * (1 + chance.gauss(0, 0.0005)), 2)
                missing = chance.random() < 0.1 or (symbol == "IBM" and day == 1 and n > 300)
                if not missing:
                    low, high = min(opened, price), max(opened, price)
                    start = OPEN + timedelta(days=day) + minutes(n)
                    rows.append((symbol, start, opened, high, low, price, chance.choice([0, 500, 20_000])))
    columns = ["symbol", "start", "open", "high", "low", "close", "volume"]
    frame = pd.DataFrame(rows, columns=columns).assign(vwap=float("nan"))
    return frame.assign(start=frame["start"].astype("datetime64[us, UTC]"))


@pytest.fixture(scope="module")
def options(bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Options:
    file = tmp_path_factory.mktemp("bars") / "bars.parquet"
    bars.to_parquet(file)
    return Options(SYMBOLS, bars=file, port=0, lockstep=True, costs=COSTS, cash=CASH)


@pytest.fixture
def start(options: Options) -> Iterator[Callable[..., Launched]]:
    running: list[Launched] = []

    def started(environment: dict[str, str] | None = None, **changes: Any) -> Launched:
        running.append(launch(replace(options, **changes), environment))
        return running[-1]

    yield started
    for one in running:
        one.close()


class Desk(Protocol):
    @property
    def clock(self) -> Clock: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def broker(self) -> Broker: ...


@dataclass
class Transcript:
    bars: list[Bar]
    told: list[tuple[datetime, str, object]]


def trade(desk: Desk, seed: int, steps: int) -> Transcript:
    """A desk that sends and takes back orders at random, and writes down everything it is told."""
    chance = Random(seed)
    seen = Transcript([], [])
    sent: list[str] = []
    now = desk.clock.now()
    for _ in range(steps):
        now = now + minutes(chance.choice([1, 1, 2, 5, 5, 30, 200]))
        try:
            desk.clock.wait_until(now)
        except DataError as error:
            seen.told.append((desk.clock.now(), "end", str(error)))
        now = desk.clock.now()
        seen.bars += desk.feed.take(now)
        seen.told += [(now, "update", anonymous(update)) for update in desk.broker.updates(now)]
        for what in chance.choices(["buy", "sell", "cancel", "find", "nothing"], k=2):
            seen.told.append((now, what, attempt(desk.broker, what, chance, sent)))
        if chance.random() < 0.3:
            seen.told.append((now, "account", (desk.broker.account(), desk.broker.positions())))
    return seen


def attempt(broker: Broker, what: str, chance: Random, sent: list[str]) -> object:
    symbol, qty, old = (
        chance.choice(SYMBOLS),
        chance.choice(["1", "7", "0.25", "400"]),
        chance.choice([*sent, "nobody"]),
    )
    try:
        if what in ("buy", "sell"):
            sent.append(f"order-{len(sent)}")
            return broker.submit(Order(sent[-1], symbol, Side(what), Decimal(qty)))
        if what == "cancel":
            return broker.cancel(old)
        if what == "find":
            return [anonymous(update) for update in broker.find(old) or []]
    except BrokerError as error:
        return str(error)
    return None


def anonymous(update: OrderUpdate) -> OrderUpdate:
    return replace(update, execution_id=None)


@pytest.mark.parametrize(("delay_ms", "seed"), [(0.0, 1), (25.0, 1), (25.0, 2)])
def test_the_recycler_in_lockstep_tells_what_the_backtest_tells_however_late_its_messages_are(
    start: Callable[..., Launched], bars: pd.DataFrame, delay_ms: float, seed: int
) -> None:
    expected = trade(in_process(bars, World(WorldKind.BACKTEST, 1), CASH, COSTS), seed, 60)
    with connect(start(delay_ms=delay_ms, delay_seed=seed).ws, "desk", SYMBOLS) as desk:
        seen = trade(desk, seed, 60)
    assert seen.bars == expected.bars
    assert seen.told == expected.told
    kinds = {what for _, what, _ in seen.told}
    assert {"update", "buy", "sell", "account"} <= kinds
    assert len(seen.bars) > 500


def test_a_desk_that_comes_back_hears_only_what_is_new(start: Callable[..., Launched]) -> None:
    recycler = start()
    with connect(recycler.http, "desk", SYMBOLS) as first:
        first.clock.wait_until(OPEN + minutes(5))
        assert len(first.feed.take(OPEN + minutes(5))) > 5
        first.broker.submit(Order("a", "AAPL", Side.BUY, Decimal(1)))
    with connect(recycler.http, "desk", SYMBOLS) as second:
        assert second.clock.now() == OPEN + minutes(5)
        assert second.feed.take(OPEN + minutes(5)) == []
        assert second.broker.updates(OPEN + minutes(5)) == []
        second.clock.wait_until(OPEN + minutes(30))
        assert {bar.start >= OPEN + minutes(5) for bar in second.feed.take(OPEN + minutes(30))} == {True}
        assert [update.event for update in second.broker.updates(OPEN + minutes(30))] == ["fill"]
        assert len(second.broker.find("a") or []) == 2


def test_two_desks_share_one_clock_and_one_account(start: Callable[..., Launched]) -> None:
    recycler = start()
    with connect(recycler.http, "one", ["AAPL"]) as one, connect(recycler.http, "two", ["MSFT"]) as two:
        waiting = threading.Thread(target=one.clock.wait_until, args=(OPEN + minutes(9),))
        waiting.start()
        two.clock.wait_until(OPEN + minutes(4))
        assert two.clock.now() == OPEN + minutes(4)
        two.clock.wait_until(OPEN + minutes(9))
        waiting.join(5)
        assert one.clock.now() == OPEN + minutes(9)
        assert {bar.symbol for bar in one.feed.take(OPEN + minutes(9))} == {"AAPL"}
        assert {bar.symbol for bar in two.feed.take(OPEN + minutes(9))} == {"MSFT"}


DESK = """
import sys, signal
from datetime import datetime
from tandem.execution.lockstep import connect
desk = connect(sys.argv[1], "killed", ["AAPL"])
desk.clock.wait_until(datetime.fromisoformat(sys.argv[2]))
print(desk.clock.now().isoformat(), flush=True)
signal.pause()
"""


@contextmanager
def process(recycler: Launched, until: datetime) -> Iterator["subprocess.Popen[str]"]:
    """A desk in a process of its own, whose clock stands at `until`."""
    command = [sys.executable, "-c", DESK, recycler.http, until.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert datetime.fromisoformat(running.stdout.readline().strip()) == until
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_desk_that_is_killed_lets_the_others_go_on_and_comes_back_to_a_clock_that_stood(
    start: Callable[..., Launched], how: signal.Signals
) -> None:
    recycler = start()
    with process(recycler, OPEN + minutes(3)) as killed, connect(recycler.http, "other", ["MSFT"]) as other:
        killed.send_signal(how)
        watch = Stopwatch()
        other.clock.wait_until(OPEN + minutes(9))
        assert watch.seconds < 2
    threading.Event().wait(0.3)
    with connect(recycler.http, "killed", ["AAPL"]) as again:
        assert again.clock.now() == OPEN + minutes(9)
        again.clock.wait_until(OPEN + minutes(10))
        assert again.clock.now() == OPEN + minutes(10)


def test_a_desk_whose_name_is_taken_over_does_not_let_go_of_the_clock_when_it_ends(
    start: Callable[..., Launched],
) -> None:
    recycler = start()
    with connect(recycler.http, "slow", ["MSFT"]) as slow:
        first = connect(recycler.http, "desk", ["AAPL"])
        with connect(recycler.http, "desk", ["AAPL"]) as second:
            with pytest.raises(RecyclerError, match="no longer waits for desk: it enrolled again"):
                first.clock.wait_until(CLOSE)
            first.close()
            waiting = threading.Thread(target=slow.clock.wait_until, args=(OPEN,))
            waiting.start()
            waiting.join(0.3)
            assert waiting.is_alive()
            second.clock.wait_until(OPEN)
            waiting.join(5)
            assert slow.clock.now() == second.clock.now() == OPEN


def test_nothing_is_left_behind_when_the_connection_ends(start: Callable[..., Launched]) -> None:
    before = set(threading.enumerate())
    recycler = start(auth_seconds=10.0)
    for _ in range(3):
        with connect(recycler.http, "desk", ["AAPL"]):
            assert set(threading.enumerate()) > before
        assert set(threading.enumerate()) == before


def test_a_recycler_that_dies_is_one_clear_line_and_the_connection_still_ends(start: Callable[..., Launched]) -> None:
    before = set(threading.enumerate())
    recycler = start()
    with connect(recycler.http, "desk", ["AAPL"]) as desk:
        recycler.close()
        with pytest.raises(RecyclerError, match=r"no recycler answers at 127\.0\.0\.1"):
            desk.clock.wait_until(OPEN)
        with pytest.raises(BrokerError, match="no answer from Alpaca"):
            desk.broker.account()
    assert set(threading.enumerate()) == before


def test_messages_that_do_not_arrive_are_an_error_and_not_a_silence(start: Callable[..., Launched]) -> None:
    recycler = start(delay_ms=60_000.0, delay_seed=3, auth_seconds=600.0)
    with LockstepClockOnly(recycler) as clock:
        clock.wait_until(OPEN + minutes(2))
        feed, broker = deaf(clock)
        with pytest.raises(RecyclerError, match=r"bars of AAPL up to 09:32 did not arrive within 0\.05 seconds"):
            feed.take(OPEN + minutes(2))
        with pytest.raises(RecyclerError, match=r"only 0 of 3 order events arrived within 0\.05 seconds"):
            broker.updates(OPEN + minutes(2))


class LockstepClockOnly:
    def __init__(self, recycler: Launched) -> None:
        self.clock = LockstepClock(recycler.http, "desk", ["AAPL"])

    def __enter__(self) -> LockstepClock:
        return self.clock

    def __exit__(self, *_: object) -> None:
        self.clock.close()


def deaf(clock: LockstepClock) -> tuple[Feed, Broker]:
    """Feed and broker whose streams never hear anything of what the clock says was sent."""
    from tandem.execution.alpaca import AlpacaBroker, AlpacaFeed
    from tandem.execution.lockstep import LockstepBroker, LockstepFeed

    feed = LockstepFeed(AlpacaFeed("ws://127.0.0.1:1", ["AAPL"], "k", "s"), clock, timeout=0.05)
    feed._before = {}
    broker = LockstepBroker(AlpacaBroker("http://127.0.0.1:1", "k", "s"), clock, timeout=0.05)
    clock.barrier = replace(clock.barrier, order_events=3)
    return feed, broker


def test_what_cannot_be_connected_says_why(start: Callable[..., Launched], tmp_path: Path) -> None:
    with pytest.raises(RecyclerError, match=r"no recycler answers at 127\.0\.0\.1:1\b"):
        connect("http://127.0.0.1:1", "desk", ["AAPL"])
    keys = {"TANDEM_RECYCLER_KEY_ID": "k", "TANDEM_RECYCLER_SECRET_KEY": "s", "TANDEM_RECYCLER_TOKEN": "t"}
    recycler = start(keys)
    with pytest.raises(RecyclerError, match="needs its token"):
        connect(recycler.http, "desk", ["AAPL"])
    with pytest.raises(RecyclerError, match="not on the reel: ZZZ"):
        connect(recycler.http, "desk", ["ZZZ"], token="t")
    with pytest.raises(BrokerError, match="bars: auth failed"):
        connect(recycler.http, "desk", ["AAPL"], token="t")
    with connect(recycler.http, "desk", ["AAPL"], token="t", key_id="k", secret_key="s") as desk:
        desk.clock.wait_until(OPEN)
        assert desk.clock.now() == OPEN
