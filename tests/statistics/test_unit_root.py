"""Augmented Dickey-Fuller against statsmodels."""

import numpy as np
import pytest

from tandem.statistics import adf


@pytest.mark.parametrize("bars", [30, 100, 546, 1800])
@pytest.mark.parametrize("phi", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_adf_is_that_of_statsmodels(seed, phi, bars):
    from statsmodels.tsa.stattools import adfuller

    generator, series = np.random.default_rng(seed), np.zeros(bars)
    for bar in range(1, bars):
        series[bar] = phi * series[bar - 1] + generator.standard_normal()
    oracle, found = adfuller(series, result_object=True), adf(series)
    assert found.statistic == pytest.approx(oracle.statistic, abs=1e-9)
    assert found.pvalue == pytest.approx(oracle.pvalue, abs=1e-9)
    assert found.lags == oracle.lags


def test_a_constant_series_has_no_unit_root_to_test():
    with pytest.raises(ValueError, match="constant"):
        adf(np.ones(50))
