"""One order at the broker and all that became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from tandem.market import OrderEvent, OrderUpdate, Side
from tandem.matching.request import OrderClass, OrderType, Request

NOTHING: Final = Decimal(0)


class Status(StrEnum):
    """Where an order stands, in Alpaca's words."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"


_ENDINGS: Final = frozenset(
    {OrderEvent.CANCELED, OrderEvent.EXPIRED, OrderEvent.REPLACED, OrderEvent.REJECTED, OrderEvent.SUSPENDED}
)
_WORKING: Final = _ENDINGS | {
    OrderEvent.PARTIAL_FILL,
    OrderEvent.FILL,
    OrderEvent.DONE_FOR_DAY,
    OrderEvent.STOPPED,
}
# What may follow what: None is the order's arrival, an event without followers is its end.
NEXT: Final[Mapping[OrderEvent | None, frozenset[OrderEvent]]] = {
    None: frozenset(
        {OrderEvent.PENDING_NEW, OrderEvent.ACCEPTED, OrderEvent.NEW, OrderEvent.HELD, OrderEvent.REJECTED}
    ),
    OrderEvent.PENDING_NEW: _ENDINGS | {OrderEvent.NEW, OrderEvent.ACCEPTED},
    OrderEvent.ACCEPTED: _ENDINGS | {OrderEvent.NEW},
    OrderEvent.HELD: _ENDINGS | {OrderEvent.NEW},
    OrderEvent.SUSPENDED: _ENDINGS | {OrderEvent.NEW},
    OrderEvent.DONE_FOR_DAY: _WORKING | {OrderEvent.NEW},
    OrderEvent.STOPPED: _WORKING,
    OrderEvent.NEW: _WORKING,
    OrderEvent.PARTIAL_FILL: _WORKING,
    OrderEvent.FILL: frozenset(),
    OrderEvent.CANCELED: frozenset(),
    OrderEvent.EXPIRED: frozenset(),
    OrderEvent.REPLACED: frozenset(),
    OrderEvent.REJECTED: frozenset(),
}
_STATUS: Final = {OrderEvent.FILL: Status.FILLED, OrderEvent.PARTIAL_FILL: Status.PARTIALLY_FILLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order that the broker took.

    Attributes:
        request: as it was sent; a leg's is what its parent's request says of it.
        id: the broker's own id.
        number: how many orders the broker had taken with this one.
        accepted: market time, UTC.
        since: bars that start from here on may fill it, UTC.
        qty: shares in all; a stop loss shrinks with what its take profit has sold. None for a notional order.
        updates: everything that happened, oldest first.
        numbers: of each of these, how many things had happened to the account's orders with it.
        filled: shares that changed hands, those of the orders it replaces included.
        spent: dollars they changed hands for.
        position: signed shares of the symbol right after the last execution.
        parent: client order id of the order whose leg this is.
        legs: client order ids of its legs.
        replaces, replaced_by: client order ids.
        hwm: a trailing stop's high-water mark (low-water mark of a buy), dollars.
        stop: where a trailing stop stands now, dollars.
        triggered: its stop has been reached.
        rested: it has seen a bar without being filled: a limit order that gives liquidity.
        bound: dollars per share that it takes from the buying power; zero where it closes a position.
        bound_shares: shares that a notional order is expected to trade.
        expires_at: when it ends by itself, UTC; None while the session is not known.
    """

    request: Request
    id: UUID
    number: int
    accepted: datetime
    since: datetime
    qty: Decimal | None
    updates: tuple[OrderUpdate, ...] = ()
    numbers: tuple[int, ...] = ()
    filled: Decimal = NOTHING
    spent: Decimal = NOTHING
    position: Decimal | None = None
    parent: str | None = None
    legs: tuple[str, ...] = ()
    replaces: str | None = None
    replaced_by: str | None = None
    hwm: Decimal | None = None
    stop: Decimal | None = None
    triggered: bool = False
    rested: bool = False
    bound: Decimal = NOTHING
    bound_shares: Decimal = NOTHING
    expires_at: datetime | None = None

    def then(self, update: OrderUpdate, number: int, position: Decimal | None = None) -> "Ticket":
        """The ticket with one more thing that happened to it, the account's `number`th.

        Raises:
            ValueError: an event that may not follow the last one.
        """
        if update.event not in NEXT[self.updates[-1].event if self.updates else None]:
            raise ValueError(f"{update.client_order_id}: {update.event} may not follow {self.status}")
        updates, numbers = (*self.updates, update), (*self.numbers, number)
        if update.qty is None or update.price is None:
            return replace(self, updates=updates, numbers=numbers)
        return replace(
            self,
            updates=updates,
            numbers=numbers,
            filled=self.filled + update.qty,
            spent=self.spent + update.qty * update.price,
            position=position,
        )

    @property
    def client_order_id(self) -> str:
        """The sender's identity of the order."""
        return self.request.client_order_id

    @property
    def symbol(self) -> str:
        """Ticker."""
        return self.request.symbol

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.request.side

    @property
    def last(self) -> OrderUpdate:
        """The newest thing that happened."""
        return self.updates[-1]

    @property
    def status(self) -> Status:
        """Where it stands."""
        return _STATUS.get(self.last.event) or Status(self.last.event.value)

    @property
    def is_open(self) -> bool:
        """Whether something may still happen."""
        return not self.last.event.is_final

    @property
    def average_price(self) -> Decimal | None:
        """Dollars per share over all executions, None before the first."""
        return self.spent / self.filled if self.filled else None

    @property
    def left(self) -> Decimal:
        """Shares still to trade; of a notional order those that are expected."""
        return max((self.bound_shares if self.qty is None else self.qty) - self.filled, NOTHING)

    @property
    def stop_price(self) -> Decimal | None:
        """Where its stop stands now, dollars per share."""
        return self.stop if self.request.type is OrderType.TRAILING_STOP else self.request.stop_price

    @property
    def is_exit(self) -> bool:
        """Whether it belongs to a position by construction: a leg, or an order of class oco."""
        return self.parent is not None or self.request.order_class is OrderClass.OCO

    def when(self, event: OrderEvent) -> datetime | None:
        """The first time that this happened to it, UTC."""
        return next((update.at for update in self.updates if update.event is event), None)
