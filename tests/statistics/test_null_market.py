"""Counts of passing pairs in whole markets that hold no cointegrated pair."""

import numpy as np
import pytest

from tandem.statistics import (
    SimulatedMarkets,
    all_pairs,
    null_market,
    screen_cointegration,
    simulated_markets,
    simulated_null,
    volatilities,
)


def walks(symbols, bars, correlation=0.0, seed=5):
    generator = np.random.default_rng(seed)
    own, market = generator.standard_normal((symbols, bars)), generator.standard_normal(bars)
    return 0.01 * np.cumsum(np.sqrt(1 - correlation) * own + np.sqrt(correlation) * market, axis=1)


@pytest.fixture
def seen(monkeypatch):
    """The walks that were tested and their pairs."""
    shown = []

    def spy(log_prices, pairs, method, threads):
        shown.append((log_prices, pairs))
        return np.ones(len(pairs))

    monkeypatch.setattr(null_market, "weaker_pvalues", spy)
    return shown


def test_the_mean_is_that_of_independent_pairs_and_the_range_is_far_wider_than_its_error():
    market = simulated_markets(walks(30, 200), None, 0.05, tests=90_000)
    null = simulated_null([200], [1.0], [1.0], 0.05, tested=435)
    error = (market.high - market.low) / 3.29 / np.sqrt(market.markets)
    assert abs(market.mean - null.passing) < 3 * (error + null.standard_error)
    assert market.low < null.passing - 2 * null.standard_error
    assert market.high > null.passing + 2 * null.standard_error


def test_markets_whose_symbols_move_together_differ_more_from_one_another():
    alone, together = (simulated_markets(walks(30, 200), None, 0.05, correlation=rho, tests=90_000) for rho in (0, 0.6))
    assert together.high - together.low > 1.2 * (alone.high - alone.low)


def test_nine_in_ten_markets_without_a_true_pair_lie_within_the_range():
    market = simulated_markets(walks(20, 150), None, 0.05, correlation=0.3)
    counts = [
        int((screen_cointegration(walks(20, 150, correlation=0.3, seed=seed)).pvalue < 0.05).sum())
        for seed in range(100)
    ]
    assert 82 <= sum(market.low <= count <= market.high for count in counts) <= 99


def test_walks_have_the_volatility_the_missing_bars_and_the_correlation_asked_for(seen):
    real = walks(4, 390) * np.array([[1], [2], [3], [4]])
    real[1, :100] = real[3, 200:210] = np.nan
    simulated_markets(real, None, 0.05, correlation=0.5, tests=12_000)
    markets = np.concatenate([found.reshape(-1, 4, 390) for found, _ in seen])
    assert len(markets) == 2000
    assert (np.isnan(markets) == np.isnan(real)).all()
    steps = np.diff(markets[:, :, 210:], axis=2).transpose(1, 0, 2).reshape(4, -1)
    assert steps.std(axis=1) == pytest.approx(volatilities(real), rel=0.01)
    assert np.corrcoef(steps)[np.triu_indices(4, 1)] == pytest.approx(0.5, abs=0.01)


def test_a_large_family_is_counted_on_part_of_its_symbols_and_scaled(seen):
    market = simulated_markets(walks(40, 100), None, 0.05, tests=200 * 105)
    matrix, pairs = seen[0]
    assert market == SimulatedMarkets(0, 0, 0, 200, 0)
    assert pairs[:105].max() == 14
    assert len(matrix) == 15 * 200
    part, whole = (simulated_markets(walks(40, 100), None, 0.999, tests=tests) for tests in (200 * 105, 200 * 780))
    assert part.mean == pytest.approx(whole.mean, rel=0.02)


def test_only_symbols_that_are_tested_are_walked(seen):
    simulated_markets(walks(5, 100), [[0, 4], [2, 4]], 0.05, tests=2)
    matrix, pairs = seen[0]
    assert len(matrix) == 200 * 2
    assert pairs[:2].tolist() == [[0, 1], [2, 3]]


def test_symbols_that_no_pair_names_change_nothing():
    real = walks(20, 100)
    more = np.vstack([real, walks(5, 100, seed=6)])
    alone, beside = (simulated_markets(prices, all_pairs(20), 0.2, tests=9000) for prices in (real, more))
    assert alone == beside


def test_long_histories_are_walked_at_fewer_bars(seen):
    simulated_markets(walks(3, 3000), None, 0.05, tests=300)
    assert seen[0][0].shape[1] == 375


@pytest.mark.parametrize("method", ["engle_granger", "johansen", "both"])
def test_equal_arguments_give_equal_counts_on_any_number_of_threads(method, monkeypatch):
    real = walks(9, 120, correlation=0.3)
    one, two = (simulated_markets(real, None, 0.1, tests=7200, method=method, threads=threads) for threads in (1, 2))
    assert one == two
    assert simulated_markets(real, None, 0.1, tests=7200, method=method, seed=8) != one
    monkeypatch.setattr(null_market, "VALUES_AT_ONCE", 1)
    assert simulated_markets(real, all_pairs(9), 0.1, tests=7200, method=method).markets == one.markets


def test_nothing_tested_passes_nothing_and_a_correlation_of_one_is_none():
    assert simulated_markets(walks(3, 100), np.empty((0, 2), int), 0.05) == SimulatedMarkets(0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="correlation must lie in"):
        simulated_markets(walks(3, 100), None, 0.05, correlation=1.0)
