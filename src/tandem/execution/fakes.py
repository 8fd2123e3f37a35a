"""A feed and a broker that do as they are told: for tests of whatever stands behind the seams."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from tandem.market import Account, Bar, BrokerError, Order, OrderEvent, OrderUpdate, OutcomeUnknown, Position

NOTHING = Decimal(0)


class Answer(StrEnum):
    """What a scripted broker does with an order or a question that reaches it."""

    TAKE = "take"
    REFUSE = "refuse"
    LOSE = "lose"
    """It never arrives, and the caller learns nothing."""
    HIDE = "hide"
    """It arrives, and the caller learns nothing."""


@dataclass(slots=True)
class ScriptedBroker:
    """A broker whose answers are written down beforehand; nothing fills by itself.

    Attributes:
        now: market time of what happens next, UTC.
        answers: to each `submit` in turn; when they are used up, orders are taken.
        refuses: symbols whose orders are refused, whatever `answers` say.
        cancels: to each `cancel` in turn; when they are used up, it is done.
        finds: to each `find` in turn, `LOSE` and `REFUSE` leave it open; when they are used up, it is answered.
        on_submit: called with each order before anything else happens to it.
        calls: what was asked of it, in order: the method and the client order id.
        orders: what it has taken, by client order id.
        news: what `updates` tells next; shuffle it or repeat it at will.
    """

    now: datetime
    answers: list[Answer] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    cancels: list[Answer] = field(default_factory=list)
    finds: list[Answer] = field(default_factory=list)
    on_submit: Callable[[Order], None] = lambda order: None
    cash: Decimal = Decimal(100_000)
    calls: list[tuple[str, str]] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    news: list[OrderUpdate] = field(default_factory=list)
    _history: dict[str, list[OrderUpdate]] = field(default_factory=dict)

    def account(self) -> Account:
        """The cash it was given, whatever was traded."""
        return Account(self.cash, self.cash, 2 * self.cash, True)

    def positions(self) -> dict[str, Position]:
        """What its fills add up to."""
        held: dict[str, Decimal] = {}
        for update in (update for story in self._history.values() for update in story):
            held[update.symbol] = held.get(update.symbol, NOTHING) + update.side.sign * (update.qty or NOTHING)
        return {symbol: Position(symbol, qty, Decimal(1)) for symbol, qty in sorted(held.items()) if qty}

    def submit(self, order: Order) -> None:
        """Take, refuse, lose or hide an order, as written; one that was taken before counts as taken."""
        self.on_submit(order)
        self.calls.append(("submit", order.client_order_id))
        answer = self.answers.pop(0) if self.answers else Answer.TAKE
        if answer is Answer.REFUSE or order.symbol in self.refuses:
            raise BrokerError("insufficient buying power")
        if answer is not Answer.LOSE and order.client_order_id not in self.orders:
            self.orders[order.client_order_id] = order
            self._history[order.client_order_id] = []
            self._tell(order, OrderEvent.NEW)
        if answer is not Answer.TAKE:
            raise OutcomeUnknown("no answer")

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """The truth about an order, or `OutcomeUnknown` where that is written."""
        self.calls.append(("find", client_order_id))
        answer = self.finds.pop(0) if self.finds else Answer.TAKE
        if answer is Answer.REFUSE:
            raise BrokerError("unauthorized.")
        if answer is Answer.LOSE:
            raise OutcomeUnknown("no answer")
        story = self._history.get(client_order_id)
        return None if story is None else list(story)

    def cancel(self, client_order_id: str) -> None:
        """Cancel an open order, or do as written."""
        self.calls.append(("cancel", client_order_id))
        answer = self.cancels.pop(0) if self.cancels else Answer.TAKE
        if client_order_id not in self.open() or answer is Answer.REFUSE:
            raise BrokerError("order is not cancelable")
        if answer is not Answer.LOSE:
            self.end(client_order_id, OrderEvent.CANCELED)
        if answer is not Answer.TAKE:
            raise OutcomeUnknown("no answer")

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """The news, once."""
        told, self.news = self.news, []
        return told

    def open(self) -> list[str]:
        """Orders that may still fill, oldest first."""
        return [name for name, story in self._history.items() if not any(update.event.is_final for update in story)]

    def left(self, client_order_id: str) -> Decimal:
        """Shares of an order that have not changed hands."""
        done = sum((update.qty or NOTHING for update in self._history[client_order_id]), NOTHING)
        return self.orders[client_order_id].qty - done

    def fill(self, client_order_id: str, price: Decimal = Decimal(10), qty: Decimal | None = None) -> OrderUpdate:
        """Execute an open order, all that is left of it or `qty` shares."""
        left = self.left(client_order_id)
        qty = left if qty is None else qty
        event = OrderEvent.FILL if qty == left else OrderEvent.PARTIAL_FILL
        execution = f"{client_order_id}/{len(self._history[client_order_id])}"
        return self._tell(self.orders[client_order_id], event, execution, qty, price)

    def end(self, client_order_id: str, event: OrderEvent, reason: str = "") -> OrderUpdate:
        """Cancel, expire or reject an order, whatever is left of it."""
        return self._tell(self.orders[client_order_id], event, reason=reason)

    def _tell(
        self,
        order: Order,
        event: OrderEvent,
        execution_id: str | None = None,
        qty: Decimal | None = None,
        price: Decimal | None = None,
        reason: str = "",
    ) -> OrderUpdate:
        update = OrderUpdate(
            order.client_order_id, order.symbol, order.side, event, self.now, execution_id, qty, price, reason
        )
        self._history[order.client_order_id].append(update)
        self.news.append(update)
        return update


class ListFeed:
    """Bars from a list, each given once, when it is over."""

    def __init__(self, bars: Iterable[Bar]) -> None:
        self._bars = sorted(bars, key=lambda bar: (bar.start, bar.symbol))

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before, ordered by start and symbol."""
        taken = [bar for bar in self._bars if bar.end <= until]
        self._bars = [bar for bar in self._bars if bar.end > until]
        return taken

    def halted(self) -> Collection[str]:
        """No symbol is ever halted."""
        return ()
