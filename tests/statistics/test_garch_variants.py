"""Asymmetric variances of one spread."""

import numpy as np
import pytest

from tandem.config import GarchSettings
from tandem.statistics import fit_spread, fit_variant


@pytest.fixture(scope="module")
def falling():
    """AR(1) whose variance rises after a fall only, 1,500 bars."""
    generator = np.random.default_rng(6)
    spread, variance, noise = np.zeros(1500), 1.0, 0.0
    for bar in range(1, 1500):
        variance = 0.1 + 0.25 * noise**2 * (noise < 0) + 0.8 * variance
        noise = np.sqrt(variance) * generator.standard_normal()
        spread[bar] = 0.9 * spread[bar - 1] + noise
    return spread * 0.002


@pytest.mark.parametrize("variant", ["gjr", "egarch"])
def test_an_asymmetric_variance_is_found_and_preferred(falling, variant):
    fit = fit_variant(falling, variant)
    assert fit.converged
    assert fit.parameters["gamma[1]"] * (1 if variant == "gjr" else -1) > 0.05
    assert fit.aic < fit_spread(falling, GarchSettings()).aic


def test_heavy_tails_have_a_parameter_of_their_own(falling):
    assert fit_variant(falling, "gjr", "studentst").parameters["nu"] > 2


def test_a_symmetric_spread_gains_nothing(garch_spread):
    fit = fit_variant(garch_spread, "gjr")
    assert fit.bic > fit_spread(garch_spread, GarchSettings()).bic


def test_a_constant_spread_has_no_variant():
    with pytest.raises(ValueError, match="constant"):
        fit_variant(np.ones(50), "gjr")


def test_an_unknown_variant_is_an_error(garch_spread):
    with pytest.raises(ValueError, match="figarch"):
        fit_variant(garch_spread, "figarch")
