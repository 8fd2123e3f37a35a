"""The model of one spread: a table of one row (STATISTICS 4)."""

import numpy as np
from numpy.typing import ArrayLike

from tandem.config import GarchSettings
from tandem.statistics.garch import GarchFit
from tandem.statistics.garch_table import LEAST, GarchTable, fit_constant_variance, fit_garch
from tandem.statistics.series import Series, series_of


def fit_spread(spread: ArrayLike, settings: GarchSettings, *, reverts: bool = True) -> GarchFit:
    """Fit AR(1)-GARCH(1,1), or a walk with GARCH(1,1) steps where `reverts` is False.

    Args:
        spread: shape (n,), n at least 30 (31 for a walk), finite, not constant.
        settings: innovations and initial variance.

    Raises:
        ValueError: the spread has no such model.
    """
    values = series_of(spread, least=LEAST)
    rows = values[None] if reverts else np.diff(values)[None]
    table = fit_garch(
        rows,
        mean="ar1" if reverts else "zero",
        distribution=settings.distribution,
        backcast=settings.backcast,
        threads=1,
    )
    return _only(table, values)


def fit_constant(spread: ArrayLike, settings: GarchSettings, *, reverts: bool = True) -> GarchFit:
    """Fit AR(1) with a constant variance, or a walk where `reverts` is False; alpha and beta are 0.

    Args:
        spread: shape (n,), n at least 30 (31 for a walk), finite, not constant.
        settings: innovations.

    Raises:
        ValueError: the spread has no such model.
    """
    values = series_of(spread, least=LEAST)
    rows = values[None] if reverts else np.diff(values)[None]
    table = fit_constant_variance(
        rows, mean="ar1" if reverts else "zero", distribution=settings.distribution, threads=1
    )
    return _only(table, values)


def _only(table: GarchTable, values: Series) -> GarchFit:
    if len(table.refused):
        raise ValueError(f"a spread without a model of its variance: {table.refused.refusal(0).why}")
    return table.fit(0, scale=float(values.std()))
