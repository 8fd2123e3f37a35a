"""Orders and what becomes of them, as every broker here speaks of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other direction."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderEvent(StrEnum):
    """What a broker says of an order, in Alpaca's words."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    HELD = "held"

    @property
    def is_execution(self) -> bool:
        """Whether shares changed hands."""
        return self in (OrderEvent.PARTIAL_FILL, OrderEvent.FILL)

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in _FINAL


_FINAL = (OrderEvent.FILL, OrderEvent.REJECTED, OrderEvent.CANCELED, OrderEvent.EXPIRED, OrderEvent.REPLACED)


@dataclass(frozen=True, slots=True)
class Order:
    """A market order for the day, recorded before it is sent.

    Attributes:
        client_order_id: derived, never random; asking the broker for it says what became of it.
        symbol: ticker.
        side: buy or sell.
        qty: shares, positive; whole when it opens or adds to a short.
    """

    kind: ClassVar = "order"

    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One thing that happened to an order at the broker.

    Attributes:
        at: when, in market time, UTC.
        execution_id: identity of a fill; a broker may repeat it, a book counts it once.
        qty, price: shares and dollars per share of this execution alone, None otherwise.
        reason: the broker's words on a rejection.
    """

    client_order_id: str
    symbol: str
    side: Side
    event: OrderEvent
    at: datetime
    execution_id: str | None = None
    qty: Decimal | None = None
    price: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares that changed hands.

    Attributes:
        execution_id: the broker's identity of this execution.
        client_order_id: the order it belongs to.
        at: market time, UTC.
        qty: shares, positive.
        price: dollars per share, costs of crossing the spread included.
        reference: the open of the minute in which it filled: what it would have cost without
            spread and impact; equal to `price` where that minute's bar is unknown.
        fees: dollars charged beside the price.
    """

    kind: ClassVar = "fill"

    execution_id: str
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    at: datetime
    reference: Decimal
    fees: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """Dollars lost to spread, impact and fees."""
        return self.side.sign * (self.price - self.reference) * self.qty + self.fees


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol that the broker holds for the account; negative when short."""

    symbol: str
    qty: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """The broker's word on the account, in dollars."""

    cash: Decimal
    equity: Decimal
    buying_power: Decimal
    shorting_enabled: bool
