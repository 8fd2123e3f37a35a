"""The server's end of a websocket: a frame that is made once goes out to every connection as it is."""

import asyncio
from logging import getLogger
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tandem.recycler.stream.frames import DEFLATE_LEVEL, WINDOW_BITS, Frame

EXTENSION: Final = "tandem.websocket"
# Without memory between messages the same compressed bytes suit every connection.
DEFLATE: Final = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, compress_settings={"level": DEFLATE_LEVEL}
)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with a way past the copying and compressing of each frame for each connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        if config.ws_per_message_deflate:
            self.conn = ServerProtocol(
                extensions=[DEFLATE], max_size=config.ws_max_size, logger=getLogger("uvicorn.error")
            )

    def handle_connect(self, event: Request) -> None:
        """Hand the application this connection beside the usual two callables."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = {"connection": self}

    async def write(self, frame: Frame) -> None:
        """Send one message when the socket takes it.

        Raises:
            ClientDisconnected: the client is gone.
        """
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(self._bytes(frame))

    def abort(self) -> None:
        """End at once, whatever is still to be sent."""
        self.transport.abort()

    def hang_up(self) -> None:
        """End without a closing frame, when what was written is sent."""
        self.transport.close()

    @property
    def left_politely(self) -> bool:
        """Whether the client has said goodbye."""
        return self.conn.close_rcvd is not None

    def _bytes(self, frame: Frame) -> bytes:
        if not self.conn.extensions:
            return frame.plain
        first = self.conn.extensions[0]
        if isinstance(first, PerMessageDeflate) and first.local_max_window_bits == WINDOW_BITS:
            return frame.deflated
        send = self.conn.send_binary if frame.binary else self.conn.send_text
        send(frame.payload)
        return b"".join(self.conn.data_to_send())
