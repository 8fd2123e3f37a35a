"""Sequences to practise on: simulated from the spread's own fitted AR(1)-GARCH, with the probabilities it implies.

A formation window of 1,800 bars at a half-life of 12 holds about ninety labels that do not share their future. A
network of fifteen thousand weights learns their accidents. The fitted model is worth more than they are: simulated
from it, a sequence comes with the probability of its label, not with one draw of it, and with as many neighbours as are
asked for. Nothing is used that was not estimated on the block itself.
"""

from dataclasses import dataclass

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array, features, sequences
from tandem.forecast.window import Samples, Spread

FUTURES = 100
"""Simulated futures per sequence; the last step of each is exact."""
BURN_IN = 300
MAX_APART = 20
PERSISTENCE = 0.995
"""A fit that does not forget its shocks is simulated with as much memory as this."""


def practised(samples: Samples, spread: Spread, recipe: ModelSettings) -> Samples:
    """The samples, followed by `model.practice` simulated ones whose labels are probabilities.

    Args:
        samples: of a block on which the spread's parameters were estimated.
        spread: those parameters.
        recipe: how many, which label, and the seed.
    """
    if not recipe.practice:
        return samples
    simulated = _simulated(spread, recipe)
    return Samples(
        samples.names,
        np.concatenate([samples.bars, simulated.bars]),
        np.concatenate([samples.rows, simulated.rows]),
        np.concatenate([samples.z, simulated.z]),
        np.concatenate([samples.labels, simulated.labels]),
    )


@dataclass(frozen=True)
class _World:
    """The fitted spread around its equilibrium, in the fit's own units; stationary by construction."""

    phi: float
    omega: float
    alpha: float
    beta: float
    nu: float | None

    @classmethod
    def of(cls, spread: Spread) -> "_World":
        fit = spread.garch
        phi = fit.phi if 0 < fit.phi < 1 else spread.phi
        if fit.persistence <= PERSISTENCE:
            return cls(phi, fit.omega, fit.alpha, fit.beta, fit.nu)
        shrunk = PERSISTENCE / fit.persistence
        # The fit's unit is the spread's deviation, so 1 - phi^2 is the variance of its innovations.
        return cls(phi, (1 - phi**2) * (1 - PERSISTENCE), fit.alpha * shrunk, fit.beta * shrunk, fit.nu)

    def path(self, bars: int, chance: np.random.Generator) -> Array:
        variance, residual, distance = self.omega / (1 - self.alpha - self.beta), 0.0, 0.0
        path = []
        for noise in self._noise((bars,), chance).tolist():
            variance = self.omega + self.alpha * residual**2 + self.beta * variance
            residual = variance**0.5 * noise
            distance = self.phi * distance + residual
            path.append(distance)
        return np.array(path)

    def probability(self, state: tuple[Array, Array, Array], horizon: int, chance: np.random.Generator) -> Array:
        """That the spread is closer to 0 one horizon after (distance, residual, variance); the last step is exact."""
        start = state[0][:, None]
        distance, residual, variance = (np.repeat(now[:, None], FUTURES, axis=1) for now in state)
        for _ in range(horizon - 1):
            variance = self.omega + self.alpha * residual**2 + self.beta * variance
            residual = np.sqrt(variance) * self._noise(variance.shape, chance)
            distance = self.phi * distance + residual
        deviation = np.sqrt(self.omega + self.alpha * residual**2 + self.beta * variance)
        high, low = (
            (np.abs(start) - self.phi * distance) / deviation,
            (-np.abs(start) - self.phi * distance) / deviation,
        )
        likely: Array = np.mean(self._below(high) - self._below(low), axis=1)
        return likely

    def toward(self, state: tuple[Array, Array, Array]) -> Array:
        """Probability that the next move goes toward 0."""
        distance, residual, variance = state
        deviation = np.sqrt(self.omega + self.alpha * residual**2 + self.beta * variance)
        return self._below(np.abs(distance) * (1 - self.phi) / deviation)

    def _noise(self, shape: tuple[int, ...], chance: np.random.Generator) -> Array:
        if self.nu is None:
            return chance.standard_normal(shape)
        drawn: Array = chance.standard_t(self.nu, shape) * np.sqrt((self.nu - 2) / self.nu)
        return drawn

    def _below(self, values: Array) -> Array:
        from scipy.special import ndtr, stdtr

        if self.nu is None:
            return np.asarray(ndtr(values), dtype=np.float64)
        return np.asarray(stdtr(self.nu, values * np.sqrt(self.nu / (self.nu - 2))), dtype=np.float64)


def _simulated(spread: Spread, recipe: ModelSettings) -> Samples:
    chance, world, fit = np.random.default_rng([recipe.seed, spread.horizon]), _World.of(spread), spread.garch
    apart = min(spread.horizon, MAX_APART)
    distance = world.path(BURN_IN + apart * recipe.practice, chance)
    values = spread.equilibrium.mean + fit.scale * distance
    path = fit.filter(values)
    bars = np.arange(BURN_IN, len(values), apart)
    seen = features(values, path, recipe)
    rows = sequences(seen.values, recipe.sequence_length)[bars - recipe.sequence_length + 1]
    state = distance[bars], path.residuals[bars] / fit.scale, path.variances[bars] / fit.scale**2
    asked = world.toward(state) if recipe.label == "toward" else world.probability(state, spread.horizon, chance)
    return Samples(seen.names, np.full(len(bars), -1), rows, spread.equilibrium.z(values[bars]), asked)
