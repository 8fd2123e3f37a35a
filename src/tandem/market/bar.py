"""One bar of prices."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite

from tandem.market.errors import InvalidBar
from tandem.market.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of one symbol over one stretch of time, labelled by its start.

    Attributes:
        symbol: ticker, as Alpaca spells it.
        start: first instant of the bar, UTC.
        open, high, low, close: dollars per share, float64.
        volume: shares.
        timeframe: length of the bar.
        trade_count: number of trades, where the source gives it.
        vwap: volume-weighted average price, dollars, where the source gives it.

    Raises:
        InvalidBar: a price that is not finite and positive, high below low, an open or close outside
            them, a negative volume, or a start without a zone.
    """

    symbol: str
    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int
    timeframe: Timeframe = Timeframe.MIN_1
    trade_count: int | None = None
    vwap: float | None = None

    def __post_init__(self) -> None:
        if flaw := flaw_of(self.open, self.high, self.low, self.close, self.volume):
            raise InvalidBar(f"{self.symbol} {self.start}: {flaw}")
        if self.start.tzinfo is not UTC:
            if self.start.tzinfo is None:
                raise InvalidBar(f"{self.symbol} {self.start}: a start without a zone")
            object.__setattr__(self, "start", self.start.astimezone(UTC))

    @property
    def end(self) -> datetime:
        """First instant after the bar, UTC: from here on it may be known."""
        return self.start + self.timeframe.length


def flaw_of(open: float, high: float, low: float, close: float, volume: float) -> str:
    """What is wrong with these figures, or an empty string."""
    prices = (open, high, low, close)
    if not all(isfinite(p) for p in prices):
        return f"{_first(prices, isfinite)} is not a finite number"
    if not all(p > 0 for p in prices):
        return f"{_first(prices, lambda price: price > 0)} is not positive"
    if high < low:
        return f"high {high} is below low {low}"
    if not (low <= open <= high and low <= close <= high):
        return "open or close is outside low and high"
    if not (isfinite(volume) and volume >= 0):
        return f"volume {volume} is negative or not a number"
    return ""


def _first(prices: tuple[float, ...], law: Callable[[float], bool]) -> str:
    """The first price that breaks a law, with its name."""
    names = ("open", "high", "low", "close")
    return next(f"{name} {price:g}" for name, price in zip(names, prices, strict=True) if not law(price))
