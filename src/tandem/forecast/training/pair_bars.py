"""The bars that a pair's model learns from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from tandem.forecast.features import Array
from tandem.market import Pair


@dataclass(frozen=True, eq=False)
class PairBars:
    """Closes of both legs on common bars, oldest first.

    Attributes:
        pair: the pair.
        closes_a, closes_b: dollars per share, shape [bars].
        starts: of the bars, UTC; empty where nobody asks for dates.
    """

    pair: Pair
    closes_a: Array
    closes_b: Array
    starts: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, pair: Pair, closes_a: ArrayLike, closes_b: ArrayLike, starts: Sequence[datetime] = ()) -> "PairBars":
        """From whatever can be made into arrays."""
        return cls(pair, np.asarray(closes_a, np.float64), np.asarray(closes_b, np.float64), tuple(starts))

    def __len__(self) -> int:
        return len(self.closes_a)

    @property
    def logs(self) -> tuple[Array, Array]:
        """Log prices of both legs."""
        return np.log(self.closes_a), np.log(self.closes_b)

    def before(self, bars: int) -> "PairBars":
        """The first `bars` of them."""
        return PairBars(self.pair, self.closes_a[:bars], self.closes_b[:bars], self.starts[:bars])
