"""When a fault strikes: decided by market time, by counting and by its seed, never by the wall clock."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from tandem.market import NEW_YORK
from tandem.recycler.faults.fault import Fault


@dataclass(slots=True)
class Schedule:
    """What is left of a fault, occasion by occasion.

    The same fault at the same occasions strikes at the same of them.

    Attributes:
        occasions: how often it could have struck.
        strikes: how often it did.
    """

    fault: Fault
    occasions: int = 0
    strikes: int = 0

    def strikes_at(self, now: datetime, symbol: str | None = None) -> bool:
        """Whether it strikes at this occasion, and count it.

        Args:
            now: when the bars of now were traded, UTC.
            symbol: whom the occasion concerns, where it concerns one.
        """
        if self.is_spent or not self._concerns(now, symbol):
            return False
        self.occasions += 1
        struck = self.occasions % (self.fault.every or 1) == 0 and self._has_luck()
        self.strikes += struck
        return struck

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.fault.most is not None and self.strikes >= self.fault.most

    def chance(self) -> Random:
        """A source of randomness for this strike, told by seed, name and number alone."""
        return Random(f"{self.fault.seed}/{self.fault.name}/{self.occasions}")  # noqa: S311 - not a secret

    def _concerns(self, now: datetime, symbol: str | None) -> bool:
        if self.fault.symbol is not None and symbol is not None and symbol != self.fault.symbol:
            return False
        if self.fault.at is None and self.fault.until is None:
            return True
        time = now.astimezone(NEW_YORK).time()
        begun = self.fault.at is None or time >= self.fault.at
        return begun and (self.fault.until is None or time < self.fault.until)

    def _has_luck(self) -> bool:
        return self.fault.chance is None or self.chance().random() < self.fault.chance
