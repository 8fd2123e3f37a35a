"""The times at which any of many symbols has a bar."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Starts = NDArray[np.datetime64]
MINUTE: Final = 60_000_000
LONGEST: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Grid:
    """Distinct starts in order, and a quick way to find one.

    Attributes:
        starts: UTC, datetime64[us], sorted, shape (n_bars,).
        table: place in `starts` of each minute since the first; None where starts are not whole minutes.
    """

    starts: Starts
    table: NDArray[np.int32] | None

    def __len__(self) -> int:
        return len(self.starts)

    def places(self, starts: Starts) -> NDArray[np.int64]:
        """Where in `self.starts` each of these is; each has to be there."""
        if self.table is None:
            return np.searchsorted(self.starts, starts)
        return self.table[_minutes(starts, self.starts[0])].astype(np.int64)


def grid_of(*starts: Starts) -> Grid:
    """The grid of these starts, given in any order and in any number of pieces."""
    some = [piece for piece in starts if len(piece)]
    if not some:
        return Grid(np.empty(0, dtype="datetime64[us]"), None)
    first, last = min(piece.min() for piece in some), max(piece.max() for piece in some)
    span = int((last - first).astype(np.int64)) // MINUTE + 1
    whole = all((((piece - first).astype(np.int64) % MINUTE) == 0).all() for piece in some)
    if not whole or span > LONGEST:
        return Grid(np.unique(np.concatenate(some)), None)
    seen = np.zeros(span, dtype=bool)
    for piece in some:
        seen[_minutes(piece, first)] = True
    table = np.cumsum(seen, dtype=np.int32) - np.int32(1)
    return Grid(first + np.flatnonzero(seen) * np.timedelta64(MINUTE, "us"), table)


def _minutes(starts: Starts, first: np.datetime64) -> NDArray[np.int64]:
    return (starts - first).astype(np.int64) // MINUTE
