"""A lasting subscription to minute bars and trading statuses, in Alpaca's protocol."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tandem.config import trusting
from tandem.market import BrokerError

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

Message = dict[str, Any]

CHANNELS: Final = ("bars", "updatedBars", "statuses")
STATUS: Final = "s"
STEP_SECONDS: Final = 10.0
BEAT_SECONDS: Final = 0.25
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
LARGEST_FRAME: Final = 2**24
# Codes after which asking again changes nothing: keys, symbol limit, plan, channel, scope.
FOR_GOOD: Final = (400, 401, 402, 405, 409, 410, 411)
ONE_STREAM: Final = 406


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what a subscription hears; called in the subscription's own thread.

    Attributes:
        connected: the subscription stands; nothing was heard through it yet.
        heard: data messages of one frame, in their order.
        said: what a person may want to know, one line.
    """

    connected: Callable[[], None]
    heard: Callable[[list[Message]], None]
    said: Callable[[str], None] = lambda _: None


class Refused(BrokerError):
    """The server will not serve these keys or this subscription."""


class Subscription:
    """Minute bars, their revisions and trading statuses, in a thread of its own; it connects again until closed.

    Args:
        url: of the stream, such as `wss://stream.data.alpaca.markets/v2/iex`.
        symbols: tickers, or `*`.
        key_id, secret_key: never logged.
        listener: told what comes.

    Attributes:
        connections: how often the subscription has stood.
    """

    def __init__(self, url: str, symbols: Sequence[str], key_id: str, secret_key: str, listener: Listener) -> None:
        self.connections = 0
        self._url = url
        self._hello = {"action": "auth", "key": key_id, "secret": secret_key}
        self._wish = {"action": "subscribe", **{channel: list(symbols) for channel in CHANNELS}}
        self._listener = listener
        self._ending = threading.Event()
        self._settled = threading.Event()
        self._refusal: Refused | None = None
        self._trouble = ""
        self._socket: Connection | None = None
        self._pause = FIRST_PAUSE
        self._thread = threading.Thread(target=self._run, name="bars", daemon=True)

    @property
    def refusal(self) -> Refused | None:
        """Why the server serves us no more; None while the subscription goes on."""
        return self._refusal

    def open(self, timeout: float) -> None:
        """Connect, and return when the subscription stands.

        Raises:
            BrokerError: the server refuses, or nothing answers within `timeout` seconds.
        """
        self._thread.start()
        settled = self._settled.wait(timeout)
        if self._refusal is not None or not settled:
            self.close()
            said = f": {self._trouble}" if self._trouble else f" within {timeout:g} seconds"
            raise self._refusal or BrokerError(
                f"no stream of bars at {self._url}{said}", "Check the address and the network."
            )

    def close(self) -> None:
        """End the thread and its socket."""
        self._ending.set()
        self.hang_up()
        if self._thread.ident is not None:
            self._thread.join(STEP_SECONDS)

    def hang_up(self) -> None:
        """End the present connection; unless closed, the next one follows."""
        if (socket := self._socket) is not None:
            _shut(socket)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with self._connected() as socket:
                    self._settle(socket)
                    self._listen(socket)
            except Refused as refusal:
                self._refusal = refusal
                self._listener.said(str(refusal))
                self._settled.set()
                return
            except Exception as error:  # whatever ends a connection, the next one follows
                self._again(error)

    def _again(self, error: Exception) -> None:
        if self._ending.is_set():
            return
        self._trouble = _shown(error)
        self._listener.said(f"the stream ended: {self._trouble}; connecting again in {self._pause:g} s")
        self._ending.wait(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    @contextmanager
    def _connected(self) -> "Iterator[Connection]":
        from websockets.sync.client import connect

        with connect(
            self._url,
            additional_headers={"Content-Type": "application/msgpack"},
            compression=None,
            proxy=None if _is_local(self._url) else True,
            ssl=trusting(self._url),
            open_timeout=STEP_SECONDS,
            close_timeout=1.0,
            max_size=LARGEST_FRAME,
            logger=_quiet(),
        ) as socket:
            self._socket = socket
            try:
                yield socket
            finally:
                self._socket = None

    def _settle(self, socket: "Connection") -> None:
        self._until(socket, "success", "connected")
        socket.send(msgspec.msgpack.encode(self._hello))
        self._until(socket, "success", "authenticated")
        socket.send(msgspec.msgpack.encode(self._wish))
        self._until(socket, "subscription")
        self._listener.connected()
        self.connections += 1
        self._settled.set()

    def _until(self, socket: "Connection", kind: str, text: str = "") -> None:
        while True:
            messages = _decoded(socket.recv(timeout=STEP_SECONDS))
            if any(message.get("T") == kind and message.get("msg", "") == text for message in messages):
                return
            self._heard(messages)

    def _listen(self, socket: "Connection") -> None:
        while not self._ending.is_set():
            try:
                frame = socket.recv(timeout=BEAT_SECONDS)
            except TimeoutError:
                continue
            self._heard(_decoded(frame))
            self._pause = FIRST_PAUSE

    def _heard(self, messages: list[Message]) -> None:
        if errors := [message for message in messages if message.get("T") == "error"]:
            self._complain(errors[0])
        if data := [message for message in messages if message.get("T") in ("b", "u", STATUS)]:
            self._listener.heard(data)

    def _complain(self, message: Message) -> None:
        code, said = message.get("code"), f"{message.get('msg')} ({message.get('code')})"
        if code in FOR_GOOD:
            raise Refused(f"the stream of bars refuses: {said}", "Check the API keys and what they may subscribe to.")
        if code == ONE_STREAM:
            said += ": another stream with these keys is open"
        raise ConnectionError(said)


def _decoded(frame: str | bytes) -> list[Message]:
    """The messages of a frame; what is no message is left out."""
    told = (msgspec.json if isinstance(frame, str) else msgspec.msgpack).decode(frame)
    return [message for message in (told if isinstance(told, list) else [told]) if isinstance(message, dict)]


def _is_local(url: str) -> bool:
    return url.partition("://")[2].startswith(("localhost", "127.", "[::1]"))


def _quiet() -> logging.Logger:
    """At DEBUG the library would log the frame with the keys."""
    logger = logging.getLogger("tandem.stream")
    logger.setLevel(logging.CRITICAL)
    return logger


def _shut(socket: "Connection") -> None:
    """Without waiting for the other side, which may be the one that hangs."""
    import socket as sockets
    from contextlib import suppress

    with suppress(OSError):
        socket.socket.shutdown(sockets.SHUT_RDWR)


def _shown(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
