"""The promises of the desk where a broker, its streams and its REST go wrong on purpose."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from tandem.config import ExecutionSettings
from tandem.execution import Connection, Outcome, PairOrderEnded, Trader, connect
from tandem.market import Bar, Fill, Order, Pair, Side, World, WorldKind
from tandem.recycler import Launched, Options, launch
from tandem.risk import Intent
from tandem.store import MemoryFacts, Record

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
DAY = date(2023, 1, 4)
MINUTE = timedelta(minutes=1)
SYMBOLS = ("AAPL", "IBM")
PAIR = Pair("AAPL", "IBM")
WANTED = {"AAPL": Decimal(20), "IBM": Decimal(-10)}
WORLD = World(WorldKind.RECYCLER, 1)
KEYS = {"APCA-API-KEY-ID": "desk", "APCA-API-SECRET-KEY": "desk"}


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of two symbols."""
    starts = pd.date_range(OPEN, periods=60, freq="min", unit="us")
    frames = [
        pd.DataFrame(
            {
                "symbol": symbol,
                "start": starts,
                "open": price,
                "high": price + 1,
                "low": price - 1,
                "close": price,
                "volume": 50_000,
            }
        )
        for symbol, price in zip(SYMBOLS, (125.0, 140.0), strict=True)
    ]
    file = tmp_path_factory.mktemp("tape") / "bars.parquet"
    pd.concat(frames, ignore_index=True).to_parquet(file)
    return file


@pytest.fixture
def recycler(tape: Path) -> Iterator[Launched]:
    with launch(Options(SYMBOLS, bars=tape, port=0, lockstep=True, world=WORLD)) as running:
        yield running


@pytest.fixture
def desk(recycler: Launched) -> Iterator[Connection]:
    with connect(recycler.http, "desk", SYMBOLS, timeout=15.0) as line:
        line.broker._broker._client._retry_wait = 0.05  # type: ignore[attr-defined]
        line.clock.wait_until(OPEN + 2 * MINUTE)
        line.feed.take(OPEN + 2 * MINUTE)
        yield line


def arm(recycler: Launched, **fault: Any) -> None:
    requests.post(f"{recycler.http}/control/faults", json=fault, timeout=5).raise_for_status()


def entered(desk: Connection, facts: MemoryFacts) -> Outcome:
    """How an entry into the pair ends within half an hour."""
    trader = Trader(WORLD, DAY, desk.broker, facts, ExecutionSettings())
    now = desk.clock.now()
    intent = Intent(
        PAIR, "enter", 1, Side.BUY, WANTED["AAPL"], Side.SELL, -WANTED["IBM"], "z -2.1", False, -2.1, 0.01, 0.001,
        1e-6, Decimal(2_000), 0.0, DAY,
    )  # fmt: skip
    facts.append(Record(intent, DAY, now, f"intent.{PAIR}", str(PAIR)))
    trader.place(intent, now)
    while trader.working and now < OPEN + 32 * MINUTE:
        now += MINUTE
        desk.clock.wait_until(now)
        desk.feed.take(now)
        trader.tend(now)
    (ended,) = facts.read(PairOrderEnded)
    return ended.body.outcome


def booked(facts: MemoryFacts) -> dict[str, Decimal]:
    """What the fills on record add up to."""
    held: dict[str, Decimal] = {}
    for record in facts.read(Fill):
        fill = record.body
        held[fill.symbol] = held.get(fill.symbol, Decimal(0)) + fill.side.sign * fill.qty
    return {symbol: qty for symbol, qty in held.items() if qty}


