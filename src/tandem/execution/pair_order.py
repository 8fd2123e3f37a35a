"""One order of two legs: a pure state machine.

It pursues a goal for both legs at once, the quantities wanted or nothing at all, by comparing what has
filled with what is under way. Whatever order the legs' events come in, repeated or not, it ends with
both legs filled, or with neither, or says that it is stuck. Every order that brings a leg to its end has the
budget: one that moves no further is cancelled, and what it left is sent again while there are attempts. It
knows no broker and no clock: updates and times go in, commands come out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tandem.config import ExecutionSettings
from tandem.market import Leg, Order, OrderUpdate, Pair, Side, World

NOTHING: Final = Decimal(0)
ALL: Final = Decimal(1)


class Purpose(StrEnum):
    """Why a pair order was made."""

    ENTER = "enter"
    EXIT = "exit"


class Outcome(StrEnum):
    """How a pair order stands."""

    WORKING = "working"
    FILLED = "filled"
    UNWOUND = "unwound"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class LegTarget:
    """What is wanted of one leg; a quantity of zero asks for nothing."""

    leg: Leg
    symbol: str
    side: Side
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Child:
    """One order sent for one leg, and what became of it.

    Attributes:
        live: it may still fill.
        known: how it stands is known; where it is not, the broker is asked before anything is sent.
        lost: the broker never saw it: it goes out again, under the same id, so that it cannot count twice.
        sent: how often it went out.
        still_since: since when, UTC, nothing was heard of its filling; None where something just was.
    """

    order: Order
    leg: Leg
    unwinding: bool = False
    executions: tuple[tuple[str, Decimal], ...] = ()
    live: bool = True
    known: bool = True
    lost: bool = False
    sent: int = 1
    still_since: datetime | None = None

    @property
    def filled(self) -> Decimal:
        """Signed shares that changed hands."""
        return self.order.side.sign * sum((qty for _, qty in self.executions), NOTHING)


@dataclass(frozen=True, slots=True)
class Submit:
    """Record this order, then send it."""

    order: Order


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take a working order back."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Find out what became of an order whose outcome is unknown."""

    client_order_id: str


Command = Submit | Cancel | Ask


@dataclass(frozen=True, slots=True)
class PairOrder:
    """Both legs of one decision, from the first order to the end.

    Attributes:
        name: what the client order ids are derived from: world, session, pair and decision time.
        began: the decision, UTC; an entry that is not complete by the naked budget after it is unwound.
        naked_since: since when the legs' fills do not match; None while they do.
        naked_seconds: how long they did not match, up to the last event.
        unwinding: the goal is no longer the targets but nothing at all.
    """

    name: str
    pair: Pair
    purpose: Purpose
    targets: tuple[LegTarget, LegTarget]
    began: datetime
    children: tuple[Child, ...] = ()
    unwinding: bool = False
    outcome: Outcome = Outcome.WORKING
    naked_since: datetime | None = None
    naked_seconds: float = 0.0
    prices: dict[Leg, Decimal] = field(default_factory=dict)

    def filled(self, leg: Leg) -> Decimal:
        """Signed shares of one leg that changed hands, unwinds included."""
        return sum((child.filled for child in self.children if child.leg is leg), NOTHING)

    @property
    def naked_dollars(self) -> Decimal:
        """Dollars that the further leg is ahead of the other, by the prices of the fills."""
        shares = {target.leg: self._progress(target) for target in self.targets}
        gap = abs(shares[Leg.A] - shares[Leg.B])
        ahead = max(self.targets, key=lambda target: shares[target.leg])
        return gap * ahead.qty * self.prices.get(ahead.leg, NOTHING)

    def _progress(self, target: LegTarget) -> Decimal:
        return abs(self.filled(target.leg)) / target.qty if target.qty else ALL

    def _missing(self, target: LegTarget) -> Decimal:
        wanted = NOTHING if self.unwinding else target.side.sign * target.qty
        return wanted - self.filled(target.leg)


def name_of(world: World, pair: Pair, at: datetime) -> str:
    """Derived, never random: the same decision always gives the same client order ids."""
    return f"{world}.{at:%Y%m%d}.{pair.a}-{pair.b}.{at:%H%M}"


