"""Messages on their way to one connection."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

FULL: Final = 2_000
PATIENCE_SECONDS: Final = 10.0

Frame = bytes | str


@dataclass(slots=True)
class Delay:
    """Random lateness of every message, for proving that it changes nothing.

    Attributes:
        seconds: the longest delay; 0 sends at once.
        seed: the same seed gives the same delays.
    """

    seconds: float = 0.0
    seed: int = 0
    _connections: int = field(default=0, repr=False)

    def for_connection(self) -> Callable[[], float]:
        """A source of delays of its own for each connection, in seconds."""
        self._connections += 1
        chance = Random(f"{self.seed}/{self._connections}")  # noqa: S311 - not a secret
        return lambda: chance.uniform(0.0, self.seconds)


class Outbox:
    """A queue of frames in front of one socket: order is kept, each frame waits its own delay."""

    def __init__(self, send: Callable[[Frame], Awaitable[None]], delay: Delay) -> None:
        self._send = send
        self._late = delay.for_connection() if delay.seconds else None
        self._frames: deque[tuple[float, Frame]] = deque()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._due = 0.0

    def put(self, frame: Frame) -> None:
        """Send after everything put before."""
        if self._late is not None:
            self._due = max(self._due, asyncio.get_running_loop().time() + self._late())
        self._frames.append((self._due, frame))
        self._filled.set()
        if len(self._frames) >= FULL:
            self._drained.clear()

    async def room(self) -> bool:
        """Wait until there is room; False where the reader is too slow."""
        try:
            await asyncio.wait_for(self._drained.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return False
        return True

    async def empty(self) -> None:
        """Wait until everything has been sent."""
        while self._frames:
            await asyncio.sleep(0.001)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._frames:
                await self._sent_first()

    async def _sent_first(self) -> None:
        due, frame = self._frames[0]
        if due:
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await self._send(frame)
        self._frames.popleft()
        if len(self._frames) < FULL:
            self._drained.set()
