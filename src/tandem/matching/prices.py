"""What every symbol was last worth."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING, Any

from tandem.market import price
from tandem.matching.columns import EPOCH, TICK, UNKNOWN, MinuteBars

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Prices:
    """The last close of each symbol, kept a minute at a time; what is not asked for costs nothing.

    Args:
        symbols: every symbol that can have bars.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        import numpy as np

        self.symbols = tuple(sorted(symbols))
        self._place = {symbol: at for at, symbol in enumerate(self.symbols)}
        self._closes = np.full(len(self.symbols), np.nan)
        self._starts = np.full(len(self.symbols), UNKNOWN, dtype=np.int64)
        self._known: tuple[str, ...] = self.symbols
        self._places: NDArray[Any] = np.arange(len(self.symbols))

    def update(self, bars: MinuteBars) -> None:
        """Take the closes of bars that have been published."""
        rows, at = slice(bars.first, bars.last), self._at(bars)
        self._closes[at] = bars.columns.close[rows]
        self._starts[at] = bars.columns.start[rows]

    def skip(self, bars: MinuteBars) -> None:
        """Take the closes of bars that nobody is shown, of any number of minutes."""
        self._closes[self._at(bars)] = bars.columns.close[bars.first : bars.last]

    def close(self, symbol: str) -> Decimal | None:
        """Dollars per share, None before the symbol's first bar."""
        at = self._place.get(symbol)
        if at is None:
            return None
        last = float(self._closes[at])
        return None if isnan(last) else price(last)

    def last_bars(self) -> dict[str, datetime]:
        """Symbol to the start of its newest published bar, UTC."""
        seen = zip(self.symbols, self._starts.tolist(), strict=True)
        return {symbol: EPOCH + start * TICK for symbol, start in seen if start != UNKNOWN}

    def restore(self, closes: Mapping[str, Decimal]) -> None:
        """Go on from closes that were known before."""
        for symbol, close in closes.items():
            if symbol in self._place:
                self._closes[self._place[symbol]] = float(close)

    def forget(self) -> None:
        """Know nothing again."""
        self._closes[:] = float("nan")
        self._starts[:] = UNKNOWN

    def _at(self, bars: MinuteBars) -> "NDArray[Any]":
        codes = bars.columns.code[bars.first : bars.last]
        if bars.columns.symbols is self.symbols:
            return codes
        if bars.columns.symbols is not self._known:
            import numpy as np

            self._known = bars.columns.symbols
            self._places = np.array([self._place[symbol] for symbol in self._known], dtype=np.int64)
        at: NDArray[Any] = self._places[codes]
        return at
