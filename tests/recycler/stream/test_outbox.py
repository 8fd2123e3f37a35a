import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.recycler.stream.outbox import Delay, Outbox

Frame = bytes | str


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
    assert one
    assert other
    assert [one() for _ in range(3)] != [other() for _ in range(3)]
    again, once_more = second.for_connection(), Delay(1.0, 7).for_connection()
    assert again
    assert once_more
    assert once_more() == again()


def test_what_waits_is_counted_until_it_is_sent() -> None:
    async def scene(box: Outbox, sent: list[Frame]) -> None:
        box.put(b"12345")
        box.put("678")
        assert box.size == 8
        await asyncio.wait_for(box.below(1), 1)
        assert (box.size, sent) == (0, [b"12345", "678"])

    sending(scene)


def test_a_reader_that_does_not_read_fills_the_box_and_what_waits_can_be_forgotten() -> None:
    async def scene(box: Outbox, _: list[Frame]) -> None:
        for frame in (b"under way", b"waits", b"waits too"):
            box.put(frame)
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(box.below(10), 0.02)
        box.clear()
        assert box.size == len(b"under way")

    sending(scene, stuck=True)


def test_a_box_without_a_sender_takes_nothing_and_keeps_nobody_waiting() -> None:
    async def play() -> None:
        async def gone(_: Frame) -> None:
            raise RuntimeError("the client is gone")

        box = Outbox(gone, Delay())
        box.put(b"1")
        with pytest.raises(RuntimeError):
            await box.run()
        box.put(b"2")
        await asyncio.wait_for(box.below(1), 1)
        await asyncio.wait_for(box.empty(), 1)

    asyncio.run(play())
