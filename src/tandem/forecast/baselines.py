"""Cheap forecasts that a network has to beat, all asked the same way."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np

from tandem.forecast.features import Array, Mask
from tandem.statistics import reversion_probability


class Baseline(Protocol):
    """A forecast from the z-score alone."""

    name: ClassVar[str]

    def probability(self, z: Array) -> Array:
        """Probability that the spread is closer to its equilibrium one horizon later, for each z-score."""
        ...

    def answers(self, z: Array) -> Mask:
        """Yes or no for each z-score."""
        ...


@dataclass(frozen=True)
class HalfLifeForecast:
    """The AR(1) forecast, optimal on an Ornstein-Uhlenbeck spread (STATISTICS 6).

    Attributes:
        rho: the spread's autocorrelation over the horizon, `phi ** horizon`.
    """

    name: ClassVar[str] = "ar1"
    rho: float

    @classmethod
    def of(cls, phi: float, horizon: int) -> Self:
        """From the AR(1) coefficient per bar and the horizon in bars."""
        return cls(phi**horizon)

    def probability(self, z: Array) -> Array:
        """See `Baseline`."""
        return np.asarray(reversion_probability(np.asarray(z, dtype=np.float64), self.rho), dtype=np.float64)

    def answers(self, z: Array) -> Mask:
        """See `Baseline`."""
        return self.probability(z) >= 0.5


@dataclass(frozen=True)
class NextMoveForecast:
    """The AR(1) forecast of the label `toward`: that the next move goes toward the equilibrium.

    `Phi(|z| (1 - phi) / sqrt(1 - phi^2))`: never under a half, so it always answers yes (STATISTICS 6).
    """

    name: ClassVar[str] = "ar1"
    phi: float

    def probability(self, z: Array) -> Array:
        """See `Baseline`."""
        from scipy.special import ndtr

        return np.asarray(ndtr(np.abs(z) * (1 - self.phi) / np.sqrt(1 - self.phi**2)), dtype=np.float64)

    def answers(self, z: Array) -> Mask:
        """See `Baseline`."""
        return self.probability(z) >= 0.5


@dataclass(frozen=True)
class LogisticOnDistance:
    """A logistic regression on |z|."""

    name: ClassVar[str] = "logistic"
    intercept: float
    slope: float

    @classmethod
    def fit(cls, z: Array, answers: Array) -> Self:
        """Fit on z-scores and labels; with one kind of label only, its frequency and no slope."""
        if len(np.unique(answers)) < 2:
            share = (np.sum(answers) + 0.5) / (len(answers) + 1)
            return cls(float(np.log(share / (1 - share))), 0.0)
        from sklearn.linear_model import LogisticRegression

        fitted = LogisticRegression().fit(np.abs(z)[:, None], answers)
        return cls(float(fitted.intercept_[0]), float(fitted.coef_[0, 0]))

    def probability(self, z: Array) -> Array:
        """See `Baseline`."""
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * np.abs(z)))), dtype=np.float64)

    def answers(self, z: Array) -> Mask:
        """See `Baseline`."""
        return self.probability(z) >= 0.5


@dataclass(frozen=True)
class AlwaysOne:
    """Always answers yes, with the training block's base rate as its probability."""

    name: ClassVar[str] = "always_one"
    base_rate: float

    def probability(self, z: Array) -> Array:
        """See `Baseline`."""
        return np.full(len(z), self.base_rate)

    def answers(self, z: Array) -> Mask:
        """See `Baseline`."""
        return np.ones(len(z), dtype=np.bool_)
