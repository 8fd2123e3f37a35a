"""Sockets that go wrong: cut, silent, refused, late."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from tandem.market import NEW_YORK
from tandem.recycler.faults.armed import Armed, Faults, Strike
from tandem.recycler.faults.schedule import Schedule


@dataclass(slots=True)
class Silence:
    """Whether the market-data sockets are silent, by market time."""

    faults: Faults
    _strike: Strike | None = None

    def now(self) -> bool:
        """Whether nothing is sent of the minute that ends now."""
        if self._strike is not None and self._lasts(self._strike):
            return True
        self._strike = self.faults.strike("stall", what="market data")
        return self._strike is not None

    def _lasts(self, strike: Strike) -> bool:
        in_force = any(one.number == strike.number for one in self.faults.named("stall"))
        return in_force and lasts(strike, self.faults)


@dataclass(slots=True)
class Door:
    """Whether clients are let in, by the time of the event loop."""

    faults: Faults
    _until: float = 0.0
    _number: int = 0

    def is_shut(self, loop_time: float) -> bool:
        """Whether a client that authenticates now is refused with 406."""
        if loop_time < self._until and any(one.number == self._number for one in self.faults.named("refuse")):
            return True
        strike = self.faults.strike("refuse", what="market data")
        if strike is not None and strike.fault.seconds is not None:
            self._until, self._number = loop_time + strike.fault.seconds, strike.number
        return strike is not None


@dataclass(slots=True)
class Lateness:
    """How late each frame of a socket is; every socket has a schedule and a source of randomness of its own."""

    faults: Faults
    _connections: int = 0

    def for_connection(self) -> Callable[[], float]:
        """Seconds by which the next frame of one more connection is late."""
        self._connections += 1
        number = self._connections
        schedules: dict[int, Schedule] = {}

        def late() -> float:
            return sum(self._drawn(one, schedules, number) for one in self.faults.named("delay"))

        return late

    def _drawn(self, one: Armed, schedules: dict[int, Schedule], number: int) -> float:
        if one.number not in schedules:
            schedules[one.number] = Schedule(replace(one.fault, seed=one.fault.seed * 1009 + number))
        schedule = schedules[one.number]
        if not schedule.strikes_at(self.faults.played()):
            return 0.0
        self.faults.note(one, f"frames of connection {number}")
        return schedule.chance().uniform(0.0, one.fault.seconds or 0.0)


def lasts(strike: Strike, faults: Faults) -> bool:
    """Whether a fault that struck with a length in market time is still under way; without one it has no end."""
    seconds = strike.fault.seconds
    if seconds is not None:
        return faults.now() < strike.at + timedelta(seconds=seconds)
    until = strike.fault.until
    return until is None or faults.played().astimezone(NEW_YORK).time() < until
