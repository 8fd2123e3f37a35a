"""Which refused pairs came nearest to being selected, and which a person asks for."""

from collections.abc import Collection

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
    check_asked(asked, table.symbols)
    if gate := gate_called(asked):
        return np.flatnonzero(table.gate == STEPS.index(gate))
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    has = [(table.first == places[name]) | (table.second == places[name]) for name in asked.upper().split("/")]
    return np.flatnonzero(np.logical_and.reduce([table.gate != SELECTED, *has]))


def check_asked(asked: str, symbols: Collection[str]) -> None:
    """Complain of what names no gate, no symbol of a screen and no pair of them.

    Args:
        symbols: of the screen.

    Raises:
        DataError: it is none of these.
    """
    names = asked.upper().split("/")
    if gate_called(asked) is None and (len(names) > 2 or not set(names) <= set(symbols)):
        raise DataError(
            f"{asked} is no gate, no symbol of this screen and no pair of them", f"The gates are {', '.join(STEPS)}"
        )


def gate_called(asked: str) -> str | None:
    """The gate of that name, with a blank, a hyphen or an underscore, in any case."""
    return next((gate for gate in STEPS if _plain(gate) == _plain(asked)), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").replace("_", " ")
