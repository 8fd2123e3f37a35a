"""How many pairs pass in whole markets without a cointegrated pair (STATISTICS 3)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.discovery import Method, weaker_pvalues
from tandem.statistics.pairs import Pairs, prices_and_pairs
from tandem.statistics.rows import Rows
from tandem.statistics.series import Series

# So that the fifth percentile is ten markets away from the fewest, and small families cost nothing.
LEAST_MARKETS, MOST_MARKETS = 200, 2000
# Some two seconds of tests.
TESTS: Final = 400_000
MOST_BARS: Final = 400
# Walks in memory at a time.
VALUES_AT_ONCE: Final = 4_000_000
RANGE: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class SimulatedMarkets:
    """Pairs that pass a test in one market whose symbols are walks, none cointegrated with another.

    Attributes:
        mean: over the markets.
        low, high: 5th and 95th percentile over the markets: one market in ten is outside.
        markets: simulated.
        correlation: of the returns of every two symbols.
    """

    mean: float
    low: float
    high: float
    markets: int
    correlation: float


def simulated_markets(
    log_prices: ArrayLike,
    pairs: ArrayLike | None,
    level: float,
    *,
    correlation: float = 0.0,
    tests: int = TESTS,
    seed: int = 7,
    method: Method = "engle_granger",
    threads: int | None = None,
) -> SimulatedMarkets:
    """Count the passing pairs of whole markets of walks that are shaped like a real one.

    Each symbol is a Gaussian walk with its own volatility and its own missing bars, and all follow one market walk as
    closely as `correlation` says. The same pairs are tested as in the real market. They share legs and the market walk,
    so one market has many lucky pairs and the next few: the range is what a count of a real market can be held against.

    Between 200 and 2,000 markets are simulated. Where 200 whole ones need more than `tests` tests, the same random part
    of the symbols makes every market, and counts are scaled by the share of the pairs that it keeps. A part of a market
    has fewer legs to average over, so its range is rather too wide than too narrow. Of more than 400 bars every second,
    third ... is walked: that is a walk too, and at such lengths the law of the test hardly depends on the length.

    Args:
        log_prices: the real market, shape (n_symbols, n_bars), NaN where a symbol has no bar.
        pairs: rows that are tested, shape (n_pairs, 2); None is every i < j.
        level: a pair passes below it.
        correlation: of the returns of two symbols, at least 0 and below 1.
        tests: in all markets together.
        seed: of the simulation; equal arguments give equal results.
        method: the test; `both` asks both tests to pass.
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, or a correlation outside [0, 1).
    """
    matrix, asked = prices_and_pairs(log_prices, pairs)
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation must lie in [0, 1), got {correlation}")
    if not len(asked):
        return SimulatedMarkets(0.0, 0.0, 0.0, 0, correlation)
    matrix = matrix[:, :: -(-matrix.shape[1] // MOST_BARS)]
    generator = np.random.default_rng(seed)
    part = _part(asked, max(tests // LEAST_MARKETS, 1), generator)
    markets = int(np.clip(tests // len(part), LEAST_MARKETS, MOST_MARKETS))
    symbols, legs = np.unique(part, return_inverse=True)
    counts = np.zeros(markets)
    at_once = max(VALUES_AT_ONCE // (symbols.size * matrix.shape[1]), 1)
    for start in range(0, markets, at_once):
        some = counts[start : start + at_once]
        walks = _walks(matrix[symbols], some.size, correlation, generator)
        own = (legs.reshape(-1, 2) + symbols.size * np.arange(some.size)[:, np.newaxis, np.newaxis]).reshape(-1, 2)
        passes = weaker_pvalues(walks, own, method, threads) < level
        some += passes.reshape(some.size, -1).sum(axis=1)
    counts *= len(asked) / len(part)
    low, high = map(float, np.quantile(counts, RANGE))
    return SimulatedMarkets(float(counts.mean()), low, high, markets, correlation)


def volatilities(log_prices: Rows) -> Series:
    """Standard deviation of the log returns between consecutive bars of each symbol, 0 without any, shape (n,)."""
    returns = (np.diff(log[np.isfinite(log)]) for log in log_prices)
    return np.array([own.std() if own.size else 0.0 for own in returns])


def _part(pairs: Pairs, most: int, generator: np.random.Generator) -> Pairs:
    """The pairs among as many symbols, in random order, as have that many pairs."""
    if len(pairs) <= most:
        return pairs
    # Rows that no pair names change nothing.
    symbols, legs = np.unique(pairs, return_inverse=True)
    latest = generator.permutation(symbols.size)[legs].reshape(-1, 2).max(axis=1)
    return pairs[np.sort(np.argsort(latest, kind="stable")[:most])]


def _walks(log_prices: Rows, markets: int, correlation: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Markets of walks below one another, with the missing bars of the real one."""
    symbols, bars = log_prices.shape
    steps = generator.standard_normal((markets, symbols, bars))
    steps *= np.sqrt(1 - correlation)
    steps += np.sqrt(correlation) * generator.standard_normal((markets, 1, bars))
    steps *= volatilities(log_prices)[:, np.newaxis]
    np.cumsum(steps, axis=2, out=steps)
    steps[:, ~np.isfinite(log_prices)] = np.nan
    return steps.reshape(markets * symbols, bars)
