"""The one place where a minute goes out to every market-data client."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from starlette.websockets import WebSocket

from tandem.market import Session
from tandem.matching import Minute, MinuteBars
from tandem.recycler.stream.daily import DailyBars
from tandem.recycler.stream.frames import Edition, StatusMessage
from tandem.recycler.stream.stock_stream import StockStream, Terms

AHEAD: Final = 1 << 19
FULL: Final = 8 << 20
LOOK_AGAIN_SECONDS: Final = 0.2


class Publisher:
    """All market-data connections.

    A connection comes in by `serve`, a minute by `publish`, a halt by `announce`; whatever is to happen to bars or
    connections on purpose has its place here.

    Args:
        terms: what holds for every connection.
        session_at: the session that a bar starting at a moment belongs to, None outside them.
        spread: dollars of spread per dollar of price; where given, trades and quotes are made up from bars.
        placeholder: the symbol whose bars FAKEPACA plays.

    Attributes:
        streams: the connections.
        waited_for: those that the replay waits for at the moment.
    """

    def __init__(
        self,
        terms: Terms,
        session_at: Callable[[datetime], Session | None],
        *,
        spread: float | None = None,
        placeholder: str = "",
    ) -> None:
        self.streams: set[StockStream] = set()
        self.waited_for: set[StockStream] = set()
        self._terms = terms
        self._daily = DailyBars(session_at)
        self._spread = spread
        self._placeholder = placeholder
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def is_heard(self) -> bool:
        """Whether any client wants anything."""
        return any(any(stream.wanted.values()) for stream in self.streams)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its first byte to its last."""
        stream = StockStream(socket, self._terms)
        self.streams.add(stream)
        try:
            await stream.serve()
        finally:
            self.streams.discard(stream)

    async def publish(self, minute: Minute, sent: Sequence[MinuteBars] | None = None) -> None:
        """Queue a minute for every client that wants some of it.

        Args:
            minute: what happened.
            sent: what is told of its bars, in order; they themselves where not given.
        """
        told = (minute.bars,) if sent is None else sent
        if all(bars is not minute.bars for bars in told):
            self._day(minute)
        for bars in told:
            await self._queue(self._edition(minute, bars))

    async def drop(self) -> None:
        """Cut every line without a word."""
        await asyncio.gather(*(stream.drop() for stream in list(self.streams)))

    async def _queue(self, edition: Edition) -> None:
        """Give way between different wishes."""
        printed = 0
        for stream in list(self.streams):
            stream.publish(edition)
            if edition.printed > printed:
                printed = edition.printed
                await asyncio.sleep(0)

    def announce(self, status: StatusMessage) -> None:
        """Tell of a halt or its end."""
        for stream in self.streams:
            stream.announce(status)

    async def room(self, patient: Callable[[], bool]) -> None:
        """Make room for a minute.

        Args:
            patient: whether to wait for clients that read slowly; otherwise those too far behind are cut off.
        """
        for stream in list(self.streams):
            if patient():
                await self._wait_for(stream, patient)
            elif stream.outbox.size >= FULL:
                self.cut(stream)

    def cut(self, stream: StockStream, code: int = 407) -> None:
        """Cut a client off, without waiting until it is gone."""
        self.streams.discard(stream)
        leaving = asyncio.create_task(stream.cut(code))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Hang up on everybody, politely, when all they want has been sent."""
        await asyncio.gather(*(stream.close() for stream in list(self.streams)), return_exceptions=True)

    def status(self) -> list[dict[str, Any]]:
        """The clients that the replay waits for: number, and bytes that they have not read."""
        slow = sorted(self.waited_for, key=lambda stream: stream.number)
        return [{"client": stream.number, "unread": stream.outbox.size} for stream in slow]

    def _edition(self, minute: Minute, bars: MinuteBars) -> Edition:
        if bars is not minute.bars:
            return Edition(bars, spread=self._spread, placeholder=self._placeholder)
        return Edition(
            minute.bars, self._day(minute), minute.revised, spread=self._spread, placeholder=self._placeholder
        )

    def _day(self, minute: Minute) -> MinuteBars | None:
        wanted = any(stream.wants("dailyBars") for stream in self.streams)
        return self._daily.after(minute.bars) if wanted else None

    async def _wait_for(self, stream: StockStream, patient: Callable[[], bool]) -> None:
        if stream.outbox.size < AHEAD:
            return
        with self._waiting_for(stream):
            while stream.outbox.size >= AHEAD and patient():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                        await stream.outbox.below(AHEAD)

    @contextmanager
    def _waiting_for(self, stream: StockStream) -> Iterator[None]:
        self.waited_for.add(stream)
        try:
            yield
        finally:
            self.waited_for.discard(stream)
