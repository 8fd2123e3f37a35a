"""What holds for any sequence of orders, cancels, replaces and bars."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.config import CostSettings
from tandem.market import Bar, OrderUpdate, Session, Side, World, WorldKind
from tandem.matching import (
    NEXT,
    Changed,
    Changes,
    Charge,
    Engine,
    Execution,
    OrderClass,
    OrderType,
    Prices,
    Rejected,
    Request,
    StopLoss,
    Ticket,
    TimeInForce,
)

WORLD = World(WorldKind.BACKTEST, 1)
OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
CASH = Decimal(100_000)
SYMBOLS = ["AAPL", "MSFT"]
MINUTE = timedelta(minutes=1)
Step = tuple[str, Any]

COSTS = st.sampled_from(
    [
        CostSettings(spread_bps=0, impact=0, max_volume_share=1),
        CostSettings(spread_bps=20, impact=0.2, max_volume_share=0.1),
        CostSettings(
            spread_bps=5,
            impact=0.1,
            max_volume_share=0.3,
            commission_per_share=Decimal("0.005"),
            sec_fee_per_dollar=Decimal("0.0000278"),
            taf_fee_per_share=Decimal("0.000166"),
            borrow_rate=Decimal("0.05"),
        ),
    ]
)


LASTING = [TimeInForce.DAY, TimeInForce.GTC]
PLAIN = [OrderType.MARKET, OrderType.LIMIT]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """What a trader does in a while; the same seed does the same, for longer or shorter."""
    dice = Random(draw(st.integers(0, 2**32)))
    return [step(dice) for _ in range(draw(st.integers(0, 120)))]


def step(dice: Random) -> Step:
    if dice.random() < 0.45:
        return "bar", (prices(dice), prices(dice))
    if dice.random() < 0.6:
        return "submit", request(dice)
    if dice.random() < 0.4:
        return "cancel", dice.randrange(30)
    if dice.random() < 0.6:
        return "replace", (dice.randrange(30), changes(dice))
    return dice.choice(["night", "night", "evening", "halt", "resume", "resume"]), 0


def cents(dice: Random, least: int, most: int) -> Decimal:
    return Decimal(dice.randint(least, most)) / 100


def prices(dice: Random) -> tuple[float, float, float, float, int]:
    low, span = dice.randint(9300, 10400), dice.choice([0, 10, 200, 500])
    opened, last = dice.randint(low, low + span), dice.randint(low, low + span)
    return opened / 100, (low + span) / 100, low / 100, last / 100, dice.choice([0, 5, 50, 400, 10_000])


def changes(dice: Random) -> Changes:
    maybe = lambda value: value if dice.random() < 0.4 else None  # noqa: E731
    return Changes(
        qty=maybe(Decimal(dice.choice([1, 7, 40, 100]))),
        limit_price=maybe(cents(dice, 9500, 10500)),
        stop_price=maybe(cents(dice, 9500, 10500)),
        time_in_force=maybe(dice.choice(LASTING)),
    )


def request(dice: Random) -> Request:
    group = dice.choice([*[OrderClass.SIMPLE] * 6, *OrderClass])
    if group is not OrderClass.SIMPLE:
        return complex_request(dice, group)
    kind = dice.choice([*OrderType, OrderType.LIMIT])
    part = dice.random() < 0.2 and kind is not OrderType.TRAILING_STOP
    lasts = dice.choice([*LASTING, *TimeInForce]) if kind in PLAIN else dice.choice(LASTING)
    notional = cents(dice, 100, 500_000) if part and dice.random() < 0.6 else None
    qty = None if notional else Decimal(dice.choice(["0.5", "3.25"] if part else ["1", "7", "40", "100", "500"]))
    return Request(
        client_order_id="",
        symbol=dice.choice(SYMBOLS),
        side=dice.choice(list(Side)),
        qty=qty,
        notional=notional,
        type=kind,
        time_in_force=TimeInForce.DAY if part else lasts,
        limit_price=cents(dice, 9500, 10500) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=cents(dice, 9500, 10500) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        trail_price=cents(dice, 10, 300) if kind is OrderType.TRAILING_STOP else None,
        extended_hours=kind is OrderType.LIMIT and lasts in LASTING and dice.random() < 0.3,
    )


def complex_request(dice: Random, group: OrderClass) -> Request:
    side = dice.choice(list(Side))
    kind = OrderType.LIMIT if group is OrderClass.OCO else dice.choice(PLAIN)
    profit, loss = cents(dice, 10100, 10500), cents(dice, 9500, 9900)
    if (side is Side.BUY) is (group is OrderClass.OCO):
        profit, loss = loss, profit
    legs = dice.choice(["profit", "loss"]) if group is OrderClass.OTO else "both"
    return Request(
        client_order_id="",
        symbol=dice.choice(SYMBOLS),
        side=side,
        qty=Decimal(dice.choice([1, 7, 40, 100])),
        type=kind,
        time_in_force=dice.choice(LASTING),
        limit_price=cents(dice, 9900, 10100) if kind is OrderType.LIMIT else None,
        order_class=group,
        take_profit=None if legs == "loss" else profit,
        stop_loss=None if legs == "profit" else StopLoss(loss, loss if dice.random() < 0.3 else None),
    )


@dataclass
class Play:
    """An engine, its clock and all it said."""

    costs: CostSettings
    fills: Any = "next_bar"
    restoring: bool = False
    now: datetime = OPEN
    session: Session | None = None
    heard: list[OrderUpdate] = field(default_factory=list)
    bars: dict[tuple[str, datetime], Bar] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = self.day
        self.prices = Prices(SYMBOLS)
        self.prices.restore({symbol: Decimal(100) for symbol in SYMBOLS})
        self.engine = self._engine()
        self.engine.on_day(self.day.day)

    def _engine(self) -> Engine:
        return Engine(WORLD, CASH, self.costs, self.prices, fills=self.fills)

    @property
    def day(self) -> Session:
        start = OPEN + timedelta(days=(self.now - OPEN + timedelta(hours=12)).days)
        return Session(start.date(), start, start + timedelta(minutes=390))

    def run(self, steps: list[Step]) -> "Play":
        for number, (what, about) in enumerate(steps):
            with suppress(Rejected):
                self.heard += getattr(self, what)(about, number)
            self._look()
            if self.restoring:
                self._restart()
        return self

    def submit(self, request: Request, number: int) -> list[OrderUpdate]:
        return self.engine.submit(replace(request, client_order_id=f"{number}"), self.now, self.session)

    def cancel(self, at: int, _: int) -> list[OrderUpdate]:
        names = [ticket.client_order_id for ticket in self.engine.tickets()]
        return self.engine.cancel(names[at % len(names)], self.now) if names else []

    def replace(self, what: tuple[int, Changes], number: int) -> list[OrderUpdate]:
        names = [ticket.client_order_id for ticket in self.engine.open_tickets()]
        if not names:
            return []
        changes = what[1] if number % 2 else replace(what[1], client_order_id=f"r{number}")
        return self.engine.replace(names[what[0] % len(names)], changes, self.now)

    def bar(self, both: Any, _: int) -> list[OrderUpdate]:
        played = [Bar(symbol, self.now, *prices) for symbol, prices in zip(SYMBOLS, both, strict=True)]
        self.bars |= {(bar.symbol, bar.start): bar for bar in played}
        self.now += MINUTE
        updates = self.engine.on_bars(played, self.session, self.now)
        self.prices.restore({bar.symbol: Decimal(repr(bar.close)) for bar in played})
        return updates

    def evening(self, _: int, __: int) -> list[OrderUpdate]:
        if self.session is None:
            return []
        self.now = self.day.close
        updates = self.engine.on_close(self.day)
        self.session = None
        return updates

    def night(self, _: int, __: int) -> list[OrderUpdate]:
        updates = self.evening(0, 0)
        self.now = self.day.open + timedelta(days=1)
        self.session = self.day
        return updates + self.engine.on_day(self.day.day) + self.engine.on_open(self.day)

    def halt(self, _: int, __: int) -> list[OrderUpdate]:
        self.engine.halt("AAPL")
        return []

    def resume(self, _: int, __: int) -> list[OrderUpdate]:
        self.engine.resume("AAPL")
        return []

    def _look(self) -> None:
        account, ledger = self.engine.account(), self.engine.ledger
        assert ledger.cash + sum(held.basis for held in ledger.holdings.values()) - ledger.realised == CASH
        assert account.buying_power >= 0
        for symbol in SYMBOLS:
            held = ledger.held(symbol)
            assert held >= 0 or held == held.to_integral_value()
            assert self.engine.resting(symbol, Side.BUY) >= 0
            bound = self.engine.resting(symbol, Side.SELL if held > 0 else Side.BUY)
            assert held == 0 or bound <= abs(held) or any(t.qty is None for t in self.engine.open_tickets())
        if not self.engine.open_tickets():
            gross = sum(abs(ledger.value(symbol)) for symbol in ledger.holdings)
            assert account.buying_power == max(2 * account.equity - gross, Decimal(0))
            assert not any(self.engine.resting(symbol, side) for symbol in SYMBOLS for side in Side)

    def _restart(self) -> None:
        changed = msgspec.json.decode(msgspec.json.encode(self.engine.changes()), type=Changed)
        self.tickets |= {ticket.client_order_id: ticket for ticket in changed.tickets}
        self.executions += changed.executions
        self.charges += changed.charges
        known = replace(
            changed,
            tickets=tuple(self.tickets.values()),
            executions=tuple(self.executions),
            charges=tuple(self.charges),
        )
        self.engine = self._engine()
        self.engine.restore(known)


quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
fills = st.sampled_from(["next_bar", "next_bar", "alpaca"])


@quick
@given(steps(), COSTS, fills)
def test_cash_holdings_at_cost_realised_profit_and_fees_add_up(
    steps: list[Step], costs: CostSettings, fills: Any
) -> None:
    play = Play(costs, fills).run(steps)
    ledger, done = play.engine.ledger, play.engine.executions()
    spent = sum((e.side.sign * e.qty * e.price for e in done), Decimal(0))
    assert ledger.cash == CASH - spent - ledger.fees
    paid = sum((e.fees for e in done), Decimal(0))
    borrowed = sum((charge.dollars for charge in play.engine.charges()), Decimal(0))
    assert ledger.cash == CASH - spent - paid - borrowed
    for symbol in SYMBOLS:
        assert ledger.held(symbol) == sum((e.side.sign * e.qty for e in done if e.symbol == symbol), Decimal(0))


@quick
@given(steps(), COSTS, fills)
def test_events_come_in_a_legal_order_and_no_order_fills_beyond_its_quantity(
    steps: list[Step], costs: CostSettings, fills: Any
) -> None:
    play = Play(costs, fills).run(steps)
    for ticket in play.engine.tickets():
        own = [update for update in play.heard if update.client_order_id == ticket.client_order_id]
        assert own == list(ticket.updates)
        events = [None, *(update.event for update in own)]
        assert len(ticket.numbers) == len(own)
        assert all(after in NEXT[before] for before, after in pairwise(events))
        assert [update.at for update in own] == sorted(update.at for update in own)
        if ticket.qty is not None:
            assert ticket.filled <= ticket.qty
            assert (ticket.status == "filled") == (ticket.filled == ticket.qty)
        else:
            assert ticket.side is Side.SELL or ticket.spent <= (ticket.request.notional or 0)
    numbers = sorted(number for ticket in play.engine.tickets() for number in ticket.numbers)
    assert numbers == list(range(1, len(play.heard) + 1))
    ids = [execution.id for execution in play.engine.executions()]
    assert len(set(ids)) == len(ids)


@quick
@given(steps(), COSTS, fills)
def test_fills_lie_inside_the_bar_that_comes_after_the_order_and_keep_its_limit(
    steps: list[Step], costs: CostSettings, fills: Any
) -> None:
    play = Play(costs, fills).run(steps)
    taken: dict[tuple[str, datetime], Decimal] = defaultdict(Decimal)
    for done in play.engine.executions():
        ticket = play.engine.ticket(done.client_order_id)
        assert ticket is not None
        limit = ticket.request.limit_price
        assert limit is None or (limit - done.price) * done.side.sign >= 0
        if ticket.request.time_in_force is TimeInForce.CLS:
            continue
        bar = play.bars[done.symbol, done.at]
        assert bar.start >= ticket.since >= ticket.accepted
        taken[done.symbol, done.at] += done.qty
        if ticket.request.type is not OrderType.MARKET:
            assert Decimal(repr(bar.low)) <= done.price <= Decimal(repr(bar.high))
        elif fills == "next_bar" and ticket.qty is not None:
            share = float(done.qty) / bar.volume
            cost = bar.open * (costs.spread_bps / 20_000 + costs.impact * share)
            assert abs(done.side.sign * (float(done.price) - bar.open) - cost) < 0.0001
    for (symbol, start), qty in taken.items():
        most = Decimal(repr(costs.max_volume_share)) * play.bars[symbol, start].volume
        assert fills == "alpaca" or qty <= most


@quick
@given(steps(), COSTS, fills)
def test_an_engine_restored_after_every_step_behaves_as_one_that_never_stopped(
    steps: list[Step], costs: CostSettings, fills: Any
) -> None:
    through, restored = Play(costs, fills).run(steps), Play(costs, fills, restoring=True).run(steps)
    assert through.heard == restored.heard
    assert through.engine.tickets() == restored.engine.tickets()
    assert through.engine.executions() == restored.engine.executions()
    assert through.engine.charges() == restored.engine.charges()
    assert through.engine.account() == restored.engine.account()
    assert through.engine.ledger.state() == restored.engine.ledger.state()
