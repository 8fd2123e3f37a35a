"""Alpaca's trading REST over a paper account."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.market import NEW_YORK, Calendar, Order, OrderUpdate, Session, Side
from tandem.matching import Rejected, Ticket, malformed, unknown, unprocessable
from tandem.recycler.keys import Keys
from tandem.recycler.paper import Paper, asset

MOST_ORDERS: Final = 500
FEWEST: Final = datetime.min.replace(tzinfo=UTC)
UNAUTHORIZED: Final = {"code": 40110000, "message": "unauthorized."}

Answer = Callable[[Request], Awaitable[Response]]
Tell = Callable[[list[OrderUpdate]], None]


class OrderRequest(msgspec.Struct):
    """The body of `POST /v2/orders`: numbers or text for quantities, explicit nulls allowed."""

    symbol: str | None = None
    qty: Decimal | None = None
    notional: Decimal | None = None
    side: str | None = None
    type: str | None = None
    time_in_force: str | None = None
    client_order_id: str | None = None
    order_class: str | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool | None = None


class Trading:
    """The REST endpoints of one paper account.

    Args:
        paper: the account.
        keys: who is let in.
        tell: takes the order events that a request caused.
    """

    def __init__(self, paper: Paper, keys: Keys, tell: Tell) -> None:
        self._paper = paper
        self._replay = paper.replay
        self._keys = keys
        self._tell = tell
        self._calendar = Calendar()

    def routes(self) -> list[Route]:
        """Every endpoint, each behind the keys."""
        table: list[tuple[str, str, Answer]] = [
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/account/activities", self.activities),
            ("GET", "/v2/account/activities/{kind}", self.activities),
            ("POST", "/v2/orders", self.submit),
            ("GET", "/v2/orders", self.orders),
            ("DELETE", "/v2/orders", self.cancel_all),
            ("GET", "/v2/orders:by_client_order_id", self.order_by_client_id),
            ("GET", "/v2/orders/{id}", self.order),
            ("DELETE", "/v2/orders/{id}", self.cancel),
            ("GET", "/v2/positions", self.positions),
            ("GET", "/v2/positions/{name}", self.position),
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/calendar", self.calendar),
            ("GET", "/v2/assets", self.assets),
            ("GET", "/v2/assets/{name}", self.asset),
        ]
        return [Route(path, self._guarded(answer), methods=[method]) for method, path, answer in table]

    async def account(self, _: Request) -> Response:
        """Cash, equity, buying power."""
        return reply(self._paper.account())

    async def submit(self, request: Request) -> Response:
        """Take a market order for the day."""
        try:
            asked = msgspec.json.decode(await request.body(), type=OrderRequest)
        except msgspec.DecodeError as error:
            raise malformed(f"request body format is invalid: {error}") from error
        order = order_of(asked)
        self._tell(self._replay.submit(order))
        status = "pending_new" if self._paper.is_open else "accepted"
        return reply(self._paper.order(self._ticket(order.client_order_id), status))

    async def orders(self, request: Request) -> Response:
        """Orders, newest first unless asked otherwise."""
        return reply([self._paper.order(ticket) for ticket in self._listed(request)])

    async def order(self, request: Request) -> Response:
        """One order by its id."""
        return reply(self._paper.order(self._by_id(request.path_params["id"])))

    async def order_by_client_id(self, request: Request) -> Response:
        """One order by the id its sender gave it."""
        return reply(self._paper.order(self._ticket(request.query_params.get("client_order_id", ""))))

    async def cancel(self, request: Request) -> Response:
        """Take one order back."""
        ticket = self._by_id(request.path_params["id"])
        self._tell(self._replay.cancel(ticket.order.client_order_id))
        return Response(status_code=204)

    async def cancel_all(self, _: Request) -> Response:
        """Take every open order back."""
        answers = []
        for ticket in self._replay.engine.tickets():
            if ticket.is_open:
                self._tell(self._replay.cancel(ticket.order.client_order_id))
                body = self._paper.order(self._ticket(ticket.order.client_order_id))
                answers.append({"id": body["id"], "status": 200, "body": body})
        return reply(answers, 207)

    async def positions(self, _: Request) -> Response:
        """Everything held."""
        return reply(self._paper.positions())

    async def position(self, request: Request) -> Response:
        """What is held of one symbol."""
        position = self._paper.position(request.path_params["name"])
        if position is None:
            raise unknown("position does not exist")
        return reply(position)

    async def activities(self, request: Request) -> Response:
        """Executions, newest first unless asked otherwise."""
        if request.path_params.get("kind", "FILL") != "FILL":
            return reply([])
        asked = request.query_params
        after, until = _moment(asked.get("after")) or FEWEST, _moment(asked.get("until"))
        found = [a for a in self._paper.activities() if after < a["transaction_time"] and _by(a, until)]
        if asked.get("direction", "desc") != "asc":
            found.reverse()
        ids = [activity["id"] for activity in found]
        first = ids.index(asked["page_token"]) + 1 if asked.get("page_token") in ids else 0
        return reply(found[first : first + _limit(asked.get("page_size"), 100, 100)])

    async def clock(self, _: Request) -> Response:
        """Market time of the replay, in New York."""
        now = self._replay.time
        session = self._next_session(now)
        opens = session if now < session.open else self._calendar.after(session.day)
        return reply(
            {
                "timestamp": now.astimezone(NEW_YORK),
                "is_open": self._paper.is_open,
                "next_open": opens.open.astimezone(NEW_YORK),
                "next_close": session.close.astimezone(NEW_YORK),
            }
        )

    async def calendar(self, request: Request) -> Response:
        """Trading days; the reel's years where no dates are asked for."""
        today = self._replay.act.session.day
        first = _day(request.query_params.get("start")) or date(today.year, 1, 1)
        last = _day(request.query_params.get("end")) or date(today.year, 12, 31)
        return reply([_calendar_day(session) for session in self._replay.timeline.sessions(first, last)])

    async def assets(self, _: Request) -> Response:
        """Every symbol on the reel."""
        return reply([asset(symbol) for symbol in self._replay.reel.symbols])

    async def asset(self, request: Request) -> Response:
        """One symbol, by its name or id."""
        name = request.path_params["name"]
        for known in map(asset, self._replay.reel.symbols):
            if name in (known["symbol"], known["id"]):
                return reply(known)
        raise unknown(f"asset not found for {name}")

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: Request) -> Response:
            if not self._keys.accept_headers(request.headers):
                return reply(UNAUTHORIZED, 401)
            try:
                return await answer(request)
            except Rejected as rejected:
                return refusal(rejected)

        return guarded

    def _ticket(self, client_order_id: str) -> Ticket:
        ticket = self._replay.engine.ticket(client_order_id)
        if ticket is None:
            raise unknown(f"order not found for {client_order_id}")
        return ticket

    def _by_id(self, id: str) -> Ticket:
        for ticket in self._replay.engine.tickets():
            if self._paper.order_id(ticket) == id:
                return ticket
        raise unknown(f"order not found for {id}")

    def _listed(self, request: Request) -> Iterable[Ticket]:
        asked = request.query_params
        status = asked.get("status", "open")
        symbols = set(filter(None, asked.get("symbols", "").split(",")))
        after, until = _moment(asked.get("after")) or FEWEST, _moment(asked.get("until"))
        found = [
            ticket
            for ticket in self._replay.engine.tickets()
            if (status == "all" or ticket.is_open == (status == "open"))
            and (not symbols or ticket.order.symbol in symbols)
            and asked.get("side", ticket.order.side) == ticket.order.side
            and after < ticket.accepted
            and (until is None or ticket.accepted < until)
        ]
        if asked.get("direction", "desc") != "asc":
            found.reverse()
        return found[: _limit(asked.get("limit"), 50, MOST_ORDERS)]

    def _next_session(self, now: datetime) -> Session:
        today = self._calendar.session(now.astimezone(NEW_YORK).date())
        if today is not None and now < today.close:
            return today
        return self._calendar.after(now.astimezone(NEW_YORK).date())


