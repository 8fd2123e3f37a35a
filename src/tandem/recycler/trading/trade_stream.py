"""The trading socket: one connection of a client that wants to hear of its orders."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from tandem.market import OrderUpdate
from tandem.recycler.keys import Keys
from tandem.recycler.stream.outbox import Lateness, Outbox
from tandem.recycler.stream.websocket import EXTENSION, WebSocketProtocol
from tandem.recycler.stream.wire import Encoding, InvalidSyntax
from tandem.recycler.trading.event_log import Said
from tandem.recycler.trading.order import Shown

STREAMS: Final = ("trade_updates",)
FULL: Final = 8 << 20
GOODBYE_SECONDS: Final = 1.0
TRY_AGAIN_LATER: Final = 1013


class TradeStreams:
    """Every connection, told of each order event once."""

    def __init__(self, keys: Keys, delay: Lateness, shown: Shown) -> None:
        self._keys = keys
        self._delay = delay
        self._shown = shown
        self._streams: set[TradeStream] = set()

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return any(stream.listening for stream in self._streams)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its first byte to its last."""
        stream = TradeStream(socket, self._keys, self._delay)
        self._streams.add(stream)
        try:
            await stream.serve()
        finally:
            self._streams.discard(stream)

    def tell(self, updates: Sequence[OrderUpdate]) -> None:
        """Tell everybody who listens."""
        listeners = [stream for stream in self._streams if stream.listening]
        for update in updates if listeners else ():
            said = Said(self._shown.trade_update(update))
            for stream in listeners:
                stream.publish(said)

    async def cut(self) -> None:
        """Hang up on everybody."""
        await asyncio.gather(*(stream.cut() for stream in list(self._streams)))

    async def drop(self) -> None:
        """Send what is on its way, then cut every line without a word."""
        await asyncio.gather(*(stream.drop() for stream in list(self._streams)))


class TradeStream:
    """One client's connection; frames are binary, as those of Alpaca's paper trading are.

    Attributes:
        listening: the streams it hears.
    """

    def __init__(self, socket: WebSocket, keys: Keys, delay: Lateness) -> None:
        self._socket = socket
        self._keys = keys
        self._encoding = Encoding.of(socket.headers)
        self._authorized = False
        self._cutting: asyncio.Task[None] | None = None
        self.outbox = Outbox(self._send, delay)
        self.listening: list[str] = []

    async def serve(self) -> None:
        """Speak with the client until it leaves."""
        await self._socket.accept()
        self._authorized = self._keys.accept_headers(self._socket.headers)
        sender = asyncio.create_task(self.outbox.run())
        try:
            await self._obey()
        except (WebSocketDisconnect, ClientDisconnected, RuntimeError):
            pass
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def publish(self, said: Said) -> None:
        """Tell of one order event; a client that does not read is hung up on."""
        self.outbox.put(said.frame(self._encoding.binary))
        if self.outbox.size >= FULL and self._cutting is None:
            self._cutting = asyncio.create_task(self.cut())

    async def cut(self) -> None:
        """Hang up, whatever is still on its way."""
        self.listening = []
        self.outbox.clear()
        with suppress(TimeoutError, WebSocketDisconnect, ClientDisconnected, RuntimeError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._socket.close(TRY_AGAIN_LATER)

    async def drop(self) -> None:
        """Send what is on its way, then cut the line without a word."""
        line: WebSocketProtocol | None = self._socket.scope["extensions"].get(EXTENSION, {}).get("connection")
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.outbox.empty()
        if line is not None:
            line.hang_up()

    async def _obey(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            try:
                message = self._encoding.decode(received.get("bytes") or received.get("text") or b"")
            except InvalidSyntax:
                continue
            self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        action, data = message.get("action"), message.get("data")
        fields: dict[str, Any] = data if isinstance(data, dict) else {}
        if action in ("authenticate", "auth"):
            self._authorize(fields.get("key_id", message.get("key")), fields.get("secret_key", message.get("secret")))
        elif action == "listen" and self._authorized:
            streams = fields.get("streams")
            asked = streams if isinstance(streams, list) else []
            self.listening = [stream for stream in STREAMS if stream in asked]
            self._say("listening", {"streams": self.listening})
        elif action == "listen":
            self._say("authorization", {"status": "unauthorized", "action": "listen"})

    def _authorize(self, key_id: object, secret_key: object) -> None:
        self._authorized = self._keys.accept(key_id, secret_key)
        answer: dict[str, Any] = {"action": "authenticate"}
        if self._authorized:
            self._say("authorization", {"status": "authorized", **answer})
        else:
            self.listening = []
            refused = {"status": "unauthorized", **answer, "message": "access key verification failed"}
            self._say("authorization", refused)

    def _say(self, stream: str, data: dict[str, Any]) -> None:
        encoded = self._encoding.encode({"stream": stream, "data": data})
        self.outbox.put(encoded.encode() if isinstance(encoded, str) else encoded)

    async def _send(self, frame: bytes) -> None:
        await self._socket.send_bytes(frame)
