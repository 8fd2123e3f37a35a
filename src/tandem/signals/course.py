"""The completed model bars of a pair, each of them reckoned once."""

from collections.abc import Sequence
from datetime import datetime
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tandem.screening import Passport
from tandem.statistics import GarchFilter, GarchPath

Closes = NDArray[np.float64]


class Course:
    """Closes, spread and GARCH path of a pair from its formation window on, one bar after the other.

    A new bar costs one step of the recursion. Bars can be taken back, for those that come late; what follows
    from the bars is the same, bit for bit, as from all of them in one pass.

    Args:
        passport: its formation window is where the course begins.

    Attributes:
        starts: of the bars since the formation window.
        calmest, wildest: the least and the greatest conditional deviation within the formation window, log units.
    """

    def __init__(self, passport: Passport) -> None:
        self.starts: list[datetime] = []
        self._passport = passport
        self._closes_a, self._closes_b = list(passport.closes_a), list(passport.closes_b)
        self._formation = len(self._closes_a)
        self._spread = passport.formation_spread.tolist()
        self._filter = GarchFilter(passport.garch)
        self._filter.extend(self._spread)
        variances = self._filter.path().variances[1:]
        self.calmest, self.wildest = sqrt(variances.min()), sqrt(variances.max())

    def add(self, starts: Sequence[datetime], closes_a: Sequence[float], closes_b: Sequence[float]) -> None:
        """Append bars that have been completed, oldest first; closes in dollars."""
        if not starts:
            return
        spread = self._passport.spread(closes_a, closes_b)
        self.starts += starts
        self._closes_a += closes_a
        self._closes_b += closes_b
        self._spread += spread.tolist()
        self._filter.extend(spread)

    def cut(self, bars: int) -> None:
        """Take back all but the first `bars` since the formation window."""
        if bars < len(self.starts):
            kept = self._formation + bars
            del self.starts[bars:], self._closes_a[kept:], self._closes_b[kept:], self._spread[kept:]
            self._filter.cut(kept)

    @property
    def closes(self) -> tuple[Closes, Closes]:
        """Closes of both legs over all bars, dollars, shape (bars,)."""
        return np.array(self._closes_a), np.array(self._closes_b)

    def newest(self, bars: int) -> tuple[Closes, GarchPath]:
        """The spread's last `bars` bars, fewer where there are fewer, and the GARCH path over them."""
        return np.array(self._spread[-bars:]), self._filter.path(bars)
