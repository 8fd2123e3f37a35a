"""Carries pair orders out at a broker: every step is a fact before it is taken."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from tandem.config import ExecutionSettings
from tandem.execution.pair_order import (
    Ask,
    Cancel,
    Command,
    LegTarget,
    Outcome,
    PairOrder,
    Purpose,
    Submit,
    advance,
    apply,
    known,
    name_of,
    refused,
    resume,
    unknown,
)
from tandem.execution.seams import Broker
from tandem.market import (
    BrokerError,
    Fill,
    Leg,
    Order,
    OrderUpdate,
    OutcomeUnknown,
    Pair,
    Refusal,
    World,
)
from tandem.risk import Intent
from tandem.store import Facts, Record

Reference = Callable[[str, datetime], Decimal | None]


@dataclass(frozen=True, slots=True)
class PairOrderEnded:
    """How an order of two legs came out.

    Attributes:
        name: the pair order, as in its client order ids.
        outcome: `filled`, `unwound` (nothing is held of it) or `stuck` (a person is needed).
        naked_seconds: how long one leg stood further than the other.
        orders: how many were sent.
    """

    kind: ClassVar = "pair_order"

    name: str
    purpose: str
    outcome: Outcome
    naked_seconds: float
    orders: int


class Trader:
    """The pair orders under way in one session of one world."""

    def __init__(
        self,
        world: World,
        session: date,
        broker: Broker,
        facts: Facts,
        budget: ExecutionSettings,
        executions: Iterable[str] = (),
    ) -> None:
        self.world = world
        self.session = session
        self.broker = broker
        self.facts = facts
        self.budget = budget
        self.reference: Reference = lambda symbol, at: None
        self.working: dict[Pair, PairOrder] = {}
        self._seen = set(executions)

    def place(self, intent: Intent, at: datetime) -> None:
        """Start a pair order for an intent that is on record."""
        state = PairOrder(name_of(self.world, intent.pair, at), intent.pair, Purpose(intent.purpose), _targets(intent))
        self._step(state, at)

    def take_up(self, intent: Intent, at: datetime, sent: Iterable[Order], now: datetime) -> None:
        """Go on with a pair order that an earlier process left, from its facts and the broker's word."""
        name = name_of(self.world, intent.pair, at)
        state = resume(name, intent.pair, Purpose(intent.purpose), _targets(intent), list(sent))
        late = (now - at).total_seconds() > self.budget.naked_seconds
        self._step(replace(state, unwinding=state.unwinding or (late and intent.purpose == "enter")), now)

    def tend(self, now: datetime) -> list[Record]:
        """Take the broker's news, record the fills among them, and move every pair order on.

        Returns:
            The fills recorded, in the broker's order.
        """
        fills: list[Record] = []
        for update in self.broker.updates(now):
            fills += self._record(update)
            for pair, state in self.working.items():
                self.working[pair] = apply(state, update)
        for state in list(self.working.values()):
            self._step(state, now)
        return fills

    def _step(self, state: PairOrder, now: datetime) -> None:
        while True:
            state, commands = advance(state, now, self.budget)
            if not commands:
                break
            before = state
            for command in commands:
                state = self._carry_out(state, command, now)
            if state == before:
                break
        self.working[state.pair] = state
        if state.outcome is not Outcome.WORKING:
            self._end(self.working.pop(state.pair), now)

    def _carry_out(self, state: PairOrder, command: Command, now: datetime) -> PairOrder:
        match command:
            case Submit(order):
                key = order.client_order_id
                self.facts.append(Record(order, self.session, now, key, str(state.pair)))
                return self._send(state, order, now)
            case Cancel(client_order_id):
                with suppress(BrokerError):
                    self.broker.cancel(client_order_id)
                return state
            case Ask(client_order_id):
                return self._ask(state, client_order_id, now)

    def _send(self, state: PairOrder, order: Order, now: datetime) -> PairOrder:
        try:
            self.broker.submit(order)
        except OutcomeUnknown:
            return unknown(state, order.client_order_id)
        except BrokerError as error:
            self._refuse(state.pair, order.client_order_id, str(error), now)
            return refused(state, order.client_order_id)
        return state

    def _ask(self, state: PairOrder, client_order_id: str, now: datetime) -> PairOrder:
        try:
            updates = self.broker.find(client_order_id)
        except OutcomeUnknown:
            return state
        if updates is None:
            self._refuse(state.pair, client_order_id, "the broker never saw the order", now)
            return refused(state, client_order_id)
        for update in updates:
            self._record(update)
        return known(state, client_order_id, updates)

    def _record(self, update: OrderUpdate) -> list[Record]:
        pair = self._pair_of(update.client_order_id)
        if pair is None or update.qty is None or update.price is None or update.execution_id is None:
            if pair is not None and update.reason:
                self._refuse(pair, update.client_order_id, update.reason, update.at)
            return []
        if update.execution_id in self._seen:
            return []
        reference = self.reference(update.symbol, update.at) or update.price
        fill = Fill(
            update.execution_id,
            update.client_order_id,
            update.symbol,
            update.side,
            update.qty,
            update.price,
            update.at,
            reference,
        )
        record = Record(fill, self.session, update.at, f"fill.{fill.execution_id}", str(pair))
        self.facts.append(record)
        self._seen.add(update.execution_id)
        return [record]

    def _pair_of(self, client_order_id: str) -> Pair | None:
        world, *rest = client_order_id.split(".")
        if world != str(self.world) or len(rest) < 3:
            return None
        a, b = rest[1].split("-", 1)
        return Pair(a, b)

    def _refuse(self, pair: Pair, client_order_id: str, why: str, at: datetime) -> None:
        refusal = Refusal("order refused", why, "execution")
        self.facts.append(Record(refusal, self.session, at, f"refused.{client_order_id}", str(pair)))

    def _end(self, state: PairOrder, at: datetime) -> None:
        ended = PairOrderEnded(
            state.name, state.purpose, state.outcome, round(state.naked_seconds, 3), len(state.children)
        )
        key = f"ended.{state.name}.{state.purpose}"
        self.facts.append(Record(ended, self.session, at, key, str(state.pair)))


def _targets(intent: Intent) -> tuple[LegTarget, LegTarget]:
    return (
        LegTarget(Leg.A, intent.pair.a, intent.side_a, intent.qty_a),
        LegTarget(Leg.B, intent.pair.b, intent.side_b, intent.qty_b),
    )
