"""What the account was worth, over time."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

CENTS: Final = 100
EARLIER: Final = timedelta(hours=5, minutes=30)
LATER: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Evening:
    """The account at the close of the last session.

    Attributes:
        equity: dollars.
        closes: symbol to its price, dollars per share.
        shares: symbol to the shares held, negative when short.
    """

    equity: Decimal
    closes: Mapping[str, Decimal] = field(default_factory=dict)
    shares: Mapping[str, Decimal] = field(default_factory=dict)


class EquityCurve:
    """Equity in cents at every moment at which it changed."""

    def __init__(self) -> None:
        self._seconds = array("q")
        self._cents = array("q")

    def note(self, at: datetime, equity: Decimal) -> None:
        """The account is worth `equity` dollars from `at` on; what was noted for later times is forgotten."""
        second, cents = int(at.timestamp()), int((equity * CENTS).to_integral_value())
        if self._seconds and second <= self._seconds[-1]:
            self._forget(second)
        if not self._cents or self._cents[-1] != cents:
            self._seconds.append(second)
            self._cents.append(cents)

    def at(self, moment: datetime) -> Decimal:
        """Dollars at `moment`, those of the first note before it.

        Raises:
            LookupError: nothing was ever noted.
        """
        if not self._seconds:
            raise LookupError("nothing was noted")
        place = max(bisect_right(self._seconds, int(moment.timestamp())) - 1, 0)
        return Decimal(self._cents[place]) / CENTS

    def _forget(self, second: int) -> None:
        place = bisect_left(self._seconds, second)
        del self._seconds[place:]
        del self._cents[place:]
