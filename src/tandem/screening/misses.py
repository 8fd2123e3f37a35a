"""Which refused pairs came nearest to being selected, and which a person asks for."""

import numpy as np
from numpy.typing import NDArray

from tandem.market import DataError
from tandem.screening.gates import SELECTED, STEPS
from tandem.screening.table import PairTable

Rows = NDArray[np.intp]


def nearest_misses(table: PairTable, most: int, rows: Rows | None = None) -> Rows:
    """Rows of the refused pairs that came furthest, at most so many.

    The later the gate, the nearer; at one gate the better score, else the smaller p-value, else the higher
    correlation.

    Args:
        rows: to choose from; all without it.
    """
    chosen = np.flatnonzero(table.gate != SELECTED) if rows is None else rows[table.gate[rows] != SELECTED]
    # A window of millions of pairs is not sorted for the sake of the few that are wanted.
    for gate in range(SELECTED):
        later = chosen[table.gate[chosen] > gate]
        if later.size < most:
            break
        chosen = later
    score = np.full(len(table), -1.0)
    score[table.examined.row] = np.nan_to_num(table.examined.score, nan=-1.0)
    keys = (
        -np.nan_to_num(table.correlation_prices[chosen], nan=-2.0),
        np.nan_to_num(table.pvalue[chosen], nan=2.0),
        -score[chosen],
        -table.gate[chosen].astype(np.int64),
    )
    found: Rows = chosen[np.lexsort(keys)][:most]
    return found


def refused_rows(table: PairTable, asked: str) -> Rows:
    """Rows of the refused pairs of a gate, a symbol or a pair, by name.

    Args:
        asked: `half-life`, `AAPL` or `AAPL/MSFT`, in any case.

    Raises:
        DataError: it is none of these.
    """
    refused = table.gate != SELECTED
    if asked.lower() in STEPS:
        return np.flatnonzero(table.gate == STEPS.index(asked.lower()))
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    wanted = [places.get(name) for name in asked.upper().split("/")]
    if None in wanted or len(wanted) > 2:
        raise DataError(
            f"{asked} is no gate, no symbol of this screen and no pair of them", f"The gates are {', '.join(STEPS)}"
        )
    has = [(table.first == place) | (table.second == place) for place in wanted]
    return np.flatnonzero(np.logical_and.reduce([refused, *has]))
