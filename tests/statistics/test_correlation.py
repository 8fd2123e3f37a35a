"""Correlations of many pairs against NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.statistics import all_pairs, correlations


def twin(y, x):
    common = np.isfinite(y) & np.isfinite(x)
    y, x = y[common], x[common]
    return np.corrcoef(y, x)[0, 1], np.corrcoef(np.diff(y), np.diff(x))[0, 1], y.size


def test_correlations_are_those_of_numpy_on_the_common_bars(gapped):
    found = correlations(gapped)
    expected = np.array([twin(gapped[i], gapped[j]) for i, j in all_pairs(8)])
    np.testing.assert_allclose(np.column_stack([found.prices, found.returns, found.bars]), expected, atol=1e-13)


def test_correlations_of_real_stocks_are_those_of_numpy(sp500):
    found = correlations(sp500)
    expected = np.array([twin(sp500[i], sp500[j]) for i, j in all_pairs(len(sp500))])
    np.testing.assert_allclose(np.column_stack([found.prices, found.returns, found.bars]), expected, atol=1e-12)


@given(unit=st.floats(1e-3, 1e3), shift=st.floats(-5, 5))
def test_units_and_levels_do_not_matter(gapped, unit, shift):
    plain, other = correlations(gapped[:3]), correlations(gapped[:3] * unit + shift)
    np.testing.assert_allclose(plain.prices, other.prices, atol=1e-9)
    np.testing.assert_allclose(plain.returns, other.returns, atol=1e-8)


def test_the_order_of_legs_and_of_pairs_and_the_threads_change_no_bit(gapped):
    pairs = np.tile(all_pairs(8), (700, 1))
    there, back = correlations(gapped, pairs, threads=1), correlations(gapped, pairs[::-1, ::-1], threads=2)
    assert (there.prices == back.prices[::-1]).all()
    assert (there.returns == back.returns[::-1]).all()


def test_a_leg_that_does_not_move_is_correlated_with_nothing(gapped):
    still, absent, straight = np.full(300, np.log(31.7)), np.full(300, np.nan), 3 + 1e-3 * np.arange(300.0)
    walk = np.cumsum(np.random.default_rng(1).standard_normal(300))
    found = correlations(np.vstack([gapped[0], still, absent, straight, walk]), [[0, 1], [0, 2], [1, 3], [3, 4]])
    assert found.prices[:3].tolist() == [0, 0, 0]
    assert found.prices[3] == pytest.approx(np.corrcoef(straight, walk)[0, 1])
    assert found.returns.tolist() == [0, 0, 0, 0]
    assert found.bars.tolist()[1:] == [0, 300, 300]


def test_a_leg_and_its_multiple_are_wholly_correlated(gapped):
    found = correlations(np.vstack([gapped[0], 1 - 2 * gapped[0]]))
    assert (found.prices[0], found.returns[0]) == pytest.approx((-1, -1), abs=1e-15)


def test_no_pairs_have_no_correlations(gapped):
    assert len(correlations(gapped, np.empty((0, 2)))) == 0


@pytest.mark.parametrize(
    ("prices", "pairs", "message"),
    [
        (np.zeros(5), None, r"the shape \(symbols, bars\)"),
        (np.zeros((2, 5)), [[0, 1, 1]], r"the shape \(pairs, 2\)"),
        (np.zeros((2, 5)), [[0, 2]], "rows 0 to 2 of 2 symbols"),
    ],
)
def test_what_is_no_matrix_or_no_pair_is_said_in_one_line(prices, pairs, message):
    with pytest.raises(ValueError, match=message):
        correlations(prices, pairs)
