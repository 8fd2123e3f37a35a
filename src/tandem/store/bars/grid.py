"""The times at which any of many symbols has a bar."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Starts = NDArray[np.datetime64]
Places = NDArray[np.signedinteger]
MINUTE: Final = 60_000_000
LONGEST: Final = 1 << 26


def align(pieces: Sequence[Starts]) -> tuple[Starts, list[Places]]:
    """Distinct starts in order, and where in them each of the given ones is.

    Args:
        pieces: starts, UTC, datetime64[us], in any order; none of the pieces is empty.
    """
    if not pieces:
        return np.empty(0, dtype="datetime64[us]"), []
    first, last = min(piece.min() for piece in pieces), max(piece.max() for piece in pieces)
    span = int((last - first).astype(np.int64)) // MINUTE + 1
    minutes = [_minutes(piece, first) for piece in pieces] if span <= LONGEST else []
    whole = [one for one in minutes if one is not None]
    if len(whole) == len(pieces):
        return _on_minutes(whole, first, span)
    starts = np.unique(np.concatenate(pieces))
    return starts, [starts.searchsorted(piece) for piece in pieces]


def _on_minutes(minutes: list[NDArray[np.int32]], first: np.datetime64, span: int) -> tuple[Starts, list[Places]]:
    """Quicker than sorting: a place for every minute there could be."""
    seen = np.zeros(span, dtype=bool)
    for piece in minutes:
        seen[piece] = True
    table = np.cumsum(seen) - 1
    return first + np.flatnonzero(seen) * np.timedelta64(MINUTE, "us"), [table[piece] for piece in minutes]


def _minutes(starts: Starts, first: np.datetime64) -> NDArray[np.int32] | None:
    """Minutes since the first; None where they are not whole."""
    since = (starts - first).view(np.int64)
    minutes = since // MINUTE
    return minutes.astype(np.int32) if (minutes * MINUTE == since).all() else None
