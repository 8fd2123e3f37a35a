"""The drifting hedge against statsmodels' state space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.mlemodel import MLEModel

from tandem.market import Refusal
from tandem.statistics import kalman_hedge

GENERATOR = np.random.default_rng(1)
X = 4 + np.cumsum(GENERATOR.standard_normal(400)) * 0.01
NOISE, DELTA = 0.003, 0.04
STEPS = GENERATOR.standard_normal((2, 400)) * NOISE * DELTA**0.5
RATIO, LEVEL = np.array([[1.2], [0.5]]) + np.cumsum(STEPS, axis=1)
Y = LEVEL + RATIO * (X - X[0]) + GENERATOR.standard_normal(400) * NOISE


def oracle(y, x, delta, noise):
    model = MLEModel(y, k_states=2, initialization="diffuse")
    model.ssm["design"] = np.vstack([x - x[0], np.ones(x.size)])[None]
    model.ssm["transition"], model.ssm["selection"] = np.eye(2), np.eye(2)
    model.ssm["obs_cov"], model.ssm["state_cov"] = np.array([[noise**2]]), np.eye(2) * delta * noise**2
    return model.ssm.filter()


def twin(y, x, delta):
    """Least squares over all that is known: every level and slope is an unknown, every step an observation."""
    n = y.size
    observed = np.zeros((n, 2 * n))
    observed[np.arange(n), 2 * np.arange(n)], observed[np.arange(n), 2 * np.arange(n) + 1] = x - x[0], 1
    steps = (np.eye(2 * n, k=2) - np.eye(2 * n))[: 2 * n - 2] / np.sqrt(delta)
    slope, level = np.linalg.lstsq(np.vstack([observed, steps]), np.append(y, np.zeros(2 * n - 2)))[0][-2:]
    return slope, level - slope * x[0]


@pytest.mark.parametrize("delta", [1e-8, 1e-4, 1e-2, 1.0])
def test_the_hedge_is_filtered_as_statsmodels_filters(delta):
    found = kalman_hedge(Y, X, delta=delta)
    expected = oracle(Y, X, delta, found.noise)
    np.testing.assert_allclose(found.hedge_ratio[1:], expected.filtered_state[0][1:], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.intercept + found.hedge_ratio * X[0], expected.filtered_state[1], atol=1e-9)
    np.testing.assert_allclose(found.innovation[2:], expected.forecasts_error[0][2:], atol=1e-9)
    assert found.loglikelihood == pytest.approx(expected.llf, abs=1e-6)


@pytest.mark.parametrize("delta", [1e-4, 1e-2])
def test_the_last_hedge_is_that_of_least_squares_over_all_steps(delta):
    found = kalman_hedge(Y[:60], X[:60], delta=delta).last
    assert (found.hedge_ratio, found.intercept) == pytest.approx(twin(Y[:60], X[:60], delta), rel=1e-8)


@pytest.mark.parametrize("bars", [10, 100, 399])
def test_a_bar_knows_nothing_of_the_bars_after_it(bars):
    whole, part = kalman_hedge(Y, X), kalman_hedge(Y[:bars], X[:bars])
    for name in ("hedge_ratio", "intercept", "innovation", "variance"):
        assert (getattr(whole, name)[:bars] == getattr(part, name)).all()


def test_innovations_are_as_wide_as_was_said_before():
    found = kalman_hedge(Y, X, delta=None)
    standard = found.innovation[50:] / np.sqrt(found.variance[50:])
    assert standard.std() == pytest.approx(1, abs=0.15)
    assert np.isinf(found.variance[:2]).all()
    assert (found.innovation[:2] == 0).all()


def test_maximum_likelihood_finds_the_drift_that_was_simulated():
    found = kalman_hedge(Y, X, delta=None)
    assert found.loglikelihood >= max(kalman_hedge(Y, X, delta=10.0**power).loglikelihood for power in range(-10, 1))
    assert np.log10(found.delta) == pytest.approx(np.log10(DELTA), abs=0.5)
    assert found.noise == pytest.approx(NOISE, rel=0.1)


def test_a_line_that_does_not_drift_is_the_line_of_least_squares():
    slope, intercept = np.polyfit(X, Y, 1)
    found = kalman_hedge(Y, X, delta=1e-14).last
    assert (found.hedge_ratio, found.intercept) == pytest.approx((slope, intercept), rel=1e-6)


@given(unit=st.floats(0.01, 100), shift=st.floats(-5, 5))
@settings(deadline=None, max_examples=30)
def test_a_shift_of_either_leg_and_the_unit_of_the_first_change_only_units(unit, shift):
    plain, other = kalman_hedge(Y, X), kalman_hedge(Y * unit + shift, X + shift)
    np.testing.assert_allclose(other.hedge_ratio, plain.hedge_ratio * unit, rtol=1e-6, atol=1e-8 * unit)
    np.testing.assert_allclose(other.innovation, plain.innovation * unit, atol=1e-8 * unit)


def test_a_second_leg_that_stands_still_at_first_is_waited_for():
    x = X.copy()
    x[:5] = x[0]
    found = kalman_hedge(Y, x)
    assert np.isfinite(found.hedge_ratio).all()
    assert (found.hedge_ratio[:5] == 0).all()
    expected = oracle(Y, x, found.delta, found.noise)
    np.testing.assert_allclose(found.hedge_ratio[6:], expected.filtered_state[0][6:], rtol=1e-6)


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (Y, np.full(400, 3.0), "constant price"),
        (np.full(400, 3.0), X, "constant price"),
        (2 * X + 1, X, "collinear legs"),
    ],
)
def test_legs_without_a_hedge_to_follow_are_refused(y, x, reason):
    for delta in (1e-4, None):
        found = kalman_hedge(y, x, delta=delta)
        assert isinstance(found, Refusal)
        assert found.reason == reason


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=10, max_size=40))
@settings(deadline=None)
def test_prices_of_a_few_ticks_give_numbers_or_a_refusal(ticks):
    y, x = np.log(np.array(ticks, dtype=float).T)
    found = kalman_hedge(y, x)
    if not isinstance(found, Refusal):
        assert np.isfinite(found.hedge_ratio).all()
        assert np.isfinite(found.innovation).all()
        assert (found.variance > 0).all()


@pytest.mark.parametrize(
    ("y", "x", "delta", "message"),
    [
        (Y[:5], X[:5], 1e-4, "at least 10"),
        (Y, X[1:], 1e-4, "as many bars"),
        (Y, X, 0.0, "delta is positive"),
        (Y, np.where(X > 4, X, np.nan), 1e-4, "not a finite number"),
    ],
)
def test_what_cannot_be_followed_is_said_in_one_line(y, x, delta, message):
    with pytest.raises(ValueError, match=message):
        kalman_hedge(y, x, delta=delta)


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e-160, 1e-155, 1e-100, 1e100, 1e155, 1e160, 1e300])
@pytest.mark.parametrize("delta", [1e-4, None])
def test_prices_beyond_what_squares_can_hold_are_refused_and_never_nan(unit, delta):
    found = kalman_hedge(Y * unit, X * unit, delta=delta)
    if not isinstance(found, Refusal):
        assert np.isfinite([found.hedge_ratio, found.intercept, found.innovation]).all()
        assert not np.isnan(found.variance).any()
        assert np.isfinite([found.noise, found.loglikelihood, found.delta]).all()
    assert isinstance(found, Refusal) == (unit not in (1e-100, 1e100))
