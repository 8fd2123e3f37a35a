import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tandem.config import CostSettings
from tandem.market import DataError, World, WorldKind
from tandem.matching import Engine, Minute, Prices, Reel, Replay
from tandem.recycler.metronome import LetGo, Metronome, UnknownDesk

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
CLOSE = datetime(2023, 1, 4, 21, 0, tzinfo=UTC)
NEXT_MORNING = datetime(2023, 1, 5, 11, 0, tzinfo=UTC)
NEXT_CLOSE = datetime(2023, 1, 5, 21, 0, tzinfo=UTC)


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


def replay() -> Replay:
    starts = pd.Series(pd.to_datetime([OPEN, OPEN + timedelta(days=1)]))
    bars = pd.DataFrame(
        {"symbol": "A", "start": starts, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1}
    )
    return Replay(
        Reel.from_frame(bars), Engine(World(WorldKind.RECYCLER, 1), Decimal(1000), CostSettings(), Prices(("A",)))
    )


def playing(
    scene: Callable[[Metronome, list[Minute]], Awaitable[None]], *, speed: float | None = None, lockstep: bool = True
) -> None:
    async def play() -> None:
        published: list[Minute] = []

        async def publish(minute: Minute) -> None:
            published.append(minute)

        metronome = Metronome(replay(), publish, speed=speed, lockstep=lockstep)
        running = asyncio.create_task(metronome.run())
        try:
            await asyncio.wait_for(scene(metronome, published), 5)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_in_lockstep_the_clock_waits_for_the_first_desk_and_then_for_its_word() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await settled()
        assert published == []
        await metronome.enrol("d")
        await settled()
        assert published == []
        barrier = await metronome.ready("d", OPEN)
        assert barrier.time == OPEN + minutes(1) == published[-1].mark
        await settled()
        assert published[-1].mark == OPEN + minutes(1)

    playing(scene)


def test_the_clock_waits_for_the_slowest_desk() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.enrol("slow")
        await metronome.enrol("fast")
        fast = asyncio.create_task(metronome.ready("fast", OPEN + minutes(9)))
        await settled()
        assert published == []
        await metronome.ready("slow", OPEN + minutes(4))
        assert published[-1].mark == OPEN + minutes(5)
        await settled()
        assert not fast.done()
        await metronome.dismiss("slow")
        assert (await fast).time == OPEN + minutes(10)

    playing(scene)


def test_ready_skips_the_night_and_ends_with_the_reel() -> None:
    async def scene(metronome: Metronome, _: list[Minute]) -> None:
        await metronome.enrol("d")
        assert (await metronome.ready("d", CLOSE - minutes(1))).time == CLOSE
        assert (await metronome.ready("d", CLOSE)).time == NEXT_MORNING
        assert (await metronome.ready("d", OPEN)).time == NEXT_MORNING
        barrier = await metronome.ready("d", NEXT_CLOSE + timedelta(days=3))
        assert (barrier.time, barrier.ended, barrier.bars) == (NEXT_CLOSE, True, 2)

    playing(scene)


def test_a_desk_that_returns_holds_the_clock_again() -> None:
    async def scene(metronome: Metronome, _: list[Minute]) -> None:
        await metronome.enrol("d")
        await metronome.ready("d", OPEN)
        assert (await metronome.enrol("d")).barrier.time == OPEN + minutes(1)
        with pytest.raises(UnknownDesk):
            await metronome.ready("other", OPEN)
        with pytest.raises(UnknownDesk):
            await metronome.dismiss("other")

    playing(scene)


def test_the_end_of_an_older_hold_leaves_the_newer_one_standing() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        older = await metronome.enrol("d")
        newer = await metronome.enrol("d")
        assert older.let_go.result() == "it enrolled again"
        await metronome.release(older)
        assert list(metronome.desks) == ["d"]
        with pytest.raises(LetGo, match="it enrolled again"):
            await metronome.ready("d", CLOSE, older.number)
        assert (await metronome.ready("d", OPEN, newer.number)).time == OPEN + minutes(1)
        await metronome.release(newer)
        await metronome.release(newer)
        assert metronome.desks == {}
        await settled()
        assert published[-1].mark == OPEN + minutes(1)

    playing(scene)


