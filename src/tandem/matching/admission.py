"""The rules an order passes before the broker takes it, in Alpaca's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from tandem.market import Account, Session, Side, plain
from tandem.matching.form import SHARE_STEP, is_fractional, is_long
from tandem.matching.rejection import Rejected, forbidden, unprocessable
from tandem.matching.request import OrderClass, OrderType, Request, TimeInForce
from tandem.matching.ticket import NOTHING, Ticket

SHORT_COLLAR: Final = Decimal("1.03")
CENT: Final = Decimal("0.01")
REOPENS: Final = timedelta(hours=3)
OPG_LEAD: Final = timedelta(minutes=2)
CLS_LEAD: Final = timedelta(minutes=10)
_LIMITS: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account has in an order's symbol when the order arrives.

    Attributes:
        held: shares, negative when short.
        resting: shares bound by open orders on the same side.
        against: open orders on the other side, oldest first.
        close: the last close, dollars per share; None before the first bar.
        account: cash, equity and what may still be spent.
    """

    held: Decimal
    resting: Decimal
    against: Sequence[Ticket]
    close: Decimal | None
    account: Account


@dataclass(frozen=True, slots=True)
class Bound:
    """What an order binds until it has filled.

    Attributes:
        dollars: of buying power for each share; zero where the order closes a position.
        shares: that it is expected to trade.
    """

    dollars: Decimal
    shares: Decimal


def admit(request: Request, standing: Standing) -> Bound:
    """Let a well-formed order pass: the one place where the account says yes or no.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    shares = _shares(request, standing.close)
    closes = standing.held * request.side.sign < 0
    _in_place(request, closes)
    _legs_around(request, standing.close)
    _no_wash_trade(request, standing)
    if closes:
        _closes(request, shares, standing)
        return Bound(NOTHING, shares)
    return Bound(_opens(request, shares, standing), shares)


def in_window(
    request: Request, at: datetime, session: Session | None, upcoming: Session | None, closed: datetime | None
) -> None:
    """Let orders for the auctions pass at the hours at which the exchange takes them.

    Counted from the session's own open and close, so that a half day and a shifted one have their windows too.

    Args:
        session: the one that `at` lies in.
        upcoming: the next one, where it is known.
        closed: the last close, where there was one.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    evening = session is None and closed is not None and at < closed + REOPENS
    if request.time_in_force is TimeInForce.OPG and (
        evening or session is not None or (upcoming is not None and at >= upcoming.open - OPG_LEAD)
    ):
        raise forbidden("opg orders must be submitted after 7:00pm and before 9:28am")
    if request.time_in_force is TimeInForce.CLS and (
        evening or (session is not None and at >= session.close - CLS_LEAD)
    ):
        raise forbidden("cls orders must be submitted after 7:00pm and before 3:50pm")


def _shares(request: Request, close: Decimal | None) -> Decimal:
    if request.qty is not None:
        return request.qty
    if request.notional is None or close is None:
        return NOTHING
    return (request.notional / close).quantize(SHARE_STEP, ROUND_DOWN)


def _in_place(request: Request, closes: bool) -> None:
    if closes and request.order_class in (OrderClass.BRACKET, OrderClass.OTO):
        raise unprocessable(f"{request.order_class} orders must be entry orders")
    if not closes and request.order_class is OrderClass.OCO:
        raise unprocessable("oco orders must be exit orders")


def _legs_around(request: Request, close: Decimal | None) -> None:
    base = close if request.limit_price is None or request.order_class is OrderClass.OCO else request.limit_price
    if request.order_class is OrderClass.SIMPLE or base is None:
        return
    sign = 1 if is_long(request) else -1
    if request.stop_loss is not None and (base - request.stop_loss.stop_price) * sign < CENT:
        raise _too_near("stop_loss.stop_price", -sign, base)
    if request.take_profit is not None and (request.take_profit - base) * sign < CENT:
        raise _too_near("take_profit.limit_price", sign, base)


def _too_near(name: str, sign: int, base: Decimal) -> Rejected:
    bound = ">= base_price + 0.01" if sign > 0 else "<= base_price - 0.01"
    return unprocessable(f"{name} must be {bound}", base_price=base)


def _no_wash_trade(request: Request, standing: Standing) -> None:
    if _exempt(request):
        return
    for ticket in standing.against:
        if not ticket.is_exit and not _exempt(ticket.request) and _meets(request, ticket.request):
            raise forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=str(ticket.id),
                reject_reason=f"opposite side {_kind(ticket.request)} order exists",
            )


def _exempt(request: Request) -> bool:
    return request.order_class is not OrderClass.SIMPLE or request.type is OrderType.TRAILING_STOP


def _meets(request: Request, resting: Request) -> bool:
    buy, sell = (request, resting) if request.side is Side.BUY else (resting, request)
    if buy.type not in _LIMITS or sell.type not in _LIMITS:
        return True
    return buy.limit_price is None or sell.limit_price is None or buy.limit_price >= sell.limit_price


def _kind(request: Request) -> str:
    return "limit" if request.type in _LIMITS else "market/stop"


def _closes(request: Request, shares: Decimal, standing: Standing) -> None:
    available = abs(standing.held) - standing.resting
    if shares > available:
        raise forbidden(
            f"insufficient qty available for order (requested: {plain(shares):f}, available: {plain(available):f})",
            available=available,
            existing_qty=standing.held,
            held_for_orders=standing.resting,
            symbol=request.symbol,
        )
    if request.side is Side.BUY:
        _whole(request)


def _opens(request: Request, shares: Decimal, standing: Standing) -> Decimal:
    if request.side is Side.SELL:
        _whole(request)
        if not standing.account.shorting_enabled:
            raise forbidden("account is not allowed to short")
    _one_direction(request, standing)
    each = _each(request, standing.close)
    basis = each * shares if request.notional is None else request.notional
    if basis > standing.account.buying_power:
        raise forbidden("insufficient buying power", buying_power=standing.account.buying_power, cost_basis=basis)
    return each


def _one_direction(request: Request, standing: Standing) -> None:
    if standing.held == 0 and any(not ticket.is_exit for ticket in standing.against):
        if request.side is Side.SELL:
            raise forbidden("cannot open a short sell while a long buy order is open")
        raise forbidden("cannot open a long buy while a short sell order is open")


def _each(request: Request, close: Decimal | None) -> Decimal:
    last = close or NOTHING
    if request.side is Side.SELL:
        return max(request.limit_price or request.stop_price or NOTHING, last * SHORT_COLLAR)
    return request.limit_price or max(request.stop_price or NOTHING, last)


def _whole(request: Request) -> None:
    if is_fractional(request):
        raise unprocessable("fractional orders cannot be sold short")
