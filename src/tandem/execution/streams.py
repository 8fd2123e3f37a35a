"""alpaca-py's streams in threads of their own, with an end that never hangs."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tandem.market import BrokerError

SECONDS_TO_END: Final = 5.0
FOR_GOOD: Final = ("auth failed", "failed to authenticate", "insufficient subscription")


class StreamThread:
    """One of alpaca-py's streams, running until closed; it reconnects by itself.

    Args:
        stream: a `StockDataStream` or `TradingStream`, subscribed and not yet running.
        name: what it is, for error messages.
        acknowledged: whether a message says that the subscription stands.
    """

    def __init__(self, stream: Any, name: str, acknowledged: Callable[[dict[str, Any]], bool]) -> None:
        self._stream = stream
        self._name = name
        self._settled = threading.Event()
        self._refusal = ""
        self.connections = 0
        self._watch_messages(acknowledged)
        self._watch_keys()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def open(self, timeout: float) -> None:
        """Connect, and return when the subscription stands.

        Raises:
            BrokerError: the keys were refused, or nothing answered within `timeout` seconds.
        """
        _keep_quiet()
        self._thread.start()
        settled = self._settled.wait(timeout)
        if self._refusal:
            self.close()
            raise BrokerError(f"{self._name}: {self._refusal}", "Check the API keys and what they may subscribe to.")
        if not settled:
            self.close()
            raise BrokerError(
                f"{self._name}: no answer within {timeout:g} seconds", "Check the address and the network."
            )

    def close(self) -> None:
        """End the thread and its socket."""
        loop = self._stream._loop
        if self._thread.is_alive() and loop is not None:
            with suppress(RuntimeError):  # the loop may have ended by itself
                loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._end()))
        if self._thread.ident is not None:
            self._thread.join(SECONDS_TO_END)

    async def _end(self) -> None:
        await self._stream.stop_ws()
        await self._stream.close()

    def _run(self) -> None:
        self._stream.run()

    def _watch_messages(self, acknowledged: Callable[[dict[str, Any]], bool]) -> None:
        dispatch = self._stream._dispatch

        async def watched(message: dict[str, Any]) -> None:
            if acknowledged(message):
                self.connections += 1
                self._settled.set()
            await dispatch(message)

        self._stream._dispatch = watched

    def _watch_keys(self) -> None:
        authenticate = self._stream._auth

        async def watched() -> None:
            try:
                await authenticate()
            except ValueError as error:
                if any(reason in str(error) for reason in FOR_GOOD):
                    await self._give_up(str(error))
                raise

        self._stream._auth = watched

    async def _give_up(self, refusal: str) -> None:
        self._refusal = refusal
        await self._stream.stop_ws()
        self._settled.set()


def _keep_quiet() -> None:
    logging.getLogger("alpaca").addHandler(_NOWHERE)
    for name in ("alpaca.data.live.websocket", "alpaca.trading.stream"):
        logging.getLogger(name).addFilter(_is_news)
    for name in ("websockets.client", "websockets.protocol"):  # at DEBUG they log the frame with the keys
        logging.getLogger(name).setLevel(logging.INFO)


def _is_news(record: logging.LogRecord) -> bool:
    """Not what we did ourselves, nor what we raise ourselves."""
    said = record.getMessage()
    return not any(expected in said for expected in ("sent 1000 (OK)", *FOR_GOOD))


_NOWHERE: Final = logging.NullHandler()