@pytest.mark.parametrize("ends", ["dismiss", "release", "enrol", "end"])
def test_a_desk_that_loses_its_hold_while_it_waits_is_told_and_the_clock_does_not_move(ends: str) -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.enrol("slow")
        hold = await metronome.enrol("d")
        waiting = asyncio.create_task(metronome.ready("d", OPEN))
        await settled()
        endings = {
            "dismiss": lambda: metronome.dismiss("d"),
            "release": lambda: metronome.release(hold),
            "enrol": lambda: metronome.enrol("d"),
            "end": metronome.end,
        }
        await endings[ends]()
        with pytest.raises(LetGo, match=r"the clock no longer waits for d: (it|the recycler) "):
            await waiting
        assert published == []

    playing(scene)


def test_a_clock_that_ends_stands_still_even_in_free_time() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.enrol("d")
        await settled()
        sent = len(published)
        await metronome.end()
        await settled()
        assert (metronome.desks, len(published)) == ({}, sent)

    playing(scene, lockstep=False)


def test_free_time_runs_without_desks_until_one_takes_hold() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        while not published:
            await asyncio.sleep(0)
        barrier = (await metronome.enrol("d")).barrier
        await settled()
        assert published[-1].mark == barrier.time

    playing(scene, lockstep=False)


def test_a_speed_of_sixty_thousand_plays_a_minute_in_a_millisecond() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while len(published) < 100:
            await asyncio.sleep(0.005)
        assert 0.09 <= loop.time() - began < 1.0

    playing(scene, speed=60_000.0, lockstep=False)


def test_a_clock_that_is_paused_stands_until_it_is_told_to_go_on() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.pause()
        await settled()
        sent = len(published)
        await asyncio.sleep(0.02)
        assert (len(published), metronome.paused) == (sent, True)
        await metronome.resume()
        await settled()
        assert len(published) > sent

    playing(scene, lockstep=False)


def test_a_step_moves_one_mark_and_leaves_the_clock_paused() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.pause()
        await settled()
        sent = len(published)
        first = await metronome.step()
        second = await metronome.step()
        await settled()
        assert metronome.paused
        assert [minute.mark for minute in published[sent:]] == [first.time, second.time]

    playing(scene, lockstep=False)


def test_a_step_needs_no_desk_but_waits_for_the_one_that_holds_the_clock() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.step()
        assert len(published) == 1
        await metronome.enrol("d")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(metronome.step(), 0.02)
        await metronome.dismiss("d")
        await settled()
        assert len(published) == 1
        await metronome.step()
        assert len(published) == 2

    playing(scene)


def test_a_pause_is_not_made_up_for() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        while not published:
            await asyncio.sleep(0.001)
        await metronome.pause()
        sent = len(published)
        await asyncio.sleep(0.3)
        await metronome.resume()
        await asyncio.sleep(0.02)
        assert len(published) - sent <= 1

    playing(scene, speed=600.0, lockstep=False)


def test_a_change_of_speed_holds_at_once_in_the_middle_of_a_minute() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await asyncio.sleep(0.02)
        sent = len(published)
        await metronome.set_speed(60_000.0)
        await asyncio.sleep(0.1)
        assert len(published) > sent + 10
        await metronome.set_speed(None)
        while published[-1].mark < NEXT_CLOSE:
            await asyncio.sleep(0)

    playing(scene, speed=1.0, lockstep=False)


def test_the_clock_is_put_at_a_moment_and_goes_on_from_there() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        hold = await metronome.enrol("d")
        barrier = await metronome.seek(OPEN + timedelta(days=1))
        assert (barrier.time, metronome.desks) == (OPEN + timedelta(days=1), {})
        assert hold.let_go.result() == "the clock was moved"
        assert sum(len(minute.bars) for minute in published) == 0
        await metronome.step()
        assert [bar.start for bar in published[-1].bars] == [OPEN + timedelta(days=1)]
        barrier = await metronome.seek(OPEN)
        assert barrier.time == OPEN

    playing(scene)


