"""Messages on their way to one connection."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from tandem.recycler.stream.frames import Frame

Message = Frame | bytes | str


class Lateness(Protocol):
    """How late messages are on purpose."""

    def for_connection(self) -> Callable[[], float] | None:
        """Seconds by which the next message of one more connection is late; None for never."""
        ...


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

    def for_connection(self) -> Callable[[], float] | None:
        """A source of delays of its own for each connection, in seconds."""
        if not self.seconds:
            return None
        self._connections += 1
        chance = Random(f"{self.seed}/{self._connections}")  # noqa: S311 - not a secret
        return lambda: chance.uniform(0.0, self.seconds)


class Outbox:
    """A queue of messages in front of one socket: order is kept, each waits its own delay.

    Attributes:
        size: bytes (characters of text) that wait, the message under way included.
    """

    def __init__(self, send: Callable[[Any], Awaitable[None]], delay: Lateness) -> None:
        self._send = send
        self._late = delay.for_connection()
        self._waiting: deque[tuple[float, Message]] = deque()
        self._filled = asyncio.Event()
        self._sent = asyncio.Event()
        self._due = 0.0
        self._over = False
        self.size = 0

    def put(self, message: Message) -> None:
        """Send after everything put before; nothing where the connection is gone."""
        if self._over:
            return
        if self._late is not None and (late := self._late()):
            self._due = max(self._due, asyncio.get_running_loop().time() + late)
        self._waiting.append((self._due, message))
        self.size += len(message)
        self._filled.set()

    async def below(self, size: int) -> None:
        """Wait until less than `size` bytes wait."""
        while self.size >= size:
            self._sent.clear()
            await self._sent.wait()

    async def empty(self) -> None:
        """Wait until everything has been sent."""
        while self._waiting:
            self._sent.clear()
            await self._sent.wait()

    def clear(self) -> None:
        """Forget what waits behind the message under way."""
        while len(self._waiting) > 1:
            self.size -= len(self._waiting.pop()[1])

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._filled.wait()
                self._filled.clear()
                while self._waiting:
                    await self._sent_first()
        finally:
            self._over = True
            self._waiting.clear()
            self.size = 0
            self._sent.set()

    async def _sent_first(self) -> None:
        due, message = self._waiting[0]
        if due:
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        await self._send(message)
        self._waiting.popleft()
        self.size -= len(message)
        self._sent.set()
