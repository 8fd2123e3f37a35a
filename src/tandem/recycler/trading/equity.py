"""What the account was worth, over time."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Points:
    """An equity curve as it is written down; all of the same length.

    Attributes:
        seconds: since 1970 UTC.
        cents: what the account was worth from then on.
        closing: whether that was at a session's close.
    """

    seconds: tuple[int, ...] = ()
    cents: tuple[int, ...] = ()
    closing: tuple[bool, ...] = ()


class EquityCurve:
    """Equity in cents at every moment at which it changed, and at every close."""

    def __init__(self, points: Points | None = None) -> None:
        known = points or Points()
        self._seconds = array("q", known.seconds)
        self._cents = array("q", known.cents)
        self._closing = bytearray(known.closing)

    def note(self, at: datetime, equity: Decimal, *, closing: bool = False) -> None:
        """The account is worth `equity` dollars from `at` on; what was noted for that time and later is forgotten."""
        second, cents = int(at.timestamp()), int((equity * CENTS).to_integral_value())
        if self._seconds and second <= self._seconds[-1]:
            self._keep(range(bisect_left(self._seconds, second)))
        if closing or not self._cents or self._cents[-1] != cents:
            self._seconds.append(second)
            self._cents.append(cents)
            self._closing.append(closing)

    def at(self, moment: datetime) -> Decimal:
        """Dollars at `moment`, those of the first note before it.

        Raises:
            LookupError: nothing was ever noted.
        """
        if not self._seconds:
            raise LookupError("nothing was noted")
        place = max(bisect_right(self._seconds, int(moment.timestamp())) - 1, 0)
        return Decimal(self._cents[place]) / CENTS

    def thin(self, before: datetime) -> None:
        """Keep only the beginning and the closes of what was noted before a moment."""
        old = bisect_left(self._seconds, int(before.timestamp()))
        if sum(self._closing[1:old]) < old - 1:
            kept = [place for place in range(old) if place == 0 or self._closing[place]]
            self._keep([*kept, *range(old, len(self._seconds))])

    def points(self) -> Points:
        """Everything that is kept."""
        return Points(tuple(self._seconds), tuple(self._cents), tuple(map(bool, self._closing)))

    def _keep(self, places: Sequence[int]) -> None:
        self._seconds = array("q", [self._seconds[place] for place in places])
        self._cents = array("q", [self._cents[place] for place in places])
        self._closing = bytearray(self._closing[place] for place in places)