def held(desk: Connection) -> dict[str, Decimal]:
    return {symbol: position.qty for symbol, position in desk.broker.positions().items()}


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [{"name": "lost-answer", "symbol": "IBM"}],
        [{"name": "lost-answer", "every": 1}],
        [{"name": "late-504", "every": 1}],
        [{"name": "rest-500", "every": 3}],
        [{"name": "rest-504", "every": 3}],
        [{"name": "rest-429", "every": 2}],
        [{"name": "repeat-execution", "every": 1}],
        [{"name": "reject-order", "symbol": "IBM"}],
        [{"name": "delay", "seconds": 0.05, "every": 1}],
    ],
    ids=lambda faults: "+".join(fault["name"] for fault in faults) or "none",
)
def test_a_pair_order_is_filled_once_whatever_the_broker_says(
    recycler: Launched, desk: Connection, faults: list[dict[str, Any]]
) -> None:
    for fault in faults:
        arm(recycler, **fault)
    facts = MemoryFacts(WORLD)
    assert entered(desk, facts) is Outcome.FILLED
    requests.delete(f"{recycler.http}/control/faults", timeout=5).raise_for_status()
    assert held(desk) == booked(facts) == WANTED


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "reject-order", "symbol": "IBM", "every": 1},
        {"name": "partial-fill", "symbol": "IBM"},
        {"name": "drop-order-stream"},
        {"name": "drop-order-stream", "every": 1},
        {"name": "halt", "symbol": "IBM", "seconds": 1200},
        {"name": "lose-execution", "symbol": "IBM"},
        {"name": "lose-execution", "every": 1},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_a_pair_order_never_ends_on_one_leg(recycler: Launched, desk: Connection, fault: dict[str, Any]) -> None:
    arm(recycler, **fault)
    facts = MemoryFacts(WORLD)
    outcome = entered(desk, facts)
    assert outcome in (Outcome.FILLED, Outcome.UNWOUND)
    assert held(desk) == booked(facts) == (WANTED if outcome is Outcome.FILLED else {})


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        ({"every": 2}, (Outcome.FILLED, Outcome.UNWOUND, Outcome.STUCK)),
        ({"every": 2, "symbol": "IBM"}, (Outcome.FILLED, Outcome.UNWOUND)),
        ({"every": 1}, (Outcome.STUCK,)),
    ],
    ids=["every-other", "every-other-of-a-leg", "every"],
)
def test_orders_that_stop_in_parts_are_sent_again_until_the_attempts_are_spent(
    recycler: Launched, desk: Connection, fault: dict[str, Any], outcomes: tuple[Outcome, ...]
) -> None:
    arm(recycler, name="partial-fill", **fault)
    facts = MemoryFacts(WORLD)
    outcome = entered(desk, facts)
    assert outcome in outcomes
    assert desk.clock.now() < OPEN + 20 * MINUTE
    assert held(desk) == booked(facts)
    assert (booked(facts) == {}) is (outcome is Outcome.UNWOUND)
    sent = [record.body.client_order_id.rsplit(".", 1) for record in facts.read(Order)]
    attempts = [[int(n) for name, n in sent if name == one] for one, _ in sent]
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in attempts)
    assert max(len(numbers) for numbers in attempts) == (1 if outcome is Outcome.FILLED else 2)
    assert requests.get(f"{recycler.http}/v2/orders", headers=KEYS, timeout=5).json() == []


def test_bars_missed_while_a_cut_line_is_made_anew_are_asked_of_history(recycler: Launched, desk: Connection) -> None:
    arm(recycler, name="drop-connection", every=6)
    arm(recycler, name="refuse", count=1)
    taken: list[Bar] = []
    for n in range(3, 31):
        desk.clock.wait_until(OPEN + n * MINUTE)
        taken += desk.feed.take(OPEN + n * MINUTE)
    assert [(bar.start, bar.symbol) for bar in taken] == [
        (OPEN + n * MINUTE, symbol) for n in range(2, 30) for symbol in SYMBOLS
    ]


@pytest.mark.parametrize("scenario", ["garbage-bars", "echo", "missing-symbol", "silent-stall"])
def test_only_true_bars_are_taken_each_once_and_in_order(recycler: Launched, desk: Connection, scenario: str) -> None:
    url = f"{recycler.http}/control/scenarios/{scenario}"
    requests.post(url, json={"symbol": "IBM"}, timeout=5).raise_for_status()
    taken: list[Bar] = []
    for n in range(3, 40):
        desk.clock.wait_until(OPEN + n * MINUTE)
        taken += desk.feed.take(OPEN + n * MINUTE)
    for symbol in SYMBOLS:
        starts = [bar.start for bar in taken if bar.symbol == symbol]
        assert starts == sorted(set(starts))
    assert {(bar.symbol, bar.low, bar.high, bar.close) for bar in taken} <= {
        ("AAPL", 124.0, 126.0, 125.0),
        ("IBM", 139.0, 141.0, 140.0),
    }
    assert scenario != "missing-symbol" or {bar.symbol for bar in taken} == {"AAPL"}


def test_a_halt_is_known_where_the_clock_stands_until_trading_goes_on(recycler: Launched, desk: Connection) -> None:
    arm(recycler, name="halt", symbol="IBM", seconds=180)
    known = []
    for n in range(3, 9):
        desk.clock.wait_until(OPEN + n * MINUTE)
        known.append((list(desk.feed.halted()), [bar.symbol for bar in desk.feed.take(OPEN + n * MINUTE)]))
    both = ["AAPL", "IBM"]
    assert known == [(["IBM"], both), (["IBM"], ["AAPL"]), (["IBM"], ["AAPL"]), ([], ["AAPL"]), ([], both), ([], both)]
