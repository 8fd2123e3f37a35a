"""The market-data socket: one connection of a client that wants bars."""

import asyncio
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NoReturn

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from tandem.recycler.keys import Keys
from tandem.recycler.stream.frames import ALL, PLACEHOLDER, Edition, Frame, StatusMessage, Wanted
from tandem.recycler.stream.outbox import Delay, Lateness, Outbox
from tandem.recycler.stream.slots import Slots
from tandem.recycler.stream.websocket import EXTENSION, WebSocketProtocol
from tandem.recycler.stream.wire import Encoding, InvalidSyntax, error, success

FEEDS: Final = ("iex", "sip", "delayed_sip", "test")
TEST: Final = "test"
ALWAYS_TOLD: Final = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
CHANNELS: Final = (*ALWAYS_TOLD, "imbalances")
IN_ORDER: Final = ("trades", "quotes", "bars", "dailyBars", "updatedBars")
WITH_TRADES: Final = ("corrections", "cancelErrors")
SYMBOL: Final = re.compile(r"\*|[A-Z][A-Z0-9./\-]{0,31}")
AUTH_SECONDS: Final = 10.0
REFUSED_SECONDS: Final = 90.0
GOODBYE_SECONDS: Final = 1.0
TERMINAL: Final = (402, 404, 407, 409, 500)


@dataclass(slots=True)
class Terms:
    """What holds for every market-data connection.

    Attributes:
        keys: who is let in.
        delay: how late messages are on purpose.
        auth_seconds: how long a client may take to authenticate.
        refused_seconds: how long a client above the connection limit may go on asking.
        slots: how many connections there may be.
        symbol_limit: how many symbols a connection may want; None for any number.
        symbols: how many `*` means.
        is_shut: whether nobody is let in at a time of the event loop.
    """

    keys: Keys
    delay: Lateness = field(default_factory=Delay)
    auth_seconds: float = AUTH_SECONDS
    refused_seconds: float = REFUSED_SECONDS
    slots: Slots = field(default_factory=Slots)
    symbol_limit: int | None = None
    symbols: int = 0
    is_shut: Callable[[float], bool] = lambda _: False


