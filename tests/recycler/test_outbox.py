import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.recycler import outbox
from tandem.recycler.outbox import Delay, Frame, Outbox


def sending(
    scene: Callable[[Outbox, list[Frame]], Awaitable[None]], delay: Delay | None = None, stuck: bool = False
) -> None:
    async def play() -> None:
        sent: list[Frame] = []

        async def send(frame: Frame) -> None:
            if stuck:
                await asyncio.Event().wait()
            sent.append(frame)

        box = Outbox(send, delay or Delay())
        running = asyncio.create_task(box.run())
        await scene(box, sent)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


@settings(deadline=None)
@given(st.lists(st.binary(max_size=3), max_size=20), st.integers(0, 9))
def test_delays_never_change_the_order(frames: list[bytes], seed: int) -> None:
    async def scene(box: Outbox, sent: list[Frame]) -> None:
        for frame in frames:
            box.put(frame)
        await box.empty()
        assert sent == frames

    sending(scene, Delay(0.002, seed))


def test_delays_do_not_add_up() -> None:
    async def scene(box: Outbox, _: list[Frame]) -> None:
        began = asyncio.get_running_loop().time()
        for _ in range(200):
            box.put(b"x")
        await box.empty()
        assert asyncio.get_running_loop().time() - began < 0.5

    sending(scene, Delay(0.02, 1))


def test_the_same_seed_gives_each_connection_the_same_delays() -> None:
    first, second = Delay(1.0, 7), Delay(1.0, 7)
    one, other = first.for_connection(), first.for_connection()
    assert [one() for _ in range(3)] != [other() for _ in range(3)]
    again = second.for_connection()
    assert Delay(1.0, 7).for_connection()() == again()


def test_a_reader_that_does_not_read_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "FULL", 3)
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.02)

    async def scene(box: Outbox, _: list[Frame]) -> None:
        box.put(b"1")
        assert await box.room()
        box.put(b"2")
        box.put(b"3")
        assert not await box.room()

    sending(scene, stuck=True)
