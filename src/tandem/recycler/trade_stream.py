"""The trading socket: one connection of a client that wants to hear of its orders."""

import asyncio
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from tandem.recycler.keys import Keys
from tandem.recycler.outbox import Delay, Outbox
from tandem.recycler.wire import Encoding, InvalidSyntax

STREAMS: Final = ("trade_updates",)


class TradeStream:
    """One client's connection; frames are binary, as those of Alpaca's paper trading are."""

    def __init__(self, socket: WebSocket, keys: Keys, delay: Delay) -> None:
        self._socket = socket
        self._keys = keys
        self._encoding = Encoding.of(socket.headers)
        self._authorized = False
        self.outbox = Outbox(self._send, delay)
        self.listening: list[str] = []

    async def serve(self) -> None:
        """Speak with the client until it leaves."""
        await self._socket.accept()
        self._authorized = self._keys.accept_headers(self._socket.headers)
        sender = asyncio.create_task(self.outbox.run())
        try:
            await self._obey()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def publish(self, update: dict[str, Any]) -> None:
        """Tell of one order event, where the client listens."""
        if "trade_updates" in self.listening:
            self._say("trade_updates", update)

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
            self.listening = [stream for stream in asked if stream in STREAMS]
            self._say("listening", {"streams": self.listening})
        elif action == "listen":
            self._say("authorization", {"status": "unauthorized", "action": "listen"})

    def _authorize(self, key_id: object, secret_key: object) -> None:
        self._authorized = self._keys.accept(key_id, secret_key)
        answer: dict[str, Any] = {"action": "authenticate"}
        if self._authorized:
            self._say("authorization", {"status": "authorized", **answer})
        else:
            refused = {"status": "unauthorized", **answer, "message": "access key verification failed"}
            self._say("authorization", refused)

    def _say(self, stream: str, data: dict[str, Any]) -> None:
        self.outbox.put(self._encoding.encode({"stream": stream, "data": data}))

    async def _send(self, frame: bytes | str) -> None:
        await self._socket.send_bytes(frame.encode() if isinstance(frame, str) else frame)
