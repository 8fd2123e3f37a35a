"""Hedge, equilibrium, half-life, and the closed form of reversion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.statistics import fit_equilibrium, fit_hedge, fit_hedge_tls, half_life, reversion_probability

GENERATOR = np.random.default_rng(1)
B = np.cumsum(GENERATOR.standard_normal(300)) * 0.01
A = 0.3 + 1.2 * B + GENERATOR.standard_normal(300) * 0.002


def test_least_squares_hedge_leaves_a_spread_without_mean_or_slope():
    spread = fit_hedge(A, B).spread(A, B)
    assert spread.mean() == pytest.approx(0, abs=1e-12)
    assert spread @ (B - B.mean()) == pytest.approx(0, abs=1e-12)


def test_total_least_squares_draws_one_line_whichever_leg_is_first():
    there, back = fit_hedge_tls(A, B), fit_hedge_tls(B, A)
    assert there.hedge_ratio == pytest.approx(1 / back.hedge_ratio)
    assert there.intercept == pytest.approx(-back.intercept / back.hedge_ratio)
    assert there.hedge_ratio == pytest.approx(1.2, abs=0.02)


def test_total_least_squares_needs_a_second_leg_that_moves():
    with pytest.raises(ValueError, match="does not move"):
        fit_hedge_tls(A, np.ones(300))


def test_the_equilibrium_uses_the_sample_deviation():
    found = fit_equilibrium(np.array([1.0, 2.0, 3.0]))
    assert (found.mean, found.deviation) == (2.0, 1.0)
    assert found.z(np.array([4.0])).tolist() == [2.0]


def test_half_of_a_deviation_is_left_after_a_half_life():
    decay = 0.8 ** np.arange(40)
    found = half_life(decay)
    assert found.phi == pytest.approx(0.8)
    assert 0.8**found.bars == pytest.approx(0.5)


@pytest.mark.parametrize("series", [1.1 ** np.arange(30), (-0.5) ** np.arange(30)])
def test_a_spread_that_runs_away_or_flips_has_no_half_life(series):
    found = half_life(series)
    assert found.bars is None
    assert not found.reverts


@pytest.mark.parametrize(("z", "rho"), [(0.5, 0.5), (2.0, 0.5), (2.0, 0.9), (1.0, 0.0)])
def test_reversion_probability_is_the_share_of_simulated_spreads_that_come_closer(z, rho):
    later = rho * z + np.sqrt(1 - rho**2) * np.random.default_rng(3).standard_normal(400_000)
    assert reversion_probability(np.array([z]), rho)[0] == pytest.approx(np.mean(np.abs(later) < z), abs=3e-3)


@given(z=st.floats(-6, 6), rho=st.floats(0, 0.999))
def test_reversion_probability_is_symmetric_and_a_probability(z, rho):
    there, back = reversion_probability(np.array([z, -z]), rho)
    assert there == back
    assert 0 <= there <= 1


def test_the_base_rate_of_reversion_is_one_half():
    z = np.random.default_rng(5).standard_normal(400_000)
    assert reversion_probability(z, 0.7).mean() == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("rho", [1.0, -0.1, 1.5])
def test_an_autocorrelation_outside_its_range_is_refused(rho):
    with pytest.raises(ValueError, match="autocorrelation"):
        reversion_probability(np.array([1.0]), rho)
