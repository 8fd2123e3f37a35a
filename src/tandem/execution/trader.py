"""Carries pair orders out at a broker: every step is a fact before it is taken."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
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
    unseen,
)
from tandem.execution.seams import Broker
from tandem.market import (
    BrokerError,
    FactConflict,
    Fill,
    Leg,
    Order,
    OrderUpdate,
    OutcomeUnknown,
    Pair,
    Refusal,
    World,
    plain,
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
    """The pair orders under way in one session of one world.

    Args:
        executions: identities of the fills that are on record already.
        commission: dollars a share; brokers do not say it with a fill.
    """

    def __init__(
        self,
        world: World,
        session: date,
        broker: Broker,
        facts: Facts,
        budget: ExecutionSettings,
        executions: Iterable[str] = (),
        commission: Decimal = Decimal(0),
    ) -> None:
        self.world = world
        self.session = session
        self.broker = broker
        self.facts = facts
        self.budget = budget
        self.commission = commission
        self.reference: Reference = lambda symbol, at: None
        self.working: dict[Pair, PairOrder] = {}
        self._seen = set(executions)
        self._pairs = {record.key: Pair.parse(record.pair or "") for record in facts.read(Order)}
        self._fills: list[Record] = []

    def place(self, intent: Intent, at: datetime) -> None:
        """Start a pair order for an intent that is on record."""
        name, purpose = name_of(self.world, intent.pair, at), Purpose(intent.purpose)
        self._step(PairOrder(name, intent.pair, purpose, _targets(intent), at), at)

    def take_up(self, intent: Record[Intent], now: datetime) -> None:
        """Go on with a pair order that an earlier process left, from its facts and the broker's word."""
        meant, pair = intent.body, str(intent.body.pair)
        name = name_of(self.world, meant.pair, intent.at)
        orders = [r.body for r in self.facts.read(Order, pair=pair) if r.key.startswith(f"{name}.")]
        self._step(resume(name, meant.pair, Purpose(meant.purpose), _targets(meant), intent.at, orders), now)

    def tend(self, now: datetime) -> list[Record]:
        """Take the broker's news, record the fills among them, and move every pair order on.

        Returns:
            The fills recorded since the last call, in the broker's order.
        """
        for update in self.broker.updates(now):
            self._record(update)
            for pair, state in self.working.items():
                self.working[pair] = apply(state, update)
        for state in list(self.working.values()):
            self._step(state, now)
        fills, self._fills = self._fills, []
        return fills

    def _step(self, state: PairOrder, now: datetime) -> None:
        done: set[Command] = set()
        while True:
            ahead, commands = advance(state, now, self.budget)
            if commands and done.issuperset(commands):
                break  # The same again would change nothing before the next minute.
            state = ahead
            if not commands:
                break
            for command in commands:
                state = self._carry_out(state, command, now)
            done.update(commands)
        self.working[state.pair] = state
        if state.outcome is not Outcome.WORKING:
            self._end(self.working.pop(state.pair), now)

    def _carry_out(self, state: PairOrder, command: Command, now: datetime) -> PairOrder:
        match command:
            case Submit(order):
                self._put_on_record(order, state.pair, now)
                return self._send(state, order, now)
            case Cancel(client_order_id):
                return self._cancel(state, client_order_id)
            case Ask(client_order_id):
                return self._ask(state, client_order_id)

    def _put_on_record(self, order: Order, pair: Pair, now: datetime) -> None:
        if order.client_order_id not in self._pairs:
            self.facts.append(Record(order, self.session, now, order.client_order_id, str(pair)))
            self._pairs[order.client_order_id] = pair

    def _cancel(self, state: PairOrder, client_order_id: str) -> PairOrder:
        try:
            self.broker.cancel(client_order_id)
        except BrokerError:
            return unknown(state, client_order_id)
        return state

    def _send(self, state: PairOrder, order: Order, now: datetime) -> PairOrder:
        try:
            self.broker.submit(order)
        except OutcomeUnknown:
            return unknown(state, order.client_order_id)
        except BrokerError as error:
            self._refuse(state.pair, order.client_order_id, str(error), now)
            return refused(state, order.client_order_id)
        return state

    def _ask(self, state: PairOrder, client_order_id: str) -> PairOrder:
        try:
            updates = self.broker.find(client_order_id)
        except BrokerError:
            return state
        if updates is None:
            return unseen(state, client_order_id, self.budget)
        for update in updates:
            self._record(update)
        return known(state, client_order_id, updates)

    def _record(self, update: OrderUpdate) -> None:
        pair = self._pairs.get(update.client_order_id)
        if pair is None:
            return
        if update.qty is None or update.price is None or update.execution_id is None:
            if update.reason:
                self._refuse(pair, update.client_order_id, update.reason, update.at)
        elif update.execution_id not in self._seen:
            paid = plain(update.price)
            fill = Fill(
                update.execution_id,
                update.client_order_id,
                update.symbol,
                update.side,
                plain(update.qty),
                paid,
                update.at,
                self.reference(update.symbol, update.at) or paid,
                plain(self.commission * update.qty),
            )
            self._fill(fill, pair)

    def _fill(self, fill: Fill, pair: Pair) -> None:
        record = Record(fill, self.session, fill.at, f"fill.{fill.execution_id}", str(pair))
        self.facts.append(record)
        self._seen.add(fill.execution_id)
        self._fills.append(record)

    def _refuse(self, pair: Pair, client_order_id: str, why: str, at: datetime) -> None:
        key = f"refused.{client_order_id}"
        with suppress(FactConflict):  # The first reason stands.
            self.facts.append(Record(Refusal("order refused", why, "execution"), self.session, at, key, str(pair)))

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