class Refused(Exception):
    """What a client asked for and does not get."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class StockStream:
    """One client's connection: who it is, what it wants, and what is on its way to it.

    Attributes:
        number: no other connection has it.
        outbox: what is on its way.
        wanted: channel to symbols, in the order asked for.
    """

    _numbers = count(1)

    def __init__(self, socket: WebSocket, terms: Terms) -> None:
        self._socket = socket
        self._terms = terms
        self._encoding = Encoding.of(socket.headers)
        self._feed = socket.path_params.get("feed", FEEDS[0])
        self._has_slot = False
        self._hung_up = False
        self._line: WebSocketProtocol | None = socket.scope["extensions"].get(EXTENSION, {}).get("connection")
        self._wanted: dict[str, Wanted] = {}
        self.number = next(self._numbers)
        self.outbox = Outbox(self._send, terms.delay)
        self.wanted: dict[str, dict[str, None]] = {channel: {} for channel in CHANNELS}

    async def serve(self) -> None:
        """Speak with the client until it leaves or must leave."""
        await self._socket.accept()
        sender = asyncio.create_task(self.outbox.run())
        try:
            await self._speak()
        except (WebSocketDisconnect, ClientDisconnected, RuntimeError):
            pass
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            self._leave_slot()

    def publish(self, edition: Edition) -> None:
        """Send what the client wants of a minute."""
        for channel, symbols in self._wanted.items():
            for frame in edition.frames(self._encoding.binary, channel, symbols):
                self.outbox.put(frame)

    def announce(self, status: StatusMessage) -> None:
        """Tell of a halt or its end, where the client wants to know."""
        if self.wanted["statuses"].keys() & {status.symbol, ALL}:
            self._say([status])

    def wants(self, channel: str) -> bool:
        """Whether the client wants anything of a channel."""
        return bool(self.wanted[channel])

    async def cut(self, code: int = 407) -> None:
        """Say an error, forget everything else that is on its way, and hang up, politely or not."""
        self._hung_up = True
        self.outbox.clear()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.fail(code)
        except (TimeoutError, RuntimeError, ClientDisconnected, WebSocketDisconnect):
            if self._line is not None:
                self._line.abort()

    async def drop(self) -> None:
        """Send what is on its way, then cut the line without a word."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.outbox.empty()
        if self._line is not None:
            self._line.hang_up()

    async def fail(self, code: int) -> None:
        """Send an error; hang up where Alpaca does."""
        self._say(error(code))
        if code in TERMINAL:
            await self.close()

    async def close(self) -> None:
        """Hang up when everything has been sent."""
        self._hung_up = True
        await self.outbox.empty()
        await self._socket.close()

    async def _speak(self) -> None:
        try:
            if await self._authenticated():
                await self._obey()
        except (WebSocketDisconnect, ClientDisconnected, RuntimeError):
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            await self.cut(500)

    async def _authenticated(self) -> bool:
        self._say(success("connected"))
        try:
            if self._terms.keys.accept_headers(self._socket.headers) and await self._welcome():
                return True
            return await self._asked_in_time()
        except TimeoutError:
            await self.cut(404)
        return False

    async def _asked_in_time(self) -> bool:
        async with asyncio.timeout(self._terms.auth_seconds) as patience:
            while True:
                message = await self._next()
                if message.get("action") != "auth":
                    await self.fail(401 if message.get("action") in ("subscribe", "unsubscribe") else 400)
                elif not self._terms.keys.accept(message.get("key"), message.get("secret")):
                    await self.fail(402)
                    return False
                elif await self._welcome():
                    return True
                else:  # refused for now: Go's client asks again on the same socket
                    patience.reschedule((patience.when() or 0.0) + self._terms.refused_seconds)

    async def _welcome(self) -> bool:
        if self._feed not in FEEDS:
            await self.fail(409)
            self._gone()
        shut = self._terms.is_shut(asyncio.get_running_loop().time())
        if shut or not self._terms.slots.take(self._feed):
            await self.fail(406)
            return False
        self._has_slot = True
        self._say(success("authenticated"))
        return True

    async def _obey(self) -> None:
        while True:
            message = await self._next()
            action = message.pop("action", None)
            try:
                self._do(action, message)
            except Refused as refused:
                await self.fail(refused.code)

    def _do(self, action: object, asked: dict[str, Any]) -> None:
        if action == "auth":
            raise Refused(403)
        if action not in ("subscribe", "unsubscribe"):
            raise Refused(400)
        changes = _changes(asked)
        wanted = {channel: dict(symbols) for channel, symbols in self.wanted.items()}
        for channel, symbols in changes.items():
            for symbol in symbols:
                wanted[channel].pop(symbol, None) if action == "unsubscribe" else wanted[channel].update({symbol: None})
        self._want(wanted)
        self._say([self._subscription()])

    def _want(self, wanted: dict[str, dict[str, None]]) -> None:
        limit = self._terms.symbol_limit
        if limit is not None and self._count(wanted) > max(limit, self._count(self.wanted)):
            raise Refused(405)
        self.wanted = wanted
        self._wanted = {c: self._symbols(wanted[c]) for c in IN_ORDER if wanted[c]}

    def _count(self, wanted: Mapping[str, Mapping[str, None]]) -> int:
        symbols = {symbol for asked in wanted.values() for symbol in asked}
        return max(self._terms.symbols, len(symbols) - 1) if ALL in symbols else len(symbols)

    def _symbols(self, asked: Mapping[str, None]) -> Wanted:
        if ALL in asked and not (self._feed == TEST and PLACEHOLDER in asked):
            return None
        return frozenset(asked if self._feed == TEST else asked.keys() - {PLACEHOLDER})

    def _subscription(self) -> dict[str, Any]:
        trades = list(self.wanted["trades"])
        told = {channel: list(asked) for channel, asked in self.wanted.items() if asked or channel in ALWAYS_TOLD}
        return {"T": "subscription", **told, **dict.fromkeys(WITH_TRADES, trades)}

    async def _next(self) -> dict[str, Any]:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1000))
            try:
                return self._encoding.decode(received.get("bytes") or received.get("text") or b"")
            except InvalidSyntax:
                await self.fail(400)

    def _gone(self) -> NoReturn:
        raise WebSocketDisconnect(1000)

    def _leave_slot(self) -> None:
        if self._has_slot:
            politely = self._hung_up or self._line is None or self._line.left_politely
            self._terms.slots.give_back(self._feed, politely)

    def _say(self, messages: object) -> None:
        self.outbox.put(self._encoding.frame(messages))

    async def _send(self, frame: Frame) -> None:
        if self._line is not None:
            await self._line.write(frame)
        elif frame.binary:
            await self._socket.send_bytes(frame.payload)
        else:
            await self._socket.send_text(frame.payload.decode())


def _changes(asked: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    given = {channel: symbols for channel, symbols in asked.items() if symbols}
    if any(channel not in CHANNELS for channel in given):
        raise Refused(410)
    return {channel: _listed(symbols) for channel, symbols in given.items()}


def _listed(asked: object) -> Sequence[str]:
    listed = [asked] if isinstance(asked, str) else asked
    if isinstance(listed, list) and all(isinstance(s, str) and SYMBOL.fullmatch(s) for s in listed):
        return listed
    raise Refused(400)
