"""How many of the pairs that pass are luck (STATISTICS 3)."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.cointegration import screen_cointegration
from tandem.statistics.rows import Rows
from tandem.statistics.series import Series

# Walks in memory at a time: 16 MB of them at 1,000 bars.
DRAWS_AT_ONCE: Final = 1000

Test = Literal["engle_granger", "johansen"]
Method = Literal["engle_granger", "johansen", "both"]
TESTS: Final[dict[Method, tuple[Test, ...]]] = {
    "engle_granger": ("engle_granger",),
    "johansen": ("johansen",),
    "both": ("engle_granger", "johansen"),
}


@dataclass(frozen=True, slots=True)
class SimulatedNull:
    """Pairs of independent walks that pass, scaled to the number of pairs tested.

    Null hypothesis: no pair shares a trend. The pairs of one market share legs and move together, so the count
    in one market scatters far more than `standard_error` says: `simulated_markets` gives its range.

    Attributes:
        passing: expected number of passing pairs among those tested.
        standard_error: of `passing`, from the number of draws alone.
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

    Raises:
        ValueError: not one-dimensional, or a p-value outside [0, 1].
    """
    return _step_up(_family(pvalues), 1.0)


def benjamini_yekutieli(pvalues: ArrayLike) -> Series:
    """q-values that hold under any dependence of the tests (Benjamini, Yekutieli 2001).

    Args:
        pvalues: the whole family, shape (n,).

    Raises:
        ValueError: not one-dimensional, or a p-value outside [0, 1].
    """
    family = _family(pvalues)
    return _step_up(family, float(np.sum(1 / np.arange(1, family.size + 1))))


def expected_by_chance(tested: int, level: float) -> float:
    """Tests that pass a level when every null hypothesis is true: `tested * level`."""
    return tested * level


def simulated_null(
    bars: ArrayLike,
    volatility_first: ArrayLike,
    volatility_second: ArrayLike,
    level: float,
    *,
    tested: int | None = None,
    draws: int = 20_000,
    seed: int = 7,
    method: Method = "engle_granger",
    threads: int | None = None,
) -> SimulatedNull:
    """Count how many pairs of independent Gaussian walks pass the test that the real pairs took.

    The walks are as long and as volatile as pairs of the family, taken in a shuffled order, each as often as
    the others where there are more draws than pairs. A pair too short to be tested does not pass.

    Args:
        bars: common bars of the pairs tested, or of a fair sample of them, shape (n,).
        volatility_first, volatility_second: standard deviations of their log returns per bar, shape (n,).
        level: a pair passes below it.
        tested: pairs to scale the count to; None is n.
        draws: pairs simulated.
        seed: of the simulation; equal arguments give equal results.
        method: the test; `both` asks both tests to pass.
        threads: None is every core.

    Raises:
        ValueError: lengths and volatilities of different shapes.
    """
    lengths, volatilities = _walks(bars, volatility_first, volatility_second)
    if not lengths.size:
        return SimulatedNull(0.0, 0.0, 0)
    generator = np.random.default_rng(seed)
    chosen = np.resize(generator.permutation(lengths.size), draws)
    passing = 0
    for start in range(0, draws, DRAWS_AT_ONCE):
        some = chosen[start : start + DRAWS_AT_ONCE]
        prices = _prices(lengths[some], volatilities[:, some], generator)
        pairs = np.arange(len(prices)).reshape(-1, 2)
        passing += int((weaker_pvalues(prices, pairs, method, threads) < level).sum())
    share, scale = passing / draws, lengths.size if tested is None else tested
    return SimulatedNull(share * scale, float(np.sqrt(share * (1 - share) / draws)) * scale, draws)


def weaker_pvalues(log_prices: Rows, pairs: NDArray[np.int64], method: Method, threads: int | None) -> Series:
    """The p-value of each pair, of two tests the larger; 1 where a pair cannot be tested.

    Args:
        log_prices: shape (n_symbols, n_bars), NaN where a symbol has no bar.
        pairs: shape (n_pairs, 2).
        method: the test; `both` asks both.
        threads: None is every core.
    """
    pvalues = np.zeros(len(pairs))
    for test in TESTS[method]:
        table = screen_cointegration(log_prices, pairs, method=test, threads=threads)
        answered = np.ones(len(pairs))
        answered[table.row] = table.pvalue
        np.maximum(pvalues, answered, out=pvalues)
    return pvalues


def _walks(bars: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.int64], Rows]:
    lengths, volatilities = np.asarray(bars, dtype=np.int64), np.array([first, second], dtype=np.float64)
    if lengths.ndim != 1 or volatilities.shape != (2, lengths.size):
        raise ValueError(f"each pair has a length and two volatilities, got {lengths.shape} and {volatilities.shape}")
    return lengths, volatilities


def _prices(lengths: NDArray[np.int64], volatilities: Rows, generator: np.random.Generator) -> Rows:
    """Both legs of each pair below one another, NaN after their last bar."""
    steps = generator.standard_normal((lengths.size, 2, lengths.max()))
    steps *= volatilities.T[:, :, np.newaxis]
    np.cumsum(steps, axis=2, out=steps)
    steps[np.broadcast_to(np.arange(lengths.max()) >= lengths[:, np.newaxis, np.newaxis], steps.shape)] = np.nan
    return steps.reshape(2 * lengths.size, -1)


def _family(pvalues: ArrayLike) -> Series:
    family = np.asarray(pvalues, dtype=np.float64)
    if family.ndim != 1:
        raise ValueError(f"a family is a row of p-values, shape (n,), got {family.shape}")
    outside = np.flatnonzero(~((family >= 0) & (family <= 1)))
    if outside.size:
        raise ValueError(f"a family is p-values between 0 and 1, got {family[outside[0]]} at position {outside[0]}")
    return family


def _step_up(family: Series, factor: float) -> Series:
    # Which of two equal p-values comes first does not matter: the running minimum gives both the later one's.
    order = np.argsort(family)
    ranked = family[order]
    ranked *= factor * family.size
    ranked /= np.arange(1, family.size + 1)
    backwards = ranked[::-1]
    np.minimum.accumulate(backwards, out=backwards)
    q = np.empty(family.size)
    q[order] = np.minimum(ranked, 1.0, out=ranked)
    return q
