"""Augmented Dickey-Fuller tests of many series against statsmodels."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.tsa.stattools import adfuller

from tandem.statistics import screen_unit_roots


def reverting(bars, seed=0):
    """One series for each strength of reversion, from strong to none."""
    generator, series = np.random.default_rng(seed), np.zeros((3, bars))
    for bar in range(1, bars):
        series[:, bar] = np.array([0.5, 0.95, 1.0]) * series[:, bar - 1] + generator.standard_normal(3)
    return series + 7


@pytest.mark.parametrize("bars", [30, 100, 546])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("autolag", ["aic", "bic", None])
def test_every_series_is_that_of_statsmodels(autolag, constant, bars):
    series = reverting(bars)
    found = screen_unit_roots(series, constant=constant, autolag=autolag)
    assert found.row.tolist() == [0, 1, 2]
    for row, values in enumerate(series):
        oracle = adfuller(values, autolag=autolag, regression="c" if constant else "n", result_object=True)
        assert found.statistic[row] == pytest.approx(oracle.statistic, abs=1e-9)
        assert found.lags[row] == oracle.lags
        if constant:
            assert found.pvalue[row] == pytest.approx(oracle.pvalue, abs=1e-9)


@pytest.mark.parametrize("constant", [True, False])
def test_the_plain_twin_agrees(plain_unit_root, constant):
    series = reverting(200, seed=3)
    found = screen_unit_roots(series, constant=constant)
    for row, values in enumerate(series):
        assert (found.statistic[row], found.lags[row]) == pytest.approx(plain_unit_root(values, constant=constant))


def test_a_missing_value_is_left_out():
    series = reverting(120)
    gappy = np.insert(series, [5, 60, 120], np.nan, axis=1)
    np.testing.assert_array_equal(screen_unit_roots(gappy).statistic, screen_unit_roots(series).statistic)


def test_a_series_without_an_answer_is_refused():
    series = np.vstack([reverting(50), np.ones(50), np.full(50, np.nan), np.sin(np.arange(50) / 5)])
    found = screen_unit_roots(series)
    assert found.row.tolist() == [0, 1, 2]
    reasons = [found.refused.refusal(index).reason for index in range(len(found.refused))]
    assert reasons == ["constant series", "too few bars", "singular regression"]


@given(series=arrays(np.float64, (2, 40), elements=st.floats(width=64)), constant=st.booleans())
@settings(max_examples=100, deadline=None)
def test_garbage_gives_rows_or_refusals(series, constant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = screen_unit_roots(series, constant=constant)
    assert sorted([*found.row, *found.refused.row]) == [0, 1]
    assert np.isfinite(found.statistic).all()
    assert np.isfinite(found.pvalue).all()


def test_a_vector_is_no_matrix():
    with pytest.raises(ValueError, match="rows of a matrix"):
        screen_unit_roots(np.ones(50))


@pytest.mark.parametrize("maxlag", [2.5, -1, "3"])
def test_lags_that_are_no_whole_number_are_said(maxlag):
    with pytest.raises(ValueError, match="maxlag is a whole number, at least 0, got"):
        screen_unit_roots(np.zeros((1, 40)), maxlag=maxlag)
