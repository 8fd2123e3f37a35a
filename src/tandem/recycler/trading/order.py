"""One order in Alpaca's JSON."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tandem.market import OrderEvent, OrderUpdate
from tandem.matching import OrderClass, OrderType, Status, Ticket
from tandem.recycler.rest.answer import text, text_or_none
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import asset_id, id_of

CLASSES = (OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO)


class Shown:
    """Orders as Alpaca shows them, from a broker's tickets."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def order(self, ticket: Ticket, *, nested: bool = True, status: Status | None = None) -> dict[str, Any]:
        """An order where it stands.

        Args:
            ticket: the order.
            nested: show its legs within it.
            status: what to show instead of its own.
        """
        request, average = ticket.request, ticket.average_price
        return {
            "id": str(ticket.id),
            "client_order_id": ticket.client_order_id,
            "created_at": ticket.accepted,
            "updated_at": ticket.last.at,
            "submitted_at": ticket.accepted,
            "filled_at": ticket.when(OrderEvent.FILL),
            "expired_at": ticket.when(OrderEvent.EXPIRED),
            "expires_at": ticket.expires_at,
            "canceled_at": ticket.when(OrderEvent.CANCELED),
            "failed_at": ticket.when(OrderEvent.REJECTED),
            "replaced_at": ticket.when(OrderEvent.REPLACED),
            "replaced_by": self._id(ticket.replaced_by),
            "replaces": self._id(ticket.replaces),
            "asset_id": asset_id(ticket.symbol),
            "symbol": ticket.symbol,
            "asset_class": "us_equity",
            "notional": text_or_none(request.notional),
            "qty": None if request.notional is not None else text_or_none(ticket.qty),
            "filled_qty": text(ticket.filled),
            "filled_avg_price": text_or_none(average),
            "order_class": self._order_class(ticket),
            "order_type": request.type,
            "type": request.type,
            "side": request.side,
            "position_intent": None,
            "time_in_force": request.time_in_force,
            "limit_price": text_or_none(_limit_price(ticket)),
            "stop_price": text_or_none(ticket.stop_price),
            "status": status or ticket.status,
            "extended_hours": request.extended_hours,
            "legs": self._legs(ticket) if nested else None,
            "trail_percent": text_or_none(request.trail_percent),
            "trail_price": text_or_none(request.trail_price),
            "hwm": text_or_none(ticket.hwm),
            "ratio_qty": None,
            "subtag": None,
            "source": None,
        }

    def taken(self, ticket: Ticket) -> dict[str, Any]:
        """The answer to whoever sent the order: it is on its way."""
        arrived = Status.PENDING_NEW if self._broker.is_open else Status.ACCEPTED
        return self.order(ticket, status=ticket.status if ticket.status is Status.HELD else arrived)

    def trade_update(self, update: OrderUpdate) -> dict[str, Any]:
        """The streams' message of one order event, with the order as it stood right after it.

        Raises:
            LookupError: an order that the broker never took.
        """
        now = self._broker.ticket(update.client_order_id)
        if now is None:
            raise LookupError(update.client_order_id)
        ticket = just_after(now, update)
        message: dict[str, Any] = {
            "event": update.event,
            "execution_id": update.execution_id or id_of(f"{ticket.id}/{update.event}/{len(ticket.updates)}"),
            "order": self.order(ticket),
            "timestamp": update.at,
        }
        if update.qty is not None and update.price is not None and ticket.position is not None:
            execution = {"price": update.price, "qty": update.qty, "position_qty": ticket.position}
            message.update({name: text(value) for name, value in execution.items()})
        return message

    def _order_class(self, ticket: Ticket) -> str:
        parent = self._broker.ticket(ticket.parent) if ticket.parent else None
        order_class = (parent or ticket).request.order_class
        return order_class if order_class in CLASSES else ""

    def _legs(self, ticket: Ticket) -> list[dict[str, Any]] | None:
        legs = [leg for name in ticket.legs if (leg := self._broker.ticket(name))]
        return [self.order(leg, nested=False) for leg in legs] or None

    def _id(self, client_order_id: str | None) -> str | None:
        return None if client_order_id is None else str(self._broker.replay.engine.order_id(client_order_id))


def just_after(ticket: Ticket, update: OrderUpdate) -> Ticket:
    """The order as it was when that had happened to it and nothing else yet."""
    count = ticket.updates.index(update) + 1 if update in ticket.updates else len(ticket.updates)
    later = ticket.updates[count:]
    if not later:
        return ticket
    return replace(
        ticket,
        updates=ticket.updates[:count],
        numbers=ticket.numbers[:count],
        filled=ticket.filled - _sum(later, lambda qty, _: qty),
        spent=ticket.spent - _sum(later, lambda qty, price: qty * price),
        position=_position(ticket, later),
        replaced_by=None,
    )


def _position(ticket: Ticket, later: Sequence[OrderUpdate]) -> Decimal | None:
    if ticket.position is None:
        return None
    return ticket.position - ticket.side.sign * _sum(later, lambda qty, _: qty)


def _sum(updates: Sequence[OrderUpdate], share: Callable[[Decimal, Decimal], Decimal]) -> Decimal:
    executions = [(u.qty, u.price) for u in updates if u.qty is not None and u.price is not None]
    return sum((share(qty, price) for qty, price in executions), Decimal(0))


def _limit_price(ticket: Ticket) -> Decimal | None:
    request = ticket.request
    if request.limit_price is None and request.order_class is OrderClass.OCO and request.type is OrderType.LIMIT:
        return request.take_profit
    return request.limit_price
