"""What moves the replay's clock: its speed, and the desks that must be done first."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from tandem.matching import Barrier, Minute, Replay

MINUTE: Final = timedelta(minutes=1)
END: Final = datetime.max.replace(tzinfo=UTC)


class UnknownDesk(Exception):
    """A desk that is not registered."""


class LetGo(Exception):
    """A desk that lost its hold on the clock, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """One desk's hold on the clock; a desk that enrols again gets another.

    Attributes:
        desk: its name.
        number: no other hold of this clock has it.
        barrier: what had been sent where it took hold.
        let_go: done when the clock waits for this hold no more; the result says why.
    """

    desk: str
    number: int
    barrier: Barrier
    let_go: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


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
        self._holds: dict[str, Hold] = {}
        self._numbers = count(1)
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

    async def enrol(self, desk: str) -> Hold:
        """From here on the clock does not pass what `desk` has released.

        A desk that returns starts anew, and its older hold ends.
        """
        self._let_go(desk, "it enrolled again")
        hold = self._holds[desk] = Hold(desk, next(self._numbers), self.replay.barrier)
        self.desks[desk] = self.replay.time
        await self._tell()
        return hold

    async def dismiss(self, desk: str) -> None:
        """The clock waits for `desk` no more.

        Raises:
            UnknownDesk: it is not registered.
        """
        if not self._let_go(desk, "it was dismissed"):
            raise UnknownDesk(desk)
        await self._tell()

    async def release(self, hold: Hold) -> None:
        """The clock waits for this hold no more; a newer one of the same desk stays."""
        if self._holds.get(hold.desk) is hold:
            await self.dismiss(hold.desk)

    async def end(self) -> None:
        """Let go of every desk, those that wait for the clock included; it moves no more."""
        self.lockstep = True
        for desk in list(self._holds):
            self._let_go(desk, "the recycler ends")
        await self._tell()

    async def ready(self, desk: str, through: datetime, number: int | None = None) -> Barrier:
        """`desk` is done through a moment: returns when the clock stands at the first mark after it.

        Args:
            desk: its name.
            through: UTC.
            number: of its hold; None for whichever stands.

        Raises:
            UnknownDesk: it is not registered.
            LetGo: its hold ended before the clock came there.
        """
        hold = self._holds.get(desk)
        if hold is None:
            raise UnknownDesk(desk)
        if number not in (None, hold.number):
            raise LetGo(f"the clock no longer waits for {desk}: it enrolled again")
        target = self.replay.first_mark(through + MINUTE)
        self.desks[desk] = max(self.desks[desk], target or END)
        await self._tell()
        async with self._changed:
            await self._changed.wait_for(lambda: self._stands_at(target or END) or hold.let_go.done())
        if not self._stands_at(target or END):
            raise LetGo(f"the clock no longer waits for {desk}: {hold.let_go.result()}")
        return self.replay.barrier

    def _stands_at(self, mark: datetime) -> bool:
        return self.replay.barrier.ended or self.replay.time >= mark

    def _let_go(self, desk: str, why: str) -> bool:
        hold = self._holds.pop(desk, None)
        if hold is None:
            return False
        del self.desks[desk]
        hold.let_go.set_result(why)
        return True

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