def test_what_the_reel_does_not_hold_cannot_be_sought() -> None:
    async def scene(metronome: Metronome, _: list[Minute]) -> None:
        await metronome.enrol("d")
        with pytest.raises(DataError, match="the reel ends at 2023-01-05 21:00 UTC"):
            await metronome.seek(NEXT_CLOSE + timedelta(days=9))
        with pytest.raises(DataError, match="the replay began"):
            await metronome.seek(OPEN - timedelta(days=9))
        assert metronome.replay.time == metronome.replay.began
        assert list(metronome.desks) == ["d"]

    playing(scene)


def test_after_its_end_a_reel_can_be_wound_back() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        while not metronome.replay.barrier.ended:
            await asyncio.sleep(0)
        await settled()
        sent = len(published)
        await metronome.seek(OPEN)
        while not metronome.replay.barrier.ended:
            await asyncio.sleep(0)
        assert sum(len(minute.bars) for minute in published[sent:]) == 2

    playing(scene, lockstep=False)


def test_the_clock_waits_for_room_and_says_whether_it_is_patient() -> None:
    async def play() -> None:
        asked: list[bool] = []
        published: list[Minute] = []
        room = asyncio.Event()

        async def publish(minute: Minute) -> None:
            published.append(minute)

        async def wait(patient: Callable[[], bool]) -> None:
            asked.append(patient())
            await room.wait()

        metronome = Metronome(replay(), publish, room=wait)
        running = asyncio.create_task(metronome.run())
        await settled()
        assert (asked, published) == ([True], [])
        room.set()
        await settled()
        assert published
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_the_end_of_the_reel_is_told_once() -> None:
    async def play() -> None:
        ends: list[datetime] = []

        async def publish(_: Minute) -> None:
            pass

        async def ended() -> None:
            ends.append(metronome.replay.time)

        metronome = Metronome(replay(), publish, ended=ended)
        running = asyncio.create_task(metronome.run())
        while not ends:
            await asyncio.sleep(0)
        await settled()
        assert ends == [NEXT_CLOSE]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_a_seek_that_nobody_waits_for_any_more_stops_on_its_way() -> None:
    async def scene(metronome: Metronome, published: list[Minute]) -> None:
        await metronome.seek(NEXT_CLOSE, lambda: len(published) < 2)
        assert [minute.mark for minute in published] == [CLOSE, NEXT_MORNING]
        assert metronome.replay.time == NEXT_MORNING
        await metronome.seek(NEXT_CLOSE)
        assert metronome.replay.barrier.ended

    playing(scene)


def test_at_no_speed_in_particular_the_clock_stands_until_somebody_has_listened_once() -> None:
    async def play() -> None:
        published: list[Minute] = []
        heard: list[str] = []

        async def publish(minute: Minute) -> None:
            published.append(minute)

        metronome = Metronome(replay(), publish, heard=lambda: bool(heard))
        running = asyncio.create_task(metronome.run())
        await asyncio.sleep(0.05)
        assert (published, metronome.waits_for_a_first_client) == ([], True)
        await metronome.step()
        assert len(published) == 1
        await metronome.resume()
        await asyncio.sleep(0.05)
        assert len(published) == 1
        heard.append("a client")
        async with asyncio.timeout(5):
            while not metronome.replay.barrier.ended:
                await asyncio.sleep(0.01)
        assert not metronome.waits_for_a_first_client
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_a_clock_with_a_speed_and_one_that_a_desk_holds_wait_for_no_first_client() -> None:
    async def play() -> None:
        async def publish(_: Minute) -> None:
            pass

        metronome = Metronome(replay(), publish, heard=lambda: False)
        running = asyncio.create_task(metronome.run())
        await metronome.enrol("d")
        async with asyncio.timeout(5):
            assert (await metronome.ready("d", OPEN)).time == OPEN + minutes(1)
            await metronome.dismiss("d")
            await metronome.set_speed(60_000.0)
            while metronome.replay.time < OPEN + minutes(9):
                await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
