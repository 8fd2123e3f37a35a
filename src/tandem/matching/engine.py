"""The matching engine: orders and bars in, events out."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid5

from tandem.config import CostSettings
from tandem.market import Account, Bar, Order, OrderEvent, OrderUpdate, Position, Side, World, price
from tandem.matching.admission import Standing, admit, collared
from tandem.matching.costs import fill_price
from tandem.matching.ledger import Ledger
from tandem.matching.rejection import malformed, unknown, unprocessable
from tandem.matching.request import Request
from tandem.matching.ticket import Ticket

ORDERS: Final = UUID("5f1c8d3e-94c1-5b7a-8f0a-6f6f2f0b9d02")
EXECUTIONS: Final = UUID("8d0f3a52-6a0c-5b0e-9a68-3a9c1f6b7e21")


class Engine:
    """One account and its open orders: a state machine without time or I/O of its own.

    An order accepted at T fills on the first bar of its symbol that starts at or after T and has volume,
    at the bar's open plus or minus its costs; what is left at the session's close expires.

    Args:
        world: the timeline the account lives on; execution ids derive from it.
        cash: dollars at the start.
        costs: spread, impact and commission charged on every fill.
    """

    def __init__(self, world: World, cash: Decimal, costs: CostSettings) -> None:
        self.world = world
        self.ledger = Ledger(cash)
        self._costs = costs
        self._tickets: dict[str, Ticket] = {}
        self._open: dict[str, Ticket] = {}

    def submit(self, order: Order, at: datetime) -> list[OrderUpdate]:
        """Take an order at market time `at`.

        Raises:
            Rejected: a BrokerError with Alpaca's text.
        """
        if order.client_order_id in self._tickets:
            raise malformed("client_order_id must be unique")
        admit(order, self._standing(order))
        ticket = Ticket(
            request=Request.market(order),
            id=self.order_id(order.client_order_id),
            number=len(self._tickets) + 1,
            accepted=at,
            since=at,
            qty=order.qty,
        )
        return [self._note(ticket, OrderEvent.NEW, at)]

    def cancel(self, client_order_id: str, at: datetime) -> list[OrderUpdate]:
        """Take an open order off the book.

        Raises:
            Rejected: an unknown order, or one to which nothing more can happen.
        """
        ticket = self._tickets.get(client_order_id)
        if ticket is None:
            raise unknown(f"order not found for {client_order_id}")
        if not ticket.is_open:
            raise unprocessable(f'order is already in "{status_of(ticket)}" state')
        return [self._note(ticket, OrderEvent.CANCELED, at)]

    def on_bars(self, bars: Sequence[Bar]) -> list[OrderUpdate]:
        """Fill what waits, then mark the holdings: the bars of one minute, sorted by symbol."""
        updates = [update for bar in bars for update in self._fill(bar)]
        self.ledger.closes.update((bar.symbol, price(bar.close)) for bar in bars)
        return updates

    def on_close(self, at: datetime) -> list[OrderUpdate]:
        """Expire the orders of the session that closes at `at`."""
        return [self._note(ticket, OrderEvent.EXPIRED, at) for ticket in self._waiting() if ticket.accepted < at]

    def account(self) -> Account:
        """The account at the last closes."""
        return self.ledger.account(self._reserved())

    def positions(self) -> dict[str, Position]:
        """What is held, by symbol."""
        return self.ledger.positions()

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, None where it was never taken."""
        ticket = self._tickets.get(client_order_id)
        return None if ticket is None else list(ticket.updates)

    def ticket(self, client_order_id: str) -> Ticket | None:
        """One order with its events."""
        return self._tickets.get(client_order_id)

    def tickets(self) -> list[Ticket]:
        """Every order ever taken, oldest first."""
        return list(self._tickets.values())

    def order_id(self, client_order_id: str) -> UUID:
        """The broker's own id of an order."""
        return uuid5(ORDERS, f"{self.world}/{client_order_id}")

    def resting(self, symbol: str, side: Side) -> Decimal:
        """Shares in open orders on one side of a symbol."""
        return sum((t.left for t in self._resting(symbol, side)), Decimal(0))

    def _resting(self, symbol: str, side: Side) -> list[Ticket]:
        return [t for t in self._open.values() if (t.symbol, t.side) == (symbol, side)]

    def _standing(self, order: Order) -> Standing:
        against = self._resting(order.symbol, order.side.opposite)
        return Standing(
            held=self.ledger.held(order.symbol),
            resting=self.resting(order.symbol, order.side),
            opposite=str(self.order_id(against[0].order.client_order_id)) if against else None,
            close=self.ledger.closes.get(order.symbol),
            account=self.account(),
        )

    def _reserved(self) -> Decimal:
        opening = (_order(t) for t in self._open.values() if self.ledger.held(t.symbol) * t.side.sign >= 0)
        return sum((collared(order, self.ledger.closes.get(order.symbol, Decimal(0))) for order in opening), Decimal(0))

    def _waiting(self) -> list[Ticket]:
        return list(self._open.values())

    def _fill(self, bar: Bar) -> list[OrderUpdate]:
        if not bar.volume:
            return []
        due = [t for t in self._waiting() if t.order.symbol == bar.symbol and t.accepted <= bar.start]
        return [self._execute(ticket, bar) for ticket in due]

    def _execute(self, ticket: Ticket, bar: Bar) -> OrderUpdate:
        order, qty = ticket.order, ticket.left
        paid = fill_price(bar, order.side, qty, self._costs)
        self.ledger.trade(order.symbol, order.side.sign * qty, paid, self._costs.commission_per_share * qty)
        return self._note(ticket, OrderEvent.FILL, bar.start, qty, paid)

    def _note(
        self, ticket: Ticket, event: OrderEvent, at: datetime, qty: Decimal | None = None, paid: Decimal | None = None
    ) -> OrderUpdate:
        order = ticket.order
        update = OrderUpdate(
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            event=event,
            at=at,
            execution_id=self._execution_id(ticket) if event.is_execution else None,
            qty=qty,
            price=paid,
        )
        self._keep(ticket.then(update, self.ledger.held(order.symbol) if event.is_execution else None))
        return update

    def _execution_id(self, ticket: Ticket) -> str:
        count = sum(update.event.is_execution for update in ticket.updates)
        return str(uuid5(EXECUTIONS, f"{self.world}/{ticket.order.client_order_id}/{count + 1}"))

    def _keep(self, ticket: Ticket) -> None:
        id = ticket.order.client_order_id
        self._tickets[id] = ticket
        if ticket.is_open:
            self._open[id] = ticket
        else:
            self._open.pop(id, None)


def status_of(ticket: Ticket) -> str:
    """Alpaca's name for where the order stands."""
    return ticket.status.value


def _order(ticket: Ticket) -> Order:
    return Order(ticket.client_order_id, ticket.symbol, ticket.side, ticket.left)
