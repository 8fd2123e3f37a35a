"""All we know of one pair on one morning."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tandem.market import Pair, Timeframe
from tandem.screening.examination.score import Score
from tandem.statistics import GarchFit, Series


@dataclass(frozen=True, slots=True)
class Passport:
    """A pair that passed every gate, with what it is traded on until its positions are closed.

    Attributes:
        pair: leg a is the dependent symbol.
        sector: of both legs.
        timeframe: of the formation window's bars; `phi`, `half_life` and `garch` count in them.
        session: the trading day it was identified for; no bar of that day was read.
        window_first, window_last: start of the first and of the last bar read, UTC.
        bars: bars that both legs have.
        hedge_ratio, intercept: `spread = log a - intercept - hedge_ratio * log b` (STATISTICS 1).
        mean, deviation: of the spread over the window: the equilibrium and the unit of `z_eq`.
        phi, half_life: least squares AR(1) of the spread; bars.
        garch: AR(1)-GARCH(1,1) of the spread over the whole window (STATISTICS 4).
        correlation_prices, correlation_returns: of logs (STATISTICS 2).
        statistic, pvalue, lags: of the cointegration test, deciding order (STATISTICS 3).
        q_bh, q_by: q-values within the morning's family of tests.
        adf_pvalue: of the spread as a series of its own: ignores that the hedge was fitted, so several times smaller
            than `pvalue`, which does not.
        score: composite score and its components (STATISTICS 5).
        data_version: SHA-256 of the morning's bars.
        starts: start of each bar, UTC.
        closes_a, closes_b: dollars per share at each bar's end.
        rank: among the morning's passports, 1 is the best score.
        hedge_by: method of `hedge_ratio`.
        hedge_ratio_ols, hedge_ratio_tls, hedge_ratio_johansen: by each method, for comparison.
        johansen_pvalue: of the trace test.
        hurst, crossing_rate, variance_ratio: of the spread, as `statistics.measure_spreads` has them.
    """

    kind: ClassVar = "passport"

    pair: Pair
    sector: str
    timeframe: Timeframe
    session: date
    window_first: datetime
    window_last: datetime
    bars: int
    hedge_ratio: float
    intercept: float
    mean: float
    deviation: float
    phi: float
    half_life: float
    garch: GarchFit
    correlation_prices: float
    correlation_returns: float
    statistic: float
    pvalue: float
    lags: int
    q_bh: float
    q_by: float
    adf_pvalue: float
    score: Score
    data_version: str
    starts: tuple[datetime, ...]
    closes_a: tuple[float, ...]
    closes_b: tuple[float, ...]
    rank: int = 1
    hedge_by: str = "ols"
    hedge_ratio_ols: float | None = None
    hedge_ratio_tls: float | None = None
    hedge_ratio_johansen: float | None = None
    johansen_pvalue: float | None = None
    hurst: float | None = None
    crossing_rate: float | None = None
    variance_ratio: float | None = None

    def spread(self, closes_a: ArrayLike, closes_b: ArrayLike) -> Series:
        """Spread of the pair at these prices, in log units.

        Args:
            closes_a, closes_b: dollars per share, same shape, positive.
        """
        log_a, log_b = np.log(np.asarray(closes_a, np.float64)), np.log(np.asarray(closes_b, np.float64))
        spread: Series = log_a - self.intercept - self.hedge_ratio * log_b
        return spread

    def z(self, spread: ArrayLike) -> Series:
        """`z_eq`: distance from the window's equilibrium in its deviations (STATISTICS 1)."""
        z: Series = (np.asarray(spread, np.float64) - self.mean) / self.deviation
        return z

    @property
    def formation_spread(self) -> Series:
        """Spread over the formation window, shape (bars,)."""
        return self.spread(self.closes_a, self.closes_b)
