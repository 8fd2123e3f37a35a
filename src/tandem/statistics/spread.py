"""The hedge, the spread's equilibrium and how fast it comes back (STATISTICS 1)."""

from dataclasses import dataclass
from math import isfinite, log

import numpy as np
from scipy.special import ndtr

from tandem.statistics.series import Series, series_of


@dataclass(frozen=True, slots=True)
class Hedge:
    """`log a = intercept + hedge_ratio * log b` in equilibrium; dollars of b per dollar of a."""

    hedge_ratio: float
    intercept: float

    def spread(self, log_a: Series, log_b: Series) -> Series:
        """`log a - intercept - hedge_ratio * log b`, shape of the inputs."""
        return log_a - self.intercept - self.hedge_ratio * log_b


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Mean and sample standard deviation of a formation window's spread (STATISTICS 1)."""

    mean: float
    deviation: float

    def z(self, spread: Series) -> Series:
        """`z_eq`: distance from the equilibrium in deviations."""
        return (spread - self.mean) / self.deviation


@dataclass(frozen=True, slots=True)
class HalfLife:
    """First-order autoregression of a spread (STATISTICS 1).

    Attributes:
        phi: slope of the spread on its own last value.
        bars: `-ln 2 / ln(phi)`, or None where phi is not between 0 and 1: such a spread does not come back.
    """

    phi: float
    bars: float | None

    @property
    def reverts(self) -> bool:
        """Whether phi lies strictly between 0 and 1."""
        return self.bars is not None


def fit_hedge(log_a: Series, log_b: Series) -> Hedge:
    """Hedge by least squares of log a on log b (STATISTICS 1, the default)."""
    return Hedge(*least_squares(series_of(log_a), series_of(log_b)))


def fit_hedge_tls(log_a: Series, log_b: Series) -> Hedge:
    """Hedge by total least squares: errors in both legs, the same line whichever leg is first.

    Raises:
        ValueError: b does not move along the common direction, so no slope exists.
    """
    a, b = series_of(log_a), series_of(log_b)
    direction = np.linalg.svd(np.column_stack([b - b.mean(), a - a.mean()]), full_matrices=False)[2][0]
    slope = float(direction[1] / direction[0]) if direction[0] else np.inf
    if not isfinite(slope):
        raise ValueError("no total least squares slope: the second leg does not move")
    return Hedge(slope, float(a.mean() - slope * b.mean()))


def fit_equilibrium(spread: Series) -> Equilibrium:
    """Mean and sample standard deviation (n - 1) of a formation window's spread."""
    spread = series_of(spread)
    return Equilibrium(float(spread.mean()), float(spread.std(ddof=1)))


def half_life(spread: Series) -> HalfLife:
    """Half-life in bars from the least squares AR(1) with a constant (STATISTICS 1).

    Args:
        spread: shape (n,), n at least 3, finite, not constant.
    """
    spread = series_of(spread, least=3)
    phi, _ = least_squares(spread[1:], spread[:-1])
    return HalfLife(phi, -log(2) / log(phi) if 0 < phi < 1 else None)


def least_squares(y: Series, x: Series) -> tuple[float, float]:
    """Slope and intercept of y on x."""
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return slope, float(y.mean() - slope * x.mean())


def reversion_probability(z: Series, rho: float) -> Series:
    """Probability that an AR(1) spread is closer to its equilibrium later (STATISTICS 6).

    `Phi(|z|(1-rho)/v) - Phi(-|z|(1+rho)/v)` with `v = sqrt(1 - rho^2)`; exact for a Gaussian AR(1)
    spread of unit variance.

    Args:
        z: distance from the equilibrium in deviations, any shape.
        rho: autocorrelation over the horizon, `phi ** bars`, in [0, 1).

    Returns:
        Probabilities in the shape of z.

    Raises:
        ValueError: rho outside [0, 1).
    """
    if not 0 <= rho < 1:
        raise ValueError(f"autocorrelation must lie in [0, 1), got {rho}")
    distance, noise = np.abs(z), np.sqrt(1 - rho**2)
    probability: Series = ndtr(distance * (1 - rho) / noise) - ndtr(-distance * (1 + rho) / noise)
    return probability
