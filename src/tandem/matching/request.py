"""What a client asks a broker for."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from tandem.market import Order, Side


class OrderType(StrEnum):
    """At which prices an order may fill."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order may wait."""

    DAY = "day"
    GTC = "gtc"
    OPG = "opg"
    CLS = "cls"
    IOC = "ioc"
    FOK = "fok"


class OrderClass(StrEnum):
    """How orders hang together."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


@dataclass(frozen=True, slots=True)
class StopLoss:
    """The leg that ends a loss: dollars per share; a stop-limit order where `limit_price` is given."""

    stop_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An order as its sender described it, in Alpaca's terms; nothing is checked yet.

    Attributes:
        client_order_id: the sender's identity of the order.
        qty: shares, positive.
        notional: dollars instead of shares.
        limit_price, stop_price: dollars per share, for the types that have them.
        trail_price, trail_percent: distance of a trailing stop in dollars or percent.
        extended_hours: may fill before the open and after the close.
        take_profit: limit price of the leg that takes the profit.
        stop_loss: the leg that ends a loss.
    """

    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal | None = None
    notional: Decimal | None = None
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None

    @classmethod
    def market(cls, order: Order) -> Self:
        """The request that a desk's order means: at the market, for the day."""
        return cls(client_order_id=order.client_order_id, symbol=order.symbol, side=order.side, qty=order.qty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a replacement changes of an open order; None leaves a thing as it is."""

    client_order_id: str | None = None
    qty: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
