"""Hedges of many pairs and what they leave (STATISTICS 1)."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tandem.screening.examination.spreads import Column, Legs
from tandem.statistics import HedgeBy, measure_spreads

FIGURES: Final = (
    "hedge_ratio",
    "intercept",
    "mean",
    "deviation",
    "phi",
    "half_life",
    "hurst",
    "crossing_rate",
    "variance_ratio",
)


def hedged(legs: Legs, by: HedgeBy) -> Mapping[str, Column]:
    """Hedge pairs by one method and measure their spreads: FIGURES, NaN for a pair that has no hedge.

    Args:
        legs: the pairs.
        by: `screen.hedge`.
    """
    count = len(legs)
    rows = np.arange(count)
    table = measure_spreads(
        np.vstack((legs.log_a, legs.log_b)), np.column_stack((rows, rows + count)), hedge=by, threads=1
    )
    columns = {name: np.full(count, np.nan) for name in FIGURES}
    for name, column in columns.items():
        column[table.row] = getattr(table, name)
    return columns
