"""What a network learns beside what came of each bar: the probabilities that the spread's own AR(1)-GARCH implies.

A formation window of 1,800 bars at a half-life of 12 holds about ninety labels that do not share their future. A
network of fifteen thousand weights learns their accidents. The fitted model is worth more than they are: simulated
from it, a sequence comes with the probability of its label, not with one draw of it, and with as many neighbours as are
asked for. Of the real bars it is the teacher: what a bar's label says is mixed with the probability that the fitted
model gives from that bar on (knowledge distillation: Hinton, Vinyals and Dean, arXiv 1503.02531). Nothing is used that
was not estimated on the block itself.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array, features, sequences
from tandem.forecast.window import Samples, Spread
from tandem.statistics import GarchPath

Bars = np.ndarray[Any, np.dtype[np.intp]]
State = tuple[Array, Array, Array]

FUTURES = 100
"""Simulated futures per sequence; the last step of each is exact."""
BURN_IN = 300
MAX_APART = 20
PERSISTENCE = 0.995
"""A fit that does not forget its shocks is simulated with as much memory as this."""


def practised(samples: Samples, spread: Spread, recipe: ModelSettings) -> Samples:
    """The samples as they are learnt, followed by `model.practice` simulated ones whose labels are probabilities.

    Args:
        samples: of a block on which the spread's parameters were estimated.
        spread: those parameters.
        recipe: how many, how much of each real label is the fitted model's, which label, and the seed.
    """
    samples = _distilled(samples, spread, recipe)
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

    def answer(self, state: State, horizon: int, recipe: ModelSettings, chance: np.random.Generator) -> Array:
        """Probability of the recipe's label in each state."""
        return self.toward(state) if recipe.label == "toward" else self.probability(state, horizon, chance)

    def probability(self, state: State, horizon: int, chance: np.random.Generator) -> Array:
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

    def toward(self, state: State) -> Array:
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
    asked = world.answer(_state(values, path, bars, spread), spread.horizon, recipe, chance)
    return Samples(seen.names, np.full(len(bars), -1), rows, spread.equilibrium.z(values[bars]), asked)


def _distilled(samples: Samples, spread: Spread, recipe: ModelSettings) -> Samples:
    """The same sequences, their labels mixed with what the fitted model expected of them."""
    if not recipe.distillation:
        return samples
    chance = np.random.default_rng([recipe.seed, spread.horizon, 1])
    state = _state(spread.values, spread.path, samples.bars, spread)
    expected = _World.of(spread).answer(state, spread.horizon, recipe, chance)
    mixed = recipe.distillation * expected + (1 - recipe.distillation) * samples.labels
    return replace(samples, labels=mixed)


def _state(values: Array, path: GarchPath, bars: Bars, spread: Spread) -> State:
    """Distance, residual and variance at some bars, in the fit's units."""
    unit = spread.garch.scale
    return (values[bars] - spread.equilibrium.mean) / unit, path.residuals[bars] / unit, path.variances[bars] / unit**2
