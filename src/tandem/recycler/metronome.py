"""What moves the replay's clock: its speed, people, and the desks that must be done first."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from tandem.matching import Act, Barrier, Minute, Replay

MINUTE: Final = timedelta(minutes=1)
END: Final = datetime.max.replace(tzinfo=UTC)
LONGEST: Final = END - MINUTE
LOOK_AGAIN_SECONDS: Final = 0.02

Patient = Callable[[], bool]


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
        lasting: it outlives its connection.
        let_go: done when the clock waits for this hold no more; the result says why.
    """

    desk: str
    number: int
    barrier: Barrier
    lasting: bool = False
    let_go: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


async def _at_once(_: Patient) -> None:
    pass


async def _nothing() -> None:
    pass


def _always() -> bool:
    return True


def _as_it_is(barrier: Barrier) -> Barrier:
    return barrier


class Metronome:
    """Moves a replay from mark to mark.

    Args:
        replay: reel and account.
        publish: told each minute before anything else happens.
        speed: minutes of market time per minute; None for as fast as it goes.
        lockstep: stand still while no desk is registered.
        room: returns when there is room for a minute; it may wait for slow readers as long as it is told that the
            clock is patient, which it is at no speed in particular.
        ended: told each time that the reel comes to its end.
        seen: what a desk is told of a barrier.
        heard: whether anybody has listened yet; until then a clock at no speed in particular, that waits for nobody
            else, stands at its beginning.

    Attributes:
        speed: see above; `set_speed` changes it.
        paused: whether the clock stands until it is told to go on.
        desks: name to the moment up to which the clock may run for it.
        away: of them, those that the clock waits for though they have gone.
    """

    def __init__(
        self,
        replay: Replay,
        publish: Callable[[Minute], Awaitable[None]],
        *,
        speed: float | None = None,
        lockstep: bool = False,
        room: Callable[[Patient], Awaitable[None]] = _at_once,
        ended: Callable[[], Awaitable[None]] = _nothing,
        seen: Callable[[Barrier], Barrier] = _as_it_is,
        heard: Callable[[], bool] = _always,
    ) -> None:
        self.replay = replay
        self.speed = speed
        self.lockstep = lockstep
        self.paused = False
        self.desks: dict[str, datetime] = {}
        self.away: set[str] = set()
        self._holds: dict[str, Hold] = {}
        self._numbers = count(1)
        self._publish = publish
        self._room = room
        self._ended = ended
        self._seen = seen
        self._heard = heard
        self._changed = asyncio.Condition()
        self._moving = asyncio.Lock()
        self._fetching: asyncio.Task[None] | None = None
        self._act: Act | None = None
        self._due = 0.0
        self._left: float | None = None
        self._steps = 0
        self._moves = 0

    @property
    def waits_for_a_first_client(self) -> bool:
        """Whether the clock stands only because nobody has listened yet."""
        return self.speed is None and not (self.lockstep or self.desks or self._steps or self._heard())

    async def run(self) -> None:
        """Play until cancelled: at the end of the reel the clock waits for somebody to wind it back."""
        try:
            while True:
                if await self._next_mark() is None:
                    await self._ended()
                    moves = self._moves
                    await self._until(lambda: self._moves != moves)  # noqa: B023 - waited for at once
                else:
                    await self._beat()
        finally:
            if self._fetching is not None:
                await asyncio.gather(self._fetching, return_exceptions=True)

    async def pause(self) -> None:
        """Stand until told to go on."""
        if not self.paused:
            self.paused = True
            self._left = max(0.0, self._due - self._now())
            await self._tell()

    async def resume(self) -> None:
        """Go on where the clock was paused."""
        if self.paused:
            self.paused, self._steps = False, 0
            self._due = self._now() + (self._left or 0.0)
            self._left = None
            await self._tell()

    async def set_speed(self, speed: float | None) -> None:
        """Minutes of market time per minute from now on; None for as fast as it goes."""
        old, self.speed = self.speed, speed
        if old is not None and speed is not None:
            self._due = self._now() + max(0.0, self._due - self._now()) * old / speed
            self._left = None if self._left is None else self._left * old / speed
        await self._tell()

    async def step(self) -> Barrier:
        """Pause, and move to the next mark when desks and readers allow it; the barrier there.

        A step that is not waited for is not taken.
        """
        await self.pause()
        before = self._moves
        self._steps += 1
        await self._tell()
        try:
            await self._until(lambda: self._moves != before or self.replay.barrier.ended)
        finally:
            if self._moves == before:
                self._steps -= 1
        return self.replay.barrier

    async def seek(self, moment: datetime, wanted: Callable[[], bool] = _always) -> Barrier:
        """Put the clock at the first mark at or after `moment` in this loop; every desk loses its hold.

        Args:
            moment: UTC.
            wanted: asked at each stop on the way whether anybody still wants to get there.

        Raises:
            DataError: this loop does not reach there; nothing has moved.
            Rejected: the account does not allow it; nothing has moved.
        """
        async with self._moving:
            stops = self.replay.wind(moment, await asyncio.to_thread(lambda: self.replay.last_mark))
            stop = next(stops, None)
            self._let_everybody_go("the clock was moved")
            try:
                while stop is not None:
                    await self._publish(stop)
                    await self._fetched()
                    await asyncio.sleep(0)
                    stop = next(stops, None) if wanted() else None
            finally:
                self._moves += 1
                await self._tell()
        return self.replay.barrier

    async def enrol(self, desk: str, *, lasting: bool = False) -> Hold:
        """From here on the clock does not pass what `desk` has released.

        A desk that returns starts anew, and its older hold ends.

        Args:
            lasting: where the desk dies the clock stands until it returns, or is dismissed.
        """
        self._let_go(desk, "it enrolled again")
        hold = self._holds[desk] = Hold(desk, next(self._numbers), self._seen(self.replay.barrier), lasting)
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
        """The connection of a hold has ended: the clock waits for it no more, unless it is a lasting one.

        A newer hold of the same desk stays.
        """
        if self._holds.get(hold.desk) is not hold:
            return
        if hold.lasting:
            self.away.add(hold.desk)
        else:
            await self.dismiss(hold.desk)

    async def end(self) -> None:
        """Let go of every desk, those that wait for the clock included; it moves no more."""
        self.lockstep = True
        self._let_everybody_go("the recycler ends")
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
        until = min(through, LONGEST) + MINUTE
        self.desks[desk] = max(self.desks[desk], until)
        await self._tell()
        await self._until(lambda: self._stands_at(until) or hold.let_go.done())
        if not self._stands_at(until):
            raise LetGo(f"the clock no longer waits for {desk}: {hold.let_go.result()}")
        return self._seen(self.replay.barrier)

    async def _beat(self) -> None:
        moves = self._moves
        await asyncio.sleep(0)
        self._set_due()
        while self._moves == moves:
            await self._on_time()
            await self._room(self._is_patient)
            await self._until(lambda: self._may_move() or self._moves != moves or self.waits_for_a_first_client)
            # Nothing is waited for between this and the step, so that nobody takes hold in between.
            if self.waits_for_a_first_client:
                await self._news(LOOK_AGAIN_SECONDS)
            elif self._wait() <= 0 and self._moves == moves:
                await self._move()

    async def _move(self) -> None:
        async with self._moving:
            before = self.replay.time
            minute = self.replay.step()
            self._steps = max(0, self._steps - 1)
            self._moves += 1
            if self.replay.time <= before:
                self._let_everybody_go("the replay starts over")
            await self._publish(minute)
            await self._tell()

    def _is_patient(self) -> bool:
        return self.speed is None

    def _may_move(self) -> bool:
        if self._moving.locked() or (self.paused and not self._steps):
            return False
        if not self.desks:
            return self._steps > 0 or not (self.lockstep or self.waits_for_a_first_client)
        return all(self.replay.time < until for until in self.desks.values())

    def _stands_at(self, until: datetime) -> bool:
        return self.replay.time >= until or self.replay.barrier.ended

    def _let_go(self, desk: str, why: str) -> bool:
        hold = self._holds.pop(desk, None)
        self.away.discard(desk)
        if hold is None:
            return False
        del self.desks[desk]
        hold.let_go.set_result(why)
        return True

    def _let_everybody_go(self, why: str) -> None:
        for desk in list(self._holds):
            self._let_go(desk, why)

    async def _next_mark(self) -> datetime | None:
        if not self.replay.prepared:
            await self._fetched()
        if self.replay.act is not self._act:
            self._act = self.replay.act
            self._fetching = asyncio.create_task(asyncio.to_thread(self.replay.prepare))
        return self.replay.next_mark

    async def _fetched(self) -> None:
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        if not self.replay.prepared:
            await asyncio.to_thread(self.replay.prepare)

    def _set_due(self) -> None:
        mark = self.replay.next_mark
        if mark is not None and self.speed is not None:
            step = min(max(mark - self.replay.time, timedelta(0)), MINUTE).total_seconds() / self.speed
            self._due = max(self._due + step, self._now())

    async def _on_time(self) -> None:
        while (wait := self._wait()) > 0:
            await self._news(wait)

    def _wait(self) -> float:
        if self._steps or self.speed is None or self.paused:
            return 0.0
        return self._due - self._now()

    async def _news(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()

    async def _until(self, true: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(true)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
