"""What a replacement may change of an open order, in Alpaca's words."""

from dataclasses import replace
from decimal import Decimal

from tandem.matching.form import LASTING, apart, is_long, normal, well_formed
from tandem.matching.rejection import malformed, unprocessable
from tandem.matching.request import Changes, OrderClass, OrderType, Request
from tandem.matching.ticket import NOTHING, Status, Ticket

_NOT_SENT = (Status.ACCEPTED, Status.PENDING_NEW)


def replaceable(ticket: Ticket, changes: Changes) -> None:
    """Let a replacement pass that its order allows.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    if not ticket.is_open:
        raise unprocessable("unable to replace order, order is not open")
    if ticket.status in _NOT_SENT:
        raise malformed("unable to replace order, order isn't sent to exchange yet")
    if ticket.qty is None:
        raise unprocessable("notional orders cannot be replaced")
    _only_prices(ticket, changes)
    if changes.qty is not None and changes.qty <= ticket.filled:
        raise unprocessable("unable to replace order, qty must be > filled_qty")
    if changes.time_in_force not in (None, ticket.request.time_in_force, *LASTING):
        raise unprocessable("time_in_force of a replacement must be DAY or GTC")


def _only_prices(ticket: Ticket, changes: Changes) -> None:
    group = ticket.request.order_class
    if group is OrderClass.SIMPLE:
        return
    if changes.qty not in (None, ticket.qty):
        raise unprocessable(f"qty of {group} orders cannot be replaced")
    if changes.time_in_force not in (None, ticket.request.time_in_force):
        raise unprocessable(f"time_in_force of {group} orders cannot be replaced")


def replaced(ticket: Ticket, changes: Changes, name: str, sibling: Ticket | None) -> Request:
    """What the new order asks for: the old one's terms with the changes.

    Args:
        ticket: the order as it stands.
        changes: what is to be different.
        name: the new client order id.
        sibling: the other leg of the same pair.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    old = ticket.request
    request = replace(
        old,
        client_order_id=name,
        qty=changes.qty or (old.qty if ticket.is_exit else ticket.qty),
        time_in_force=changes.time_in_force or old.time_in_force,
        limit_price=old.limit_price if changes.limit_price is None else changes.limit_price,
        stop_price=old.stop_price if changes.stop_price is None else changes.stop_price,
        take_profit=old.take_profit
        if old.order_class is not OrderClass.OCO
        else changes.limit_price or old.take_profit,
    )
    request = _trailed(request, changes.trail)
    well_formed(normal(request), leg=ticket.parent is not None)
    _beside(request, ticket, sibling)
    return request


def _trailed(request: Request, trail: Decimal | None) -> Request:
    if trail is None:
        return request
    if request.type is not OrderType.TRAILING_STOP:
        raise unprocessable("only trailing stop orders have a trail")
    if request.trail_percent is not None:
        return replace(request, trail_percent=trail)
    return replace(request, trail_price=trail)


def _beside(request: Request, ticket: Ticket, sibling: Ticket | None) -> None:
    if sibling is None:
        return
    profit, loss = (request, sibling.request) if request.type is OrderType.LIMIT else (sibling.request, request)
    whole = replace(request, side=request.side.opposite) if ticket.parent is not None else request
    long = is_long(replace(whole, order_class=OrderClass.BRACKET)) if ticket.parent is not None else is_long(request)
    apart(long, profit.limit_price or NOTHING, loss.stop_price or NOTHING)
