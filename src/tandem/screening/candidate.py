"""A pair on its way through the gates: aligned prices and what was measured of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tandem.config import ScreenSettings
from tandem.market import Pair
from tandem.statistics import Series, engle_granger, johansen

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Window:
    """Closes of many symbols over one formation window; NaN where a symbol has no bar.

    Attributes:
        starts: of the bars, UTC, in order.
        closes: per symbol, dollars per share, shape (len(starts),).
    """

    starts: tuple[datetime, ...]
    closes: Mapping[str, Series]

    @classmethod
    def of(cls, bars: "pd.DataFrame") -> "Window":
        """The window that a bars frame holds."""
        wide = bars.pivot(index="start", columns="symbol", values="close").sort_index()
        starts = tuple(start.to_pydatetime() for start in wide.index)
        return cls(starts, {str(symbol): wide[symbol].to_numpy(np.float64) for symbol in wide.columns})


@dataclass(frozen=True, slots=True)
class Aligned:
    """Both legs on the bars that both have (STATISTICS 1: an inner join, nothing filled).

    Attributes:
        pair: the legs.
        sector: of both.
        bars: positions of the common bars in the window.
        closes_a, closes_b: dollars per share, shape (len(bars),).
        log_a, log_b: their logs.
    """

    pair: Pair
    sector: str
    bars: NDArray[np.intp]
    closes_a: Series
    closes_b: Series
    log_a: Series
    log_b: Series

    @classmethod
    def of(cls, pair: Pair, sector: str, window: Window) -> "Aligned":
        """A pair's legs from a window."""
        first, second = window.closes[pair.a], window.closes[pair.b]
        common = np.flatnonzero(np.isfinite(first) & np.isfinite(second))
        first, second = first[common], second[common]
        return cls(pair, sector, common, first, second, np.log(first), np.log(second))


@dataclass(frozen=True, slots=True)
class Cointegration:
    """The outcome of the chosen test or tests; the weaker of several decides (STATISTICS 3).

    Null hypothesis: the legs are not cointegrated.
    """

    statistic: float
    pvalue: float
    lags: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An eligible pair with the measures that cost little.

    Attributes:
        legs: aligned prices.
        correlation_prices, correlation_returns: of logs (STATISTICS 2).
        volatility_a, volatility_b: standard deviations of the log returns per bar.
        test: cointegration.
        q_bh, q_by: q-values within the family, 1 until the family is known.
    """

    legs: Aligned
    correlation_prices: float
    correlation_returns: float
    volatility_a: float
    volatility_b: float
    test: Cointegration
    q_bh: float = 1.0
    q_by: float = 1.0


def measure(legs: Aligned, settings: ScreenSettings) -> Candidate:
    """Correlations, volatilities and cointegration of a pair."""
    returns_a, returns_b = np.diff(legs.log_a), np.diff(legs.log_b)
    return Candidate(
        legs,
        correlation_prices=float(np.corrcoef(legs.log_a, legs.log_b)[0, 1]),
        correlation_returns=float(np.corrcoef(returns_a, returns_b)[0, 1]),
        volatility_a=float(returns_a.std()),
        volatility_b=float(returns_b.std()),
        test=cointegration(legs.log_a, legs.log_b, settings),
    )


def cointegration(log_a: Series, log_b: Series, settings: ScreenSettings) -> Cointegration:
    """Run the test or tests that `screen.cointegration` names."""
    outcomes = []
    if settings.cointegration != "johansen":
        residual = engle_granger(log_a, log_b)
        outcomes.append(Cointegration(residual.statistic, residual.pvalue, residual.lags))
    if settings.cointegration != "engle_granger":
        trace = johansen(log_a, log_b)
        outcomes.append(Cointegration(trace.statistic, trace.pvalue, 1))
    return max(outcomes, key=lambda outcome: outcome.pvalue)
