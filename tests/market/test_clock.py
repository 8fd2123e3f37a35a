"""Time as an argument."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tandem.market import ManualClock, Stopwatch, WallClock, minutes_between

START = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)


def test_a_manual_clock_moves_only_when_somebody_waits() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    clock.wait_until(START + timedelta(hours=3))
    assert clock.now() == START + timedelta(hours=3)


@given(st.lists(st.integers(-1000, 1000), max_size=20))
def test_a_manual_clock_never_goes_back(steps: list[int]) -> None:
    clock = ManualClock(START)
    seen = [clock.now()]
    for step in steps:
        clock.wait_until(START + timedelta(minutes=step))
        seen.append(clock.now())
    assert seen == sorted(seen)
    assert clock.now() == START + timedelta(minutes=max([0, *steps]))


def test_the_wall_clock_is_in_utc_and_waits_for_what_is_to_come_only() -> None:
    clock, watch = WallClock(), Stopwatch()
    now = clock.now()
    assert now.tzinfo is UTC
    clock.wait_until(now - timedelta(days=1))
    clock.wait_until(now + timedelta(milliseconds=30))
    assert clock.now() >= now + timedelta(milliseconds=30)
    assert 0 < watch.seconds < 10


def test_minute_marks_include_both_ends() -> None:
    assert minutes_between(START, START) == [START]
    assert len(minutes_between(START, START + timedelta(minutes=2, seconds=59))) == 3
    assert minutes_between(START, START - timedelta(minutes=2)) == []
