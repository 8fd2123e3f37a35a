"""One symbol's bars of one source, feed and adjustment, and many of them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIMULATED: Final = "simulated"


@dataclass(frozen=True, slots=True)
class Track:
    """The bars of one symbol that may stand in one line.

    Attributes:
        rows: bars on the days that were looked into: every day of few, some days of many.
        first, last: starts of the symbol's first and last bar in the range asked for, UTC.
    """

    symbol: str
    source: str
    feed: str
    adjustment: str
    rows: int
    first: datetime
    last: datetime

    @property
    def is_real(self) -> bool:
        """Whether a market ever traded at these prices."""
        return self.source != SIMULATED

    def __str__(self) -> str:
        return " ".join(filter(None, (self.source, self.feed, self.adjustment)))


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Bars of several tracks as arrays, by symbol and then by start.

    Attributes:
        symbols: the names that `code` counts in.
        code: int32.
        start: int64, microseconds since 1970 UTC.
        prices: `open, high, low, close`, float64 dollars.
        volume: int64, shares.
        extras: `trade_count, vwap`, float64, NaN where unknown.
    """

    symbols: tuple[str, ...]
    code: "NDArray[Any]"
    start: "NDArray[Any]"
    prices: Mapping[str, "NDArray[Any]"]
    volume: "NDArray[Any]"
    extras: Mapping[str, "NDArray[Any]"]

    def __len__(self) -> int:
        return len(self.code)
