"""Order events as server-sent events: `/v2/events/trades`."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tandem.matching import unprocessable
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.event_log import EventLog, number_of

HEARTBEAT_SECONDS: Final = 15.0
HELLO: Final = b": connected\n\n"
HEARTBEAT: Final = b": heartbeat\n\n"


@dataclass(frozen=True, slots=True)
class Window:
    """Which events a client wants.

    Attributes:
        first: place in the log to begin at.
        last: number of the event to end with, None to go on.
        since, until: market time, both included; None for no bound.
    """

    first: int
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, at: datetime) -> bool:
        """Whether it holds an event of that moment."""
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


class Events:
    """The endpoint: what was told before where that is asked for, then whatever is told."""

    def __init__(self, broker: Broker, log: EventLog) -> None:
        self._broker = broker
        self._log = log

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [("GET", "/v2/events/trades", self.trades), ("GET", "/v2beta1/events/trades", self.trades)]

    async def trades(self, request: Request) -> Response:
        """An answer that lasts until the client leaves, or until what it asked for is over."""
        return EventStream(self._log, self._broker, self._window(Asked.query(request)))

    def _window(self, asked: Asked) -> Window:
        since, until = asked.moment("since"), asked.moment("until")
        after, last = _number(asked, "since_id"), _number(asked, "until_id")
        if since is None and after is None:
            if until is not None or last is not None:
                raise unprocessable("until needs since, and until_id needs since_id")
            return Window(len(self._log))
        return Window(0 if after is None else self._log.after(after), last, since, until)


class EventStream(Response):
    """Lines of `data: {json}`, each followed by an empty one; comments in between."""

    media_type = "text/event-stream"

    def __init__(self, log: EventLog, broker: Broker, window: Window) -> None:
        super().__init__(headers={"Cache-Control": "no-cache"})
        del self.headers["content-length"]
        self._log = log
        self._broker = broker
        self._window = window
        self._place = window.first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until either side has had enough."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await _say(send, HELLO)
        while True:
            for event in self._due():
                await _say(send, event)
            if self._is_over():
                await _say(send, b"", more=False)
                return
            before = len(self._log)
            await self._log.news(HEARTBEAT_SECONDS)
            if len(self._log) == before:
                await _say(send, HEARTBEAT)

    def _due(self) -> Iterator[bytes]:
        self._place = 0 if self._place > len(self._log) else self._place
        while self._place < len(self._log) and not self._is_past():
            place, self._place = self._place, self._place + 1
            if self._window.takes(self._log.update(place).at):
                yield self._log.event(place)

    def _is_past(self) -> bool:
        last = self._window.last
        return last is not None and self._place > 0 and self._log.number(self._place - 1) >= last

    def _is_over(self) -> bool:
        until = self._window.until
        return self._is_past() or (until is not None and self._broker.replay.time > until)


async def _say(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _number(asked: Asked, name: str) -> int | None:
    id: Any = asked.text(name)
    if id is None:
        return None
    number = number_of(id)
    if number is None:
        raise unprocessable(f"invalid {name}: {id[:100]}")
    return number