def order_of(asked: OrderRequest) -> Order:
    """The order that a request means.

    Raises:
        Rejected: in Alpaca's words.
    """
    if asked.qty is None:
        raise malformed("qty or notional is required") if asked.notional is None else _unsupported("notional orders")
    if asked.notional is not None:
        raise malformed("only one of qty or notional is accepted")
    if not asked.symbol:
        raise malformed("symbol is required")
    if asked.side not in list(Side):
        raise malformed(f"invalid side: {asked.side}")
    _market_day(asked)
    return Order(asked.client_order_id or str(uuid4()), asked.symbol, Side(asked.side), asked.qty)


def _market_day(asked: OrderRequest) -> None:
    if asked.type != "market":
        raise _unsupported(f"{asked.type} orders")
    if asked.limit_price is not None or asked.stop_price is not None:
        raise malformed("market orders require no stop or limit price")
    if asked.extended_hours:
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if asked.time_in_force != "day":
        raise _unsupported(f"market orders with time in force {asked.time_in_force}")
    if asked.order_class not in (None, "", "simple"):
        raise _unsupported(f"{asked.order_class} orders")


def _unsupported(what: str) -> Rejected:
    return unprocessable(f"the recycler does not take {what}, only market orders for the day")


def reply(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def refusal(rejected: Rejected) -> Response:
    """Alpaca's error body, with its HTTP status."""
    return reply({"code": rejected.code, "message": rejected.what, **rejected.details}, rejected.status)


def _calendar_day(session: Session) -> dict[str, str]:
    return {
        "date": session.day.isoformat(),
        "open": f"{session.open.astimezone(NEW_YORK):%H:%M}",
        "close": f"{session.close.astimezone(NEW_YORK):%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": Calendar().after(session.day).day.isoformat(),
    }


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise unprocessable(f"invalid time: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(text: str | None) -> date | None:
    moment = _moment(text)
    return None if moment is None else moment.date()


def _by(activity: dict[str, Any], until: datetime | None) -> bool:
    return until is None or bool(activity["transaction_time"] < until)


def _limit(text: str | None, usual: int, most: int) -> int:
    if not text:
        return usual
    if not text.isdigit() or not 0 < int(text) <= most:
        raise unprocessable(f"invalid limit: {text}")
    return int(text)
