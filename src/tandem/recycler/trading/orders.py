"""`/v2/orders`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count, islice
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import OrderUpdate, Side
from tandem.matching import Rejected, Ticket, unknown, unprocessable
from tandem.recycler.rest.answer import error_body, nothing, reply
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.assets import Assets
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import id_of
from tandem.recycler.trading.order import Shown
from tandem.recycler.trading.order_form import changes_of, request_of

MOST: Final = 500
USUAL: Final = 50
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


class Standing(StrEnum):
    """Which orders a list holds."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Direction(StrEnum):
    """How a list is sorted by time."""

    ASC = "asc"
    DESC = "desc"


class Orders:
    """Sending, changing, cancelling and listing orders."""

    def __init__(self, broker: Broker, assets: Assets, shown: Shown) -> None:
        self._broker = broker
        self._assets = assets
        self._shown = shown
        self._numbers = count(len(broker.replay.engine.tickets()))

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [
            ("POST", "/v2/orders", self.submit),
            ("GET", "/v2/orders", self.orders),
            ("DELETE", "/v2/orders", self.cancel_all),
            ("GET", "/v2/orders:by_client_order_id", self.order_by_client_id),
            ("GET", "/v2/orders/{id}", self.order),
            ("PATCH", "/v2/orders/{id}", self.replace),
            ("DELETE", "/v2/orders/{id}", self.cancel),
        ]

    async def submit(self, request: Request) -> Response:
        """Take an order; answered when it is durable."""
        asked = request_of(await Asked.body(request), self.new_name())
        if asked.symbol not in self._broker.replay.reel.symbols:
            await self._broker.listing.known()
        updates = self._broker.submit(asked)
        return await self._taken(asked.client_order_id, updates)

    async def replace(self, request: Request) -> Response:
        """Put a changed order, with an id of its own, in the place of an open one."""
        asked = await Asked.body(request)
        ticket = self._by_id(request.path_params["id"])
        updates = self._broker.replace(ticket, changes_of(asked))
        replaced = self._broker.ticket(ticket.client_order_id)
        return await self._taken((replaced or ticket).replaced_by or ticket.client_order_id, updates)

    async def orders(self, request: Request) -> Response:
        """Orders, newest first unless asked otherwise."""
        asked = Asked.query(request)
        nested = bool(asked.flag("nested"))
        tickets = list(self._listed(asked, nested))
        symbols = {ticket.symbol for ticket in tickets}
        return reply([self._shown.order(t, nested=nested) for t in tickets], headers=self._assets.proxies(symbols))

    async def order(self, request: Request) -> Response:
        """One order by its id."""
        return self._told(self._by_id(request.path_params["id"]), Asked.query(request))

    async def order_by_client_id(self, request: Request) -> Response:
        """One order by the id its sender gave it."""
        asked = Asked.query(request)
        return self._told(self.named(asked.text("client_order_id") or ""), asked)

    async def cancel(self, request: Request) -> Response:
        """Take one order back."""
        await self._broker.commit(self._broker.cancel(self._by_id(request.path_params["id"])))
        return nothing()

    async def cancel_all(self, _: Request) -> Response:
        """Take every open order back."""
        told, updates = self.cancelled()
        await self._broker.commit(updates)
        return reply(told, 207)

    def cancelled(self) -> tuple[list[dict[str, Any]], list[OrderUpdate]]:
        """Every open order is taken back: what to answer for each, and what happened."""
        tickets = self._broker.open_tickets()
        updates: list[OrderUpdate] = []
        return [self._cancelled(ticket, updates) for ticket in tickets], updates

    def new_name(self) -> str:
        """The identity of an order whose sender gave it none; the same at the same place of the same replay."""
        names = (id_of(f"{self._broker.replay.engine.world}/order/{number}") for number in self._numbers)
        return next(name for name in names if self._broker.ticket(name) is None)

    def _cancelled(self, ticket: Ticket, updates: list[OrderUpdate]) -> dict[str, Any]:
        if (self._broker.ticket(ticket.client_order_id) or ticket).is_open:
            try:
                updates += self._broker.cancel(ticket)
            except Rejected as rejected:
                return {"id": str(ticket.id), "status": rejected.status, "body": error_body(rejected)}
        now = self._broker.ticket(ticket.client_order_id) or ticket
        return {"id": str(ticket.id), "status": 200, "body": self._shown.order(now, nested=False)}

    async def _taken(self, client_order_id: str, updates: Sequence[OrderUpdate]) -> Response:
        ticket = self.named(client_order_id)
        answer = reply(self._shown.taken(ticket), headers=self._assets.proxies([ticket.symbol]))
        await self._broker.commit(updates)
        return answer

    def _told(self, ticket: Ticket, asked: Asked) -> Response:
        nested = asked.flag("nested")
        body = self._shown.order(ticket, nested=nested is not False)
        return reply(body, headers=self._assets.proxies([ticket.symbol]))

    def named(self, client_order_id: str) -> Ticket:
        """One order by the id its sender gave it.

        Raises:
            Rejected: 404, there is none.
        """
        ticket = self._broker.ticket(client_order_id)
        if ticket is None:
            raise unknown(f"order not found for {client_order_id}")
        return ticket

    def _by_id(self, id: str) -> Ticket:
        try:
            ticket = self._broker.replay.engine.ticket_by_id(UUID(id))
        except ValueError as error:
            raise unprocessable(f"order id is not a UUID: {id[:100]}") from error
        if ticket is None:
            raise unknown(f"order not found for {id}")
        return ticket

    def _listed(self, asked: Asked, nested: bool) -> Iterator[Ticket]:
        limit = asked.whole("limit", USUAL, MOST)
        found = filter(_within(asked, nested), self._between(asked))
        return islice(found, limit)

    def _between(self, asked: Asked) -> Iterable[Ticket]:
        first, last = self._number(asked, "after_order_id", 0), self._number(asked, "before_order_id", 1 << 62)
        open_only = asked.word("status", Standing) in (None, Standing.OPEN)
        known = self._broker.open_tickets() if open_only else self._broker.replay.engine.tickets()
        tickets = [ticket for ticket in known if first < ticket.number < last]
        return tickets if asked.word("direction", Direction) is Direction.ASC else reversed(tickets)

    def _number(self, asked: Asked, name: str, usual: int) -> int:
        id = asked.text(name)
        return usual if id is None else self._by_id(id).number


class _within:  # noqa: N801 - reads as the question it answers
    def __init__(self, asked: Asked, nested: bool) -> None:
        self._standing = asked.word("status", Standing) or Standing.OPEN
        self._symbols = set(asked.names("symbols") or ())
        self._side = asked.word("side", Side)
        self._class = asked.text("asset_class") or "us_equity"
        self._after, self._until = asked.moment("after") or BEGINNING, asked.moment("until") or END
        self._nested = nested

    def __call__(self, ticket: Ticket) -> bool:
        return (
            (self._standing is Standing.ALL or ticket.is_open == (self._standing is Standing.OPEN))
            and (not self._symbols or ticket.symbol in self._symbols)
            and self._side in (None, ticket.side)
            and "us_equity" in self._class
            and self._after < ticket.accepted < self._until
            and not (self._nested and ticket.parent is not None)
        )