def advance(state: PairOrder, now: datetime, budget: ExecutionSettings) -> tuple[PairOrder, list[Command]]:
    """What to do next: called after updates, and every minute while the order works."""
    state = _watch_stillness(_watch_nakedness(state, now), now)
    if unknown := [child for child in state.children if not child.known]:
        return state, [Ask(child.order.client_order_id) for child in unknown]
    if state.purpose is Purpose.ENTER and not state.unwinding and _must_unwind(state, now, budget):
        state = replace(state, unwinding=True)
    state = _give_up_lost(state)
    if lost := [child for child in state.children if child.lost]:
        return _send_again(state), [Submit(child.order) for child in lost]
    if state.unwinding and (live := [child for child in state.children if child.live and not child.unwinding]):
        return state, [Cancel(child.order.client_order_id) for child in live]
    stalled = [child for child in state.children if _stalled(state, child, now, budget)]
    state, commands = _pursue(state, budget)
    return state, [*(Cancel(child.order.client_order_id) for child in stalled), *commands]


def apply(state: PairOrder, update: OrderUpdate) -> PairOrder:
    """Take in one thing that happened to a child order; repeated executions count once."""
    state = _change(state, update.client_order_id, lambda child: _updated(child, update))
    prices = state.prices
    if update.event.is_execution and update.price is not None:
        leg = next((c.leg for c in state.children if c.order.client_order_id == update.client_order_id), None)
        prices = {**prices, leg: update.price} if leg else prices
    return replace(state, prices=prices)


def refused(state: PairOrder, client_order_id: str) -> PairOrder:
    """The broker said no: nothing of the order is under way."""
    return _change(state, client_order_id, lambda child: replace(child, live=False, known=True, lost=False))


def unseen(state: PairOrder, client_order_id: str, budget: ExecutionSettings) -> PairOrder:
    """The broker never saw the order: it goes out again, as often as there are attempts, unless another followed it."""
    newest = {child.leg: child for child in state.children}

    def answered(child: Child) -> Child:
        again = child.live and child.sent < budget.attempts and child is newest[child.leg]
        return replace(child, live=again, lost=again, known=True)

    return _change(state, client_order_id, answered)


def unknown(state: PairOrder, client_order_id: str) -> PairOrder:
    """Nobody knows whether the broker took the order."""
    return _change(state, client_order_id, lambda child: replace(child, known=False))


def known(state: PairOrder, client_order_id: str, updates: Sequence[OrderUpdate]) -> PairOrder:
    """The broker's full answer about an order that it did take."""
    for update in updates:
        state = apply(state, update)
    return _change(state, client_order_id, lambda child: replace(child, known=True, lost=False))


def _change(state: PairOrder, client_order_id: str, change: Callable[[Child], Child]) -> PairOrder:
    children = (change(c) if c.order.client_order_id == client_order_id else c for c in state.children)
    return replace(state, children=tuple(children))


def _updated(child: Child, update: OrderUpdate) -> Child:
    if update.event.is_execution and update.execution_id and update.qty is not None:
        seen = {execution for execution, _ in child.executions}
        if update.execution_id not in seen:
            executions = (*child.executions, (update.execution_id, update.qty))
            child = replace(child, executions=executions, still_since=None)
    complete = abs(child.filled) >= child.order.qty
    settled = child.known and not child.live
    live = child.live and not complete and not update.event.is_final
    # An order that ended short may have filled further than was heard of, and a late word says nothing of
    # what came after it: only a full fill or the broker's full answer settles what is not known.
    return replace(child, known=complete or settled or (live and child.known), live=live, lost=False)


def _give_up_lost(state: PairOrder) -> PairOrder:
    children = (
        replace(child, live=False, lost=False) if child.lost and child.unwinding is not state.unwinding else child
        for child in state.children
    )
    return replace(state, children=tuple(children))


def _send_again(state: PairOrder) -> PairOrder:
    children = (replace(c, lost=False, sent=c.sent + 1, still_since=None) if c.lost else c for c in state.children)
    return replace(state, children=tuple(children))


