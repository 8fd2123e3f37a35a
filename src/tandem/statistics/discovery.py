"""How many of the pairs that pass are luck (STATISTICS 3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tandem.statistics.series import Series


@dataclass(frozen=True, slots=True)
class Walk:
    """A pair without a common trend: what the null world of one tested pair looks like.

    Attributes:
        bars: length.
        volatility_a, volatility_b: standard deviations of the log returns per bar.
    """

    bars: int
    volatility_a: float
    volatility_b: float


@dataclass(frozen=True, slots=True)
class SimulatedNull:
    """Pairs of independent walks that pass, scaled to the number of pairs tested.

    Null hypothesis: no pair shares a trend.

    Attributes:
        passing: expected number of passing pairs among those tested.
        standard_error: of `passing`, from the number of draws.
        draws: pairs of walks simulated.
    """

    passing: float
    standard_error: float
    draws: int


def benjamini_hochberg(pvalues: ArrayLike) -> Series:
    """q-values that control the false discovery rate of independent tests (Benjamini, Hochberg 1995).

    Args:
        pvalues: the whole family, shape (n,).

    Returns:
        The smallest rate at which each test would be accepted, shape (n,), in the order given.
    """
    return _step_up(np.asarray(pvalues, dtype=np.float64), 1.0)


def benjamini_yekutieli(pvalues: ArrayLike) -> Series:
    """q-values that hold under any dependence of the tests (Benjamini, Yekutieli 2001).

    Args:
        pvalues: the whole family, shape (n,).
    """
    family = np.asarray(pvalues, dtype=np.float64)
    return _step_up(family, float(np.sum(1 / np.arange(1, family.size + 1))))


def expected_by_chance(tested: int, level: float) -> float:
    """Tests that pass a level when every null hypothesis is true: `tested * level`."""
    return tested * level


def simulated_null(
    walks: Sequence[Walk], pvalue: Callable[[Series, Series], float], level: float, *, draws: int = 400, seed: int = 7
) -> SimulatedNull:
    """Count how many pairs of independent Gaussian walks pass the test that the real pairs took.

    Args:
        walks: lengths and volatilities of the pairs tested; draws go round them in a shuffled order.
        pvalue: the test, from two log price series.
        level: a pair passes below it.
        draws: pairs simulated, scaled to `len(walks)` afterwards.
        seed: of the simulation.
    """
    if not walks:
        return SimulatedNull(0.0, 0.0, 0)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(walks))
    chosen = [walks[order[draw % len(walks)]] for draw in range(draws)]
    share = float(np.mean([pvalue(*_simulate(walk, generator)) < level for walk in chosen]))
    error = float(np.sqrt(share * (1 - share) / draws))
    return SimulatedNull(share * len(walks), error * len(walks), draws)


def _simulate(walk: Walk, generator: np.random.Generator) -> tuple[Series, Series]:
    steps = generator.standard_normal((2, walk.bars))
    return np.cumsum(walk.volatility_a * steps[0]), np.cumsum(walk.volatility_b * steps[1])


def _step_up(family: Series, factor: float) -> Series:
    order = np.argsort(family, kind="stable")
    ranked = family[order] * factor * family.size / np.arange(1, family.size + 1)
    q = np.empty(family.size)
    q[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return q
