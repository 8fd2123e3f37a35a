"""What moves the replay's clock: its speed, and the desks that must be done first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from tandem.matching import Barrier, Minute, Replay

MINUTE: Final = timedelta(minutes=1)
END: Final = datetime.max.replace(tzinfo=UTC)


class UnknownDesk(Exception):
    """A desk that never registered."""


class Metronome:
    """Moves a replay from mark to mark.

    Args:
        replay: reel and account.
        publish: told each minute before anything else happens.
        speed: minutes of market time per minute; None for as fast as it goes.
        lockstep: stand still while no desk is registered.
    """

    def __init__(
        self,
        replay: Replay,
        publish: Callable[[Minute], Awaitable[None]],
        *,
        speed: float | None = None,
        lockstep: bool = False,
    ) -> None:
        self.replay = replay
        self.speed = speed
        self.lockstep = lockstep
        self.desks: dict[str, datetime] = {}
        self._publish = publish
        self._changed = asyncio.Condition()
        self._due = 0.0

    async def run(self) -> None:
        """Play to the end of the reel."""
        while (mark := self.replay.next_mark) is not None:
            await self._on_time(mark)
            await self._released(mark)  # last, so that no desk can take hold between its check and the step
            await self._publish(self.replay.step())
            await self._tell()

    async def enrol(self, desk: str) -> Barrier:
        """From here on the clock does not pass what `desk` has released. A desk that returns starts anew."""
        self.desks[desk] = self.replay.time
        await self._tell()
        return self.replay.barrier

    async def dismiss(self, desk: str) -> None:
        """The clock waits for `desk` no more.

        Raises:
            UnknownDesk: it never registered.
        """
        if self.desks.pop(desk, None) is None:
            raise UnknownDesk(desk)
        await self._tell()

    async def ready(self, desk: str, through: datetime) -> Barrier:
        """`desk` is done through a moment: returns when the clock stands at the first mark after it.

        Raises:
            UnknownDesk: it never registered.
        """
        if desk not in self.desks:
            raise UnknownDesk(desk)
        target = self.replay.first_mark(through + MINUTE)
        self.desks[desk] = max(self.desks[desk], target or END)
        await self._tell()
        async with self._changed:
            await self._changed.wait_for(lambda: self.replay.barrier.ended or self.replay.time >= (target or END))
        return self.replay.barrier

    async def _released(self, mark: datetime) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._may_reach(mark))

    def _may_reach(self, mark: datetime) -> bool:
        if not self.desks:
            return not self.lockstep
        return all(mark <= released for released in self.desks.values())

    async def _on_time(self, mark: datetime) -> None:
        if self.speed is None:
            await asyncio.sleep(0)
            return
        now = asyncio.get_running_loop().time()
        step = min(mark - self.replay.time, MINUTE).total_seconds() / self.speed
        self._due = max(self._due + step, now)
        await asyncio.sleep(self._due - now)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
