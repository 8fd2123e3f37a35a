"""Residual tests and forecast comparison against statsmodels."""

import numpy as np
import pytest

from tandem.statistics import arch_lm, diebold_mariano, ljung_box, qlike

NOISE = np.random.default_rng(4).standard_normal(400)
SMOOTH = np.convolve(NOISE, np.ones(4) / 4, mode="valid")


@pytest.mark.parametrize("series", [NOISE, SMOOTH])
def test_ljung_box_is_that_of_statsmodels(series):
    from statsmodels.stats.diagnostic import acorr_ljungbox

    oracle, found = acorr_ljungbox(series, lags=[10]), ljung_box(series)
    assert found.statistic == pytest.approx(oracle["lb_stat"].iloc[0])
    assert found.pvalue == pytest.approx(oracle["lb_pvalue"].iloc[0], abs=1e-12)


@pytest.mark.parametrize("series", [NOISE, SMOOTH])
def test_arch_lm_is_that_of_statsmodels(series):
    from statsmodels.stats.diagnostic import het_arch

    oracle, found = het_arch(series, nlags=5, result_object=False), arch_lm(series)
    assert (found.statistic, found.pvalue) == pytest.approx(tuple(oracle[:2]), abs=1e-10)


def test_diebold_mariano_is_that_of_statsmodels():
    from statsmodels.tsa.stattools import diebold_mariano_test

    proxy = NOISE**2
    first, second = np.full(400, 1.5), 0.5 + 0.5 * np.roll(proxy, 1)
    oracle = diebold_mariano_test(proxy, first, second, criterion=qlike)
    found = diebold_mariano(qlike(proxy, first), qlike(proxy, second))
    assert (found.statistic, found.lags) == (pytest.approx(oracle.statistic), oracle.lags)
    assert found.probability == pytest.approx(1 - oracle.pvalue / 2 if oracle.statistic > 0 else oracle.pvalue / 2)


def test_the_true_variance_loses_least():
    proxy = NOISE**2
    losses = {forecast: qlike(proxy, np.full(400, forecast)).mean() for forecast in (0.5, proxy.mean(), 2.0)}
    assert min(losses, key=losses.__getitem__) == proxy.mean()


def test_the_better_second_forecast_gets_a_probability_near_one():
    generator = np.random.default_rng(9)
    variance = np.exp(np.sin(np.arange(600) / 30))
    proxy = variance * generator.standard_normal(600) ** 2
    better = diebold_mariano(qlike(proxy, np.full(600, proxy.mean())), qlike(proxy, variance))
    worse = diebold_mariano(qlike(proxy, variance), qlike(proxy, np.full(600, proxy.mean())))
    assert better.probability > 0.99
    assert worse.probability == pytest.approx(1 - better.probability)


def test_equal_forecasts_are_a_tie():
    assert diebold_mariano(NOISE, NOISE).probability == 0.5
