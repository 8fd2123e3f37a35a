"""The orders to which something may still happen, by symbol, and what they bind."""

from collections import defaultdict
from decimal import Decimal

from tandem.market import Side
from tandem.matching.request import OrderClass, OrderType
from tandem.matching.ticket import NOTHING, Status, Ticket

Contribution = tuple[str, Side, Decimal]
_PAIRED = (OrderClass.BRACKET, OrderClass.OCO)
_ENTRIES = (OrderClass.BRACKET, OrderClass.OTO)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


class OpenOrders:
    """Open tickets with running sums, so that neither a minute nor an order costs more the more are open.

    Attributes:
        dollars: of buying power bound by all of them.
        evening: those that may fill outside the session, by client order id.
    """

    def __init__(self) -> None:
        self.dollars = NOTHING
        self.evening: dict[str, Ticket] = {}
        self._sides: dict[tuple[str, Side], dict[str, Ticket]] = {}
        self._shares: dict[tuple[str, Side], Decimal] = defaultdict(Decimal)

    def __bool__(self) -> bool:
        return bool(self._sides)

    def keep(self, ticket: Ticket, before: Ticket | None) -> None:
        """Take in how a ticket stands now, `before` being how it stood."""
        if before is not None and before.is_open:
            self._count(before, -1)
        if ticket.is_open:
            self._count(ticket, 1)
            self._sides.setdefault((ticket.symbol, ticket.side), {})[ticket.client_order_id] = ticket
            if ticket.request.extended_hours:
                self.evening[ticket.client_order_id] = ticket
        else:
            self._drop(ticket)

    def symbols(self) -> list[str]:
        """Symbols with open orders, in alphabetical order."""
        return sorted({symbol for symbol, _ in self._sides})

    def of(self, symbol: str) -> list[Ticket]:
        """Open tickets of a symbol, oldest first."""
        found = (ticket for side in Side for ticket in self._sides.get((symbol, side), {}).values())
        return sorted(found, key=lambda ticket: ticket.number)

    def all(self) -> list[Ticket]:
        """Every open ticket, oldest first."""
        found = (ticket for tickets in self._sides.values() for ticket in tickets.values())
        return sorted(found, key=lambda ticket: ticket.number)

    def against(self, symbol: str, side: Side) -> list[Ticket]:
        """Open tickets of a symbol on the other side, oldest first."""
        return sorted(self._sides.get((symbol, side.opposite), {}).values(), key=lambda ticket: ticket.number)

    def shares(self, symbol: str, side: Side) -> Decimal:
        """Shares that open orders on one side bind; two legs of which only one can fill count once."""
        return self._shares.get((symbol, side), NOTHING)

    def _drop(self, ticket: Ticket) -> None:
        self.evening.pop(ticket.client_order_id, None)
        key = (ticket.symbol, ticket.side)
        tickets = self._sides.get(key, {})
        if tickets.pop(ticket.client_order_id, None) is not None and not tickets:
            del self._sides[key]

    def _count(self, ticket: Ticket, sign: int) -> None:
        self.dollars += sign * dollars(ticket)
        for symbol, side, shares in _binds(ticket):
            self._shares[symbol, side] += sign * shares


def dollars(ticket: Ticket) -> Decimal:
    """What an open ticket binds of the buying power."""
    if ticket.request.notional is not None and ticket.bound:
        return max(ticket.request.notional - ticket.spent, NOTHING)
    return ticket.bound * ticket.left


def own_shares(ticket: Ticket) -> Decimal:
    """What an open ticket binds on its own side."""
    return sum((shares for _, side, shares in _binds(ticket) if side is ticket.side), NOTHING)


def _binds(ticket: Ticket) -> list[Contribution]:
    found: list[Contribution] = []
    request, top = ticket.request, ticket.parent is None
    if ticket.status is not Status.HELD and not _second(ticket):
        found.append((ticket.symbol, ticket.side, ticket.left))
    if top and request.order_class in _ENTRIES and ticket.filled:
        found.append((ticket.symbol, ticket.side.opposite, ticket.filled))  # its legs are still to sell them
    return found


def _second(ticket: Ticket) -> bool:
    request = ticket.request
    return ticket.parent is not None and request.order_class in _PAIRED and request.type in _STOPS
