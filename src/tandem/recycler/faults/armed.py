"""The faults in force in one recycler."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import count
from random import Random
from typing import Any

from tandem.recycler.faults.facts import FaultEnded, FaultStruck
from tandem.recycler.faults.fault import Fault
from tandem.recycler.faults.schedule import Schedule

Told = Fault | FaultStruck | FaultEnded
Tell = Callable[[Told, datetime], None]


@dataclass(frozen=True, slots=True)
class Strike:
    """One happening of a fault.

    Attributes:
        number: of the armed fault.
        at: market time, UTC.
        chance: randomness of its own, the same for the same seed.
    """

    number: int
    fault: Fault
    at: datetime
    chance: Random


@dataclass(slots=True)
class Armed:
    """A fault in force."""

    number: int
    fault: Fault
    schedule: Schedule

    def shown(self) -> dict[str, Any]:
        """As `GET /control/faults` lists it."""
        told = {field.name: getattr(self.fault, field.name) for field in fields(Fault)}
        given = {name: value for name, value in told.items() if value is not None}
        return {"number": self.number, **given, "occasions": self.schedule.occasions, "strikes": self.schedule.strikes}


class Faults:
    """What goes wrong in one recycler; empty, and then free of cost, until something is armed.

    Args:
        now: market time, UTC.
        tell: takes every fact about faults, with its market time.
        played: when the bars of now were traded, UTC: what faults mean by a time of day; `now` where not given.

    Attributes:
        now, played: as given.
        on_change: called whenever something was armed or taken back.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        tell: Tell = lambda _fact, _at: None,
        played: Callable[[], datetime] | None = None,
    ) -> None:
        self.now = now
        self.played = played or now
        self._tell = tell
        self._numbers = count(1)
        self._armed: dict[int, Armed] = {}
        self._by_name: dict[str, list[Armed]] = {}
        self.on_change: list[Callable[[], object]] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def __iter__(self) -> Iterator[Armed]:
        return iter(list(self._armed.values()))

    def arm(self, *faults: Fault) -> list[Armed]:
        """Put faults in force, from the next occasion on."""
        armed = [Armed(next(self._numbers), fault, Schedule(fault)) for fault in faults]
        for one in armed:
            self._armed[one.number] = one
            self._tell(one.fault, self.now())
        if armed:
            self._sort()
        return armed

    def disarm(self, number: int) -> bool:
        """Take one back; False where none has that number."""
        one = self._armed.pop(number, None)
        if one is not None:
            self._tell(FaultEnded(number, one.fault.name, one.schedule.strikes), self.now())
            self._sort()
        return one is not None

    def clear(self) -> None:
        """Take all back."""
        for number in list(self._armed):
            self.disarm(number)

    def named(self, *names: str) -> list[Armed]:
        """Those in force of these names, in the order of their arming."""
        if not self._armed:
            return []
        return [one for name in names for one in self._by_name.get(name, ())]

    def strike(self, name: str, *, symbol: str | None = None, what: str = "") -> Strike | None:
        """What happens at an occasion of a fault of this name: the first that strikes, None for nothing.

        Args:
            symbol: whom the occasion concerns, where it concerns one.
            what: words for the fact; the symbol where not given.
        """
        for one in self._by_name.get(name, ()):
            if struck := self.strike_of(one, symbol=symbol, what=what):
                return struck
        return None

    def strike_of(self, one: Armed, *, symbol: str | None = None, what: str = "") -> Strike | None:
        """The same of one armed fault."""
        now = self.now()
        if not one.schedule.strikes_at(self.played(), symbol):
            return None
        self._tell(FaultStruck(one.number, one.fault.name, one.schedule.strikes, what or symbol or ""), now)
        return Strike(one.number, one.fault, now, one.schedule.chance())

    def note(self, one: Armed, what: str) -> None:
        """Count a strike that was decided elsewhere; only the first is a fact, there may be thousands."""
        one.schedule.strikes += 1
        if one.schedule.strikes == 1:
            self._tell(FaultStruck(one.number, one.fault.name, 1, what), self.now())

    def _sort(self) -> None:
        self._by_name = {}
        for one in self._armed.values():
            self._by_name.setdefault(one.fault.name, []).append(one)
        for changed in self.on_change:
            changed()
