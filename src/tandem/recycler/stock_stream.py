"""The market-data socket: one connection of a client that wants bars."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from tandem.market import Bar
from tandem.recycler.keys import Keys
from tandem.recycler.outbox import Delay, Outbox
from tandem.recycler.wire import Encoding, InvalidSyntax, batches, error, success

FEEDS: Final = ("iex", "sip", "test")
CHANNELS: Final = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
WITH_TRADES: Final = ("corrections", "cancelErrors")
SYMBOL: Final = re.compile(r"\*|[A-Z][A-Z0-9./\-]*")
AUTH_SECONDS: Final = 10.0
TERMINAL: Final = (402, 404, 407, 409)


class StockStream:
    """One client's connection: who it is, what it wants, and what is on its way to it."""

    def __init__(self, socket: WebSocket, keys: Keys, delay: Delay, auth_seconds: float = AUTH_SECONDS) -> None:
        self._socket = socket
        self._keys = keys
        self._encoding = Encoding.of(socket.headers)
        self._auth_seconds = auth_seconds
        self._feed = socket.path_params.get("feed", FEEDS[0])
        self.outbox = Outbox(self._send, delay)
        self.wanted: dict[str, dict[str, None]] = {channel: {} for channel in CHANNELS}

    async def serve(self) -> None:
        """Speak with the client until it leaves or must leave."""
        await self._socket.accept()
        sender = asyncio.create_task(self.outbox.run())
        try:
            if await self._authenticated():
                await self._obey()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def publish(self, bars: Sequence[Bar]) -> None:
        """Send those bars that the client wants."""
        symbols = self.wanted["bars"]
        wanted = bars if "*" in symbols else [bar for bar in bars if bar.symbol in symbols]
        for batch in batches(wanted):
            self._say(batch)

    async def fail(self, code: int) -> None:
        """Send an error; hang up where Alpaca does."""
        self._say(error(code))
        if code in TERMINAL:
            await asyncio.wait([asyncio.create_task(self.outbox.empty())], timeout=1.0)
            await self._socket.close()

    async def _authenticated(self) -> bool:
        self._say(success("connected"))
        if self._keys.accept_headers(self._socket.headers):
            return await self._welcome()
        try:
            async with asyncio.timeout(self._auth_seconds):
                while (message := await self._next()).get("action") != "auth":
                    await self.fail(401 if message.get("action") in ("subscribe", "unsubscribe") else 400)
        except TimeoutError:
            await self.fail(404)
            return False
        if not self._keys.accept(message.get("key"), message.get("secret")):
            await self.fail(402)
            return False
        return await self._welcome()

    async def _welcome(self) -> bool:
        if self._feed not in FEEDS:
            await self.fail(409)
            return False
        self._say(success("authenticated"))
        return True

    async def _obey(self) -> None:
        while True:
            message = await self._next()
            action = message.pop("action", None)
            if action == "auth":
                await self.fail(403)
            elif action in ("subscribe", "unsubscribe"):
                await self._change(str(action), message)
            else:
                await self.fail(400)

    async def _change(self, action: str, asked: dict[str, Any]) -> None:
        changes = {channel: _symbols(symbols) for channel, symbols in asked.items() if symbols}
        if any(channel not in CHANNELS for channel in changes):
            await self.fail(410)
        elif any(symbols is None for symbols in changes.values()):
            await self.fail(400)
        else:
            for channel, symbols in changes.items():
                self._change_channel(action, channel, symbols or [])
            self._say([self._subscription()])

    def _change_channel(self, action: str, channel: str, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            if action == "subscribe":
                self.wanted[channel][symbol] = None
            else:
                self.wanted[channel].pop(symbol, None)

    def _subscription(self) -> dict[str, Any]:
        trades = list(self.wanted["trades"])
        channels = {channel: list(symbols) for channel, symbols in self.wanted.items()}
        return {"T": "subscription", **channels, **dict.fromkeys(WITH_TRADES, trades)}

    async def _next(self) -> dict[str, Any]:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1000))
            try:
                return self._encoding.decode(received.get("bytes") or received.get("text") or b"")
            except InvalidSyntax:
                await self.fail(400)

    def _say(self, messages: object) -> None:
        self.outbox.put(self._encoding.encode(messages))

    async def _send(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            await self._socket.send_bytes(frame)
        else:
            await self._socket.send_text(frame)


def _symbols(asked: object) -> list[str] | None:
    listed = [asked] if isinstance(asked, str) else asked
    if isinstance(listed, list) and all(isinstance(s, str) and SYMBOL.fullmatch(s) for s in listed):
        return listed
    return None
