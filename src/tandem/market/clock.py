"""Time as an argument. Nothing else in Tandem reads the wall clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Market time: what it is, and waiting for it."""

    def now(self) -> datetime:
        """Market time, UTC."""
        ...

    def wait_until(self, moment: datetime) -> None:
        """Return when market time has reached `moment` (at once where it already has)."""
        ...


class WallClock:
    """The world's own time.

    Args:
        lag: how much longer to wait than asked: what happened by a moment is known a little later.
    """

    def __init__(self, lag: timedelta = timedelta(0)) -> None:
        self._lag = lag

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until `moment` and the lag are over."""
        while (left := (moment + self._lag - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 1.0))


class ManualClock:
    """Time that moves only when somebody waits: backtests and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The moment last waited for."""
        return self._now

    def wait_until(self, moment: datetime) -> None:
        """Jump to `moment`; never backwards."""
        self._now = max(self._now, moment)


class Stopwatch:
    """Seconds since it was made, for progress and reports; never for decisions."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds gone by."""
        return time.monotonic() - self._start


def minutes_between(first: datetime, last: datetime) -> list[datetime]:
    """Every minute mark from `first` to `last`, both included."""
    steps = int((last - first) / timedelta(minutes=1))
    return [first + timedelta(minutes=step) for step in range(steps + 1)]
