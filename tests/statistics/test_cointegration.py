"""Cointegration against statsmodels, and what the definition promises."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.statistics import engle_granger, johansen


def walks(seed, bars, share=0.0):
    generator = np.random.default_rng(seed)
    x = np.cumsum(generator.standard_normal(bars)) * 0.01
    y = share * x + np.cumsum(generator.standard_normal(bars)) * 0.01 * (1 - share)
    return y + share * generator.standard_normal(bars) * 0.01, x


@pytest.mark.parametrize("bars", [60, 252, 546])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_engle_granger_is_the_weaker_of_both_orders_of_statsmodels(seed, share, bars):
    from statsmodels.tsa.stattools import coint

    y, x = walks(seed, bars, share)
    found = engle_granger(y, x)
    forward, backward = coint(y, x, trend="c", autolag="aic"), coint(x, y, trend="c", autolag="aic")
    weaker = max(forward, backward, key=lambda result: result[0])
    assert found.statistic == pytest.approx(weaker[0], abs=1e-9)
    assert found.pvalue == pytest.approx(max(forward[1], backward[1]), abs=1e-9)
    assert (found.pvalue_yx, found.pvalue_xy) == pytest.approx((forward[1], backward[1]), abs=1e-9)


@given(seed=st.integers(0, 10_000), bars=st.integers(60, 300), share=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_pair_does_not_matter_for_the_p_value(seed, bars, share):
    y, x = walks(seed, bars, share)
    there, back = engle_granger(y, x), engle_granger(x, y)
    assert (there.pvalue, there.statistic, there.lags) == (back.pvalue, back.statistic, back.lags)


@given(seed=st.integers(0, 10_000), unit=st.floats(1e-3, 1e3), shift=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_units_and_levels_of_the_prices_do_not_matter_for_the_p_value(seed, unit, shift):
    y, x = walks(seed, 200, 0.5)
    assert engle_granger(y * unit + shift, x).pvalue == pytest.approx(engle_granger(y, x).pvalue, abs=1e-7)


def test_the_hedge_of_engle_granger_is_y_on_x_whichever_order_decided():
    y, x = walks(3, 300, 1.0)
    slope, intercept = np.polyfit(x, y, 1)
    result = engle_granger(y, x)
    assert (result.hedge_ratio, result.intercept) == pytest.approx((slope, intercept), abs=1e-10)


def test_the_larger_p_value_keeps_the_size_of_the_test():
    pvalues = [engle_granger(*walks(seed, 120)).pvalue for seed in range(400)]
    assert np.mean(np.array(pvalues) < 0.05) < 0.07


def test_a_series_and_its_multiple_are_cointegrated_beyond_measure():
    y, _ = walks(1, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = engle_granger(2 * y + 1, y)
    assert (result.statistic, result.pvalue) == (-np.inf, 0.0)


def test_johansen_is_that_of_statsmodels():
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    y, x = walks(2, 300, 1.0)
    oracle, found = coint_johansen(np.column_stack([y, x]), 0, 1), johansen(y, x)
    assert (found.statistic, found.statistic_rank_1) == pytest.approx(tuple(oracle.lr1), abs=1e-9)
    assert found.hedge_ratio == pytest.approx(1.0, abs=0.2)
    assert johansen(x, y).statistic == pytest.approx(found.statistic, rel=1e-6)


@pytest.mark.parametrize(("statistic", "level"), [(13.4294, 0.10), (15.4943, 0.05), (19.9349, 0.01)])
def test_the_p_value_of_the_trace_meets_the_tabulated_points(statistic, level):
    from scipy.stats import gamma

    from tandem.statistics.cointegration import TRACE_SCALE, TRACE_SHAPE

    assert gamma.sf(statistic, TRACE_SHAPE, scale=TRACE_SCALE) == pytest.approx(level, abs=5e-4)


def test_the_trace_has_its_size_on_walks_with_drift_and_rejects_too_often_without():
    def rejected(drift):
        trend = np.arange(400) * drift * 0.01
        legs = [walks(seed, 400) for seed in range(300)]
        return np.mean([johansen(y + trend, x + 0.3 * trend).pvalue < 0.05 for y, x in legs])

    assert rejected(1.0) == pytest.approx(0.05, abs=0.03)
    assert 0.07 < rejected(0.0) < 0.2


def test_a_value_that_is_not_finite_is_refused():
    y, x = walks(1, 100)
    y[7] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        engle_granger(y, x)
