"""Lengths of bars that a client may ask for, stored or not."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from tandem.market.timeframe import NEW_YORK, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1) // TICK
SPELLED: Final = re.compile(r"([1-9][0-9]?)(Min|T|Hour|H|Day|D|Week|W|Month|M)")


class Unit(StrEnum):
    """What a span counts."""

    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


COUNTS: Final = {
    Unit.MINUTE: range(1, 60),
    Unit.HOUR: range(1, 24),
    Unit.DAY: (1,),
    Unit.WEEK: (1,),
    Unit.MONTH: (1, 2, 3, 4, 6, 12),
}
NAMES: Final = {unit.value: unit for unit in Unit} | {
    "T": Unit.MINUTE,
    "H": Unit.HOUR,
    "D": Unit.DAY,
    "W": Unit.WEEK,
    "M": Unit.MONTH,
}
NOMINAL: Final = {
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WEEK: timedelta(weeks=1),
    Unit.MONTH: timedelta(days=31),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A number of minutes, hours or months, a day or a week, as Alpaca's timeframes are.

    Minutes and hours are counted from midnight in New York; a day holds one session, weeks start on
    Monday, months on the first; several months are counted from January.
    """

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Self:
        """The span that `15Min`, `4H` or `1Month` means.

        Raises:
            ValueError: none of Alpaca's timeframes.
        """
        found = SPELLED.fullmatch(text)
        if not found or int(found[1]) not in COUNTS[NAMES[found[2]]]:
            raise ValueError(f"invalid timeframe: {text}")
        return cls(int(found[1]), NAMES[found[2]])

    @classmethod
    def of(cls, timeframe: Timeframe) -> Self:
        """A stored timeframe as a span."""
        return cls.parse(timeframe.value)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def intraday(self) -> bool:
        """Whether it is shorter than a day."""
        return self.unit in (Unit.MINUTE, Unit.HOUR)

    @property
    def longest(self) -> timedelta:
        """No bar of this span is longer, on the calendar."""
        return self.count * NOMINAL[self.unit]

    @property
    def parts(self) -> list[Timeframe]:
        """The stored timeframes longer than a minute that it can be made of, longest first."""
        kinds = sorted(Timeframe, key=lambda kind: kind.length, reverse=True)[:-1]
        return kinds if not self.intraday else [kind for kind in kinds if not self.longest % kind.length]

    def day_of(self, day: date) -> date:
        """The first date of the bar that holds `day`: of a week its Monday, of a month the first."""
        if self.unit is Unit.WEEK:
            return day - timedelta(days=day.weekday())
        if self.unit is Unit.MONTH:
            return date(day.year, (day.month - 1) // self.count * self.count + 1, 1)
        return day

    def starts(self, ticks: "NDArray[Any]") -> "NDArray[Any]":
        """Starts of the bars that hold these moments, for spans shorter than a day.

        Args:
            ticks: int64, microseconds since 1970 UTC, in order.

        Returns:
            The same shape and unit.
        """
        offset, length = new_york_offsets(ticks), self.longest // TICK
        since_midnight = (ticks + offset) % (24 * HOUR)
        starts: NDArray[Any] = ticks - since_midnight % length
        return starts


def new_york_offsets(ticks: "NDArray[Any]") -> "NDArray[Any]":
    """How far New York's clocks are from UTC at each of these moments: int64, microseconds, negative."""
    import numpy as np

    hours, which = np.unique(ticks // HOUR, return_inverse=True)  # clocks change on the hour
    found = [(EPOCH + hour * HOUR * TICK).astimezone(NEW_YORK).utcoffset() for hour in hours.tolist()]
    by_hour: NDArray[Any] = np.array([(offset or timedelta()) // TICK for offset in found], dtype=np.int64)
    offsets: NDArray[Any] = by_hour[which]
    return offsets


def new_york_midnight(day: date) -> int:
    """Midnight in New York, in microseconds since 1970 UTC."""
    return (datetime.combine(day, time(), NEW_YORK).astimezone(UTC) - EPOCH) // TICK
