"""How wide a spread swings: AR(1) mean with constant or GARCH(1,1) variance (STATISTICS 4)."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from tandem.statistics.series import Series, series_of

STATIONARY: Final = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class GarchPath:
    """One causal pass over a spread, in spread units; the first bar has no forecast and is NaN.

    Attributes:
        residuals: innovation of each bar against the AR(1) forecast made one bar before, shape (n,).
        variances: conditional variance of each innovation, known one bar before, shape (n,).
    """

    residuals: Series
    variances: Series

    @property
    def standardised(self) -> Series:
        """Residuals over their conditional deviations, first bar left out, shape (n - 1,)."""
        standardised: Series = self.residuals[1:] / np.sqrt(self.variances[1:])
        return standardised


@dataclass(frozen=True, slots=True)
class Band:
    """Where the spread should be some bars after a forecast was made, in spread units."""

    centre: float
    deviation: float


@dataclass(frozen=True, slots=True)
class GarchFit:
    """A fitted spread model; parameters are those of the spread divided by `scale` (STATISTICS 4).

    `s_t = mu + phi s_{t-1} + e_t`, `var(e_t) = h_t = omega + alpha e_{t-1}^2 + beta h_{t-1}`. A constant
    variance has alpha = beta = 0; a model without reversion has phi = 1, mu = 0.

    Attributes:
        mu, phi, omega, alpha, beta: as above, in units of `scale`.
        nu: degrees of freedom of Student-t innovations, None for normal ones.
        scale: spread units per standardised unit.
        backcast: what stands for the unknown e_0^2 and h_0, standardised units squared.
        loglikelihood, aic, bic: on the n - 1 bars that have a predecessor, standardised units.
        persistence: alpha + beta.
        converged: a Newton step from the parameters would raise the log-likelihood by less than 1e-6.
        ljung_box_pvalue: 10 lags, standardised residuals; null hypothesis: no autocorrelation.
        arch_lm_pvalue: 5 lags, standardised residuals; null hypothesis: no ARCH effect.
    """

    mu: float
    phi: float
    omega: float
    alpha: float
    beta: float
    nu: float | None
    scale: float
    backcast: float
    loglikelihood: float
    aic: float
    bic: float
    persistence: float
    converged: bool
    ljung_box_pvalue: float
    arch_lm_pvalue: float

    @property
    def is_stationary(self) -> bool:
        """Whether shocks to the variance die out: persistence below 1."""
        return self.persistence < STATIONARY

    def filter(self, spread: ArrayLike) -> GarchPath:
        """Residuals and conditional variances along a spread, each from earlier bars only.

        Args:
            spread: spread units, shape (n,), n at least 2; it starts from the fit's backcast.
        """
        values = series_of(spread) / self.scale
        residuals = np.full(values.size, np.nan)
        residuals[1:] = values[1:] - self.mu - self.phi * values[:-1]
        variances = np.full(values.size, np.nan)
        variances[1:] = _variances(residuals[1:], self.omega, self.alpha, self.beta, self.backcast)
        return GarchPath(residuals * self.scale, variances * self.scale**2)

    def forecast(self, last_residual: float, last_variance: float, horizon: int) -> Series:
        """Variances of the next `horizon` innovations, spread units squared, shape (horizon,).

        Args:
            last_residual, last_variance: of the newest bar, as `filter` gives them.
            horizon: bars, at least 1.
        """
        if horizon < 1:
            raise ValueError(f"a forecast needs a horizon of at least one bar, got {horizon}")
        omega = self.omega * self.scale**2
        variances = np.empty(horizon)
        variances[0] = omega + self.alpha * last_residual**2 + self.beta * last_variance
        for step in range(1, horizon):
            variances[step] = omega + self.persistence * variances[step - 1]
        return variances

    def change_deviations(self, last_residual: float, last_variance: float, horizon: int) -> Series:
        """Standard deviations of the spread's change over the next 1, 2, ... `horizon` bars, spread units.

        The spread now is known, so these are also the deviations of the forecasts of its level:
        `sqrt(sum_i phi^(2 (k - i)) h_{t+i})` over k bars.
        """
        deviations, total = np.empty(horizon), 0.0
        for step, variance in enumerate(self.forecast(last_residual, last_variance, horizon).tolist()):
            total = self.phi**2 * total + variance
            deviations[step] = sqrt(total)
        return deviations

    def change_deviation(self, last_residual: float, last_variance: float, horizon: int) -> float:
        """The last of `change_deviations`: the same steps, none of them kept."""
        variance = float(self.forecast(last_residual, last_variance, 1)[0])
        omega, square, total = self.omega * self.scale**2, self.phi**2, variance
        for _ in range(horizon - 1):
            variance = omega + self.persistence * variance
            total = square * total + variance
        return sqrt(total)

    def bands(
        self, spread_now: float, equilibrium: float, last_residual: float, last_variance: float, bars: int
    ) -> list[Band]:
        """Forecasts made now of the spread 1, 2, ... `bars` later; the last of them is `band`.

        Args:
            spread_now, equilibrium, last_residual, last_variance, bars: as for `band`.
        """
        deviations = self.change_deviations(last_residual, last_variance, bars)
        centres = equilibrium + (spread_now - equilibrium) * self.phi ** np.arange(1, bars + 1)
        return list(map(Band, centres.tolist(), deviations.tolist()))

    def band(
        self, spread_now: float, equilibrium: float, last_residual: float, last_variance: float, bars: int
    ) -> Band:
        """Forecast made now of the spread `bars` later: the path to the equilibrium and its deviation.

        STATISTICS 7: the centre is `m + (s_0 - m) phi^bars`.

        Args:
            spread_now: spread when the forecast is made, spread units.
            equilibrium: the formation window's mean, spread units.
            last_residual, last_variance: of the bar at which the forecast is made.
            bars: completed bars since then, at least 1.
        """
        centre = float(equilibrium + (spread_now - equilibrium) * self.phi**bars)
        return Band(centre, self.change_deviation(last_residual, last_variance, bars))


def _variances(residuals: Series, omega: float, alpha: float, beta: float, backcast: float) -> Series:
    variances = np.empty(residuals.size)
    variance, square = backcast, backcast
    for bar, residual in enumerate(residuals.tolist()):
        variance = omega + alpha * square + beta * variance
        variances[bar] = variance
        square = residual * residual
    return variances
