"""Johansen's tests of many pairs against statsmodels."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from tandem.statistics import all_pairs, screen_johansen
from tandem.statistics.johansen import TRACE_SCALE, TRACE_SHAPE


def legs(prices, i, j):
    common = np.isfinite(prices[i]) & np.isfinite(prices[j])
    return np.column_stack([prices[i][common], prices[j][common]])


def oracle(prices, i, j):
    both = legs(prices, i, j)
    found = coint_johansen(both, 0, 1)
    hedge_ratio = -found.evec[1, 0] / found.evec[0, 0]
    intercept = both[:, 0].mean() - hedge_ratio * both[:, 1].mean()
    return found.lr1[0], found.lr2[0], found.lr1[1], hedge_ratio, intercept, len(both)


def columns(table):
    return np.column_stack(
        [table.trace, table.max_eigen, table.trace_rank_1, table.hedge_ratio, table.intercept, table.bars]
    )


def twin(both):
    """Reduced-rank regression as it is written in the textbook."""
    changes, levels = np.diff(both, axis=0)[1:], both[1:-1]
    past = np.column_stack([np.diff(both, axis=0)[:-1], np.ones(len(changes))])
    short, long = (values - past @ np.linalg.lstsq(past, values)[0] for values in (changes, levels))
    across = np.linalg.solve(long.T @ long, long.T @ short) @ np.linalg.solve(short.T @ short, short.T @ long)
    return -len(changes) * np.log(1 - np.sort(np.linalg.eigvals(across))[::-1])


def test_the_statistics_are_those_of_statsmodels_on_every_pair_of_40_real_stocks(sp500):
    found = screen_johansen(sp500)
    expected = np.array([oracle(sp500, i, j) for i, j in all_pairs(len(sp500))])
    assert len(found.refused) == 0
    np.testing.assert_allclose(columns(found)[:, :3], expected[:, :3], rtol=0, atol=1e-9)
    np.testing.assert_allclose(columns(found)[:, 3:], expected[:, 3:], rtol=1e-6)


@pytest.mark.parametrize("bars", [30, 300])
def test_the_statistics_are_those_of_statsmodels_and_of_the_textbook_with_gaps(gapped, bars):
    prices = gapped[:, :bars]
    found = screen_johansen(prices)
    expected = np.array([oracle(prices, i, j) for i, j in all_pairs(8)])
    np.testing.assert_allclose(columns(found), expected, rtol=1e-8, atol=1e-9)
    by_hand = [twin(legs(prices, i, j)) for i, j in all_pairs(8)]
    np.testing.assert_allclose(np.column_stack([found.max_eigen, found.trace_rank_1]), by_hand, atol=1e-8)


def test_the_statistics_are_those_of_statsmodels_over_30000_bars_with_ties():
    generator = np.random.default_rng(3)
    walks = np.log(np.round(np.exp(4 + np.cumsum(generator.standard_normal((2, 30_000)), axis=1) * 1e-3), 1))
    found = screen_johansen(walks)
    np.testing.assert_allclose(columns(found)[0], oracle(walks, 0, 1), rtol=1e-8, atol=1e-9)


@given(units=st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), shift=st.floats(-5, 5))
@settings(deadline=None)
def test_units_and_levels_scale_the_hedge_and_leave_the_statistics(gapped, units, shift):
    plain = screen_johansen(gapped[:2])
    other = screen_johansen(gapped[:2] * np.array(units)[:, None] + shift)
    assert other.trace == pytest.approx(plain.trace, abs=1e-7)
    assert other.hedge_ratio == pytest.approx(plain.hedge_ratio * units[0] / units[1], rel=1e-6)


def test_swapped_legs_have_the_same_statistics_and_the_inverse_hedge(gapped):
    pairs = all_pairs(8)
    there, back = screen_johansen(gapped, pairs), screen_johansen(gapped, pairs[:, ::-1])
    np.testing.assert_allclose(there.trace, back.trace, atol=1e-9)
    np.testing.assert_allclose(there.hedge_ratio * back.hedge_ratio, 1, rtol=1e-8)


def test_reordered_pairs_and_the_threads_change_no_bit(gapped):
    pairs = np.tile(all_pairs(8), (300, 1))
    there, back = screen_johansen(gapped, pairs, threads=1), screen_johansen(gapped, pairs[::-1], threads=2)
    assert (columns(there) == columns(back)[::-1]).all()


def test_an_impossible_pair_is_refused_with_a_reason_and_leaves_the_others_alone(gapped):
    prices = np.vstack(
        [gapped[0], gapped[1], 2 * gapped[0] + 1, np.full(300, 3.0), np.where(np.arange(300) < 290, np.nan, gapped[2])]
    )
    walk = np.cumsum(np.random.default_rng(1).standard_normal(300)) * 0.01
    prices = np.vstack([prices, np.full(300, np.nan), 1e-3 * np.arange(300.0), walk])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = screen_johansen(prices, [[0, 1], [0, 2], [3, 0], [0, 4], [0, 5], [1, 2], [6, 7], [6, 6]])
    assert found.row.tolist() == [0, 5]
    assert np.isfinite(columns(found)).all()
    reasons = [found.refused.refusal(index).reason for index in range(len(found.refused))]
    assert reasons[:4] == ["collinear legs", "constant price", "too few common bars", "too few common bars"]
    assert reasons[4:] == ["singular regression", "collinear legs"]
    assert found.refused.refusal(2).why.startswith(f"{np.isfinite(prices[0] + prices[4]).sum()} common bars")


def test_the_p_value_is_that_of_a_gamma_law(gapped):
    found = screen_johansen(gapped)
    assert found.pvalue == pytest.approx(gamma.sf(found.trace, TRACE_SHAPE, scale=TRACE_SCALE), rel=1e-12)


@pytest.mark.parametrize(("statistic", "level"), [(13.4294, 0.10), (15.4943, 0.05), (19.9349, 0.01)])
def test_the_p_value_of_the_trace_meets_the_tabulated_points(statistic, level):
    assert gamma.sf(statistic, TRACE_SHAPE, scale=TRACE_SCALE) == pytest.approx(level, abs=5e-4)


def test_the_trace_has_its_size_on_walks_with_drift_and_rejects_too_often_without():
    walks = np.cumsum(np.random.default_rng(2).standard_normal((4000, 400)), axis=1)
    pairs, trend = np.arange(4000).reshape(2000, 2), np.arange(400) * np.tile([[1.0], [0.3]], (2000, 1))
    assert np.mean(screen_johansen(walks + trend, pairs).pvalue < 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(screen_johansen(walks, pairs).pvalue < 0.05) == pytest.approx(0.11, abs=0.02)
