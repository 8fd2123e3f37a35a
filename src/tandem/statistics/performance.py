"""What trading earned, in the mission's names (STATISTICS 7)."""

import numpy as np
from numpy.typing import ArrayLike

from tandem.statistics.series import Series, series_of
from tandem.statistics.sharpe import SESSIONS_PER_YEAR


def max_drawdown(equity: ArrayLike) -> float:
    """Largest fall from a peak as a share of that peak, 0 where equity never falls.

    Args:
        equity: positive values in time order, shape (n,).

    Raises:
        ValueError: equity starts at or below zero, where shares of a peak mean nothing.
    """
    values = _positive_at_first(equity)
    peak = np.maximum.accumulate(values)
    return float(np.max((peak - values) / peak))


def total_return(equity: ArrayLike) -> float:
    """Last over first equity, less 1.

    Args:
        equity: values in time order, the first positive, shape (n,).

    Raises:
        ValueError: equity starts at or below zero.
    """
    values = _positive_at_first(equity)
    return float(values[-1] / values[0] - 1)


def calmar_ratio(equity: ArrayLike, periods: float = SESSIONS_PER_YEAR) -> float | None:
    """Annualised compound return over the largest drawdown; None without a drawdown or a period.

    Args:
        equity: positive values, one per period, shape (n,).
        periods: periods per year.
    """
    values = series_of(equity, least=1)
    drawdown = max_drawdown(values)
    if drawdown == 0 or values[-1] <= 0:
        return None
    return float(((values[-1] / values[0]) ** (periods / (values.size - 1)) - 1) / drawdown)


def win_rate(profits: ArrayLike) -> float | None:
    """Share of round trips that made money; None where there are none."""
    values = np.asarray(profits, dtype=np.float64)
    return float(np.mean(values > 0)) if values.size else None


def profit_factor(profits: ArrayLike) -> float | None:
    """Sum of gains over sum of losses; None where nothing was lost."""
    values = np.asarray(profits, dtype=np.float64)
    losses = -float(values[values < 0].sum())
    return float(values[values > 0].sum()) / losses if losses > 0 else None


def avg_trade_duration(durations: ArrayLike) -> float | None:
    """Mean number of bars per round trip; None where there are none."""
    values = np.asarray(durations, dtype=np.float64)
    return float(values.mean()) if values.size else None


def break_even_cost_bps(gross_profit: float, turnover: float) -> float | None:
    """Cost per leg in basis points of its turnover at which nothing is left; None without turnover.

    Args:
        gross_profit: before costs, dollars.
        turnover: dollars bought plus dollars sold over both legs.
    """
    return gross_profit / turnover * 1e4 if turnover > 0 else None


def _positive_at_first(equity: ArrayLike) -> Series:
    values = series_of(equity, least=1)
    if values[0] <= 0:
        raise ValueError(f"equity must start positive, got {values[0]}")
    return values
