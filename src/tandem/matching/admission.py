"""The rules an order passes before the broker takes it, in Alpaca's words."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tandem.market import Account, Order, Side
from tandem.matching.rejection import forbidden, malformed, unprocessable

SHARE_STEP: Final = Decimal("0.000000001")
SHORT_COLLAR: Final = Decimal("1.03")
LONGEST_ID: Final = 128


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account has in an order's symbol when the order arrives.

    Attributes:
        held: shares, negative when short.
        resting: shares in open orders on the same side.
        opposite: the broker's id of an open order on the other side, if any.
        close: the last close, dollars per share; None before the first bar.
        account: cash, equity and what may still be spent.
    """

    held: Decimal
    resting: Decimal
    opposite: str | None
    close: Decimal | None
    account: Account


def admit(order: Order, standing: Standing) -> None:
    """Let the order pass.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    _sound(order)
    _no_wash_trade(standing)
    if standing.held * order.side.sign < 0:
        _closes(order, standing)
    else:
        _opens(order, standing)


def collared(order: Order, close: Decimal) -> Decimal:
    """Dollars that an opening order binds until it has filled."""
    return order.qty * close * (SHORT_COLLAR if order.side is Side.SELL else 1)


def _sound(order: Order) -> None:
    if len(order.client_order_id) > LONGEST_ID:
        raise malformed(f"client_order_id must be no more than {LONGEST_ID} characters")
    if not order.qty.is_finite() or order.qty <= 0:
        raise malformed("qty must be > 0")
    if order.qty != order.qty.quantize(SHARE_STEP):
        raise malformed("qty must be limited to 9 decimal places")


def _no_wash_trade(standing: Standing) -> None:
    if standing.opposite is not None:
        raise forbidden(
            "potential wash trade detected. use complex orders",
            existing_order_id=standing.opposite,
            reject_reason="opposite side market/stop order exists",
        )


def _closes(order: Order, standing: Standing) -> None:
    available = abs(standing.held) - standing.resting
    if order.qty > available:
        raise forbidden(
            f"insufficient qty available for order (requested: {order.qty:f}, available: {available:f})",
            available=available,
            existing_qty=standing.held,
            held_for_orders=standing.resting,
            symbol=order.symbol,
        )
    if order.side is Side.BUY:
        _whole(order)


def _opens(order: Order, standing: Standing) -> None:
    if order.side is Side.SELL:
        _whole(order)
        if not standing.account.shorting_enabled:
            raise forbidden("account is not allowed to short")
    if standing.close is None:
        return
    basis = collared(order, standing.close)
    if basis > standing.account.buying_power:
        raise forbidden("insufficient buying power", buying_power=standing.account.buying_power, cost_basis=basis)


def _whole(order: Order) -> None:
    if order.qty != order.qty.to_integral_value():
        raise unprocessable("fractional orders cannot be sold short")