def _watch_nakedness(state: PairOrder, now: datetime) -> PairOrder:
    since = state.naked_since
    if since is not None:
        seconds = state.naked_seconds + (now - since).total_seconds()
        state = replace(state, naked_seconds=seconds, naked_since=now)
    naked = state._progress(state.targets[0]) != state._progress(state.targets[1])
    return replace(state, naked_since=now if naked else None)


def _watch_stillness(state: PairOrder, now: datetime) -> PairOrder:
    children = (child if child.still_since else replace(child, still_since=now) for child in state.children)
    return replace(state, children=tuple(children))


def _stalled(state: PairOrder, child: Child, now: datetime, budget: ExecutionSettings) -> bool:
    """A leg that has not begun to fill waits, for a halt may be over later: it is as whole as before."""
    if not child.live or child.still_since is None or not (state.unwinding or state.purpose is Purpose.EXIT):
        return False
    if not state.filled(child.leg) and not any(_exhausted(state, target, budget) for target in state.targets):
        return False
    seconds = (now - child.still_since).total_seconds()
    in_parts = bool(child.executions) and state.naked_dollars > budget.naked_dollars
    return seconds > 0 and (in_parts or seconds >= budget.naked_seconds)


def _must_unwind(state: PairOrder, now: datetime, budget: ExecutionSettings) -> bool:
    if state.naked_since is not None and (
        state.naked_seconds >= budget.naked_seconds or state.naked_dollars > budget.naked_dollars
    ):
        return True
    overdue = (now - state.began).total_seconds() > budget.naked_seconds
    return any(_exhausted(state, leg, budget) or (overdue and state._missing(leg)) for leg in state.targets)


def _exhausted(state: PairOrder, target: LegTarget, budget: ExecutionSettings) -> bool:
    sent = [child for child in state.children if child.leg is target.leg and child.unwinding is state.unwinding]
    idle = not any(child.live for child in sent)
    return idle and len(sent) >= budget.attempts and state._missing(target) != NOTHING


def _pursue(state: PairOrder, budget: ExecutionSettings) -> tuple[PairOrder, list[Command]]:
    commands: list[Command] = []
    stuck = False
    for target in state.targets:
        missing = state._missing(target)
        if missing == NOTHING or any(child.live for child in state.children if child.leg is target.leg):
            continue
        if _exhausted(state, target, budget):
            stuck = True
            continue
        child = _child(state, target, missing)
        state = replace(state, children=(*state.children, child))
        commands.append(Submit(child.order))
    return replace(state, outcome=_outcome(state, stuck)), commands


def _child(state: PairOrder, target: LegTarget, missing: Decimal) -> Child:
    attempt = 1 + sum(c.leg is target.leg and c.unwinding is state.unwinding for c in state.children)
    intent = "unwind" if state.unwinding else state.purpose.value
    side = Side.BUY if missing > 0 else Side.SELL
    order = Order(f"{state.name}.{target.leg}.{intent}.{attempt}", target.symbol, side, abs(missing))
    return Child(order, target.leg, state.unwinding)


def _outcome(state: PairOrder, stuck: bool) -> Outcome:
    if any(child.live for child in state.children):
        return Outcome.WORKING
    if not any(state._missing(target) for target in state.targets):
        return Outcome.UNWOUND if state.unwinding else Outcome.FILLED
    return Outcome.STUCK if stuck else Outcome.WORKING


def resume(
    name: str,
    pair: Pair,
    purpose: Purpose,
    targets: tuple[LegTarget, LegTarget],
    began: datetime,
    recorded: Sequence[Order],
) -> PairOrder:
    """The order as the facts left it: every recorded child is asked for, since nobody knows whether it went out."""
    legs = {target.symbol: target.leg for target in targets}
    children = tuple(
        Child(order, legs[order.symbol], ".unwind." in order.client_order_id, known=False, sent=0) for order in recorded
    )
    unwinding = any(child.unwinding for child in children)
    return PairOrder(name, pair, purpose, targets, began, children, unwinding)
