import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.forecast import reverts
from tandem.forecast.baselines import AlwaysOne, HalfLifeForecast, LogisticOnDistance


def test_the_half_life_forecast_is_right_on_the_spread_it_is_made_for():
    rng = np.random.default_rng(4)
    phi, horizon = 0.9, 7
    spread = np.zeros(60_000)
    for bar in range(1, len(spread)):
        spread[bar] = phi * spread[bar - 1] + np.sqrt(1 - phi**2) * rng.standard_normal()
    came, said = reverts(spread, 0.0, horizon), HalfLifeForecast.of(phi, horizon).probability(spread)
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (said >= low) & (said < low + 0.2) & np.isfinite(came)
        assert came[inside].mean() == pytest.approx(said[inside].mean(), abs=0.03)


@given(st.floats(0, 6), st.floats(0.01, 0.99), st.integers(1, 50))
def test_the_half_life_forecast_does_not_care_which_leg_is_rich(z, phi, horizon):
    forecast = HalfLifeForecast.of(phi, horizon)
    rich, cheap = forecast.probability(np.array([z, -z]))
    assert rich == cheap
    assert 0 <= rich <= 1


def test_the_logistic_regression_learns_that_distance_reverts():
    rng = np.random.default_rng(5)
    z = rng.standard_normal(2_000)
    answers = (rng.random(2_000) < 1 / (1 + np.exp(1 - 2 * np.abs(z)))).astype(float)
    fitted = LogisticOnDistance.fit(z, answers)
    assert fitted.slope == pytest.approx(2, abs=0.3)
    assert fitted.intercept == pytest.approx(-1, abs=0.3)


def test_with_one_kind_of_label_the_logistic_regression_has_no_slope():
    fitted = LogisticOnDistance.fit(np.array([0.1, 1.0, 2.0]), np.ones(3))
    assert fitted.slope == 0
    assert 0.5 < fitted.probability(np.array([1.0]))[0] < 1


def test_always_one_answers_yes_even_where_most_labels_are_no():
    always = AlwaysOne(0.3)
    assert always.answers(np.zeros(4)).all()
    assert (always.probability(np.zeros(4)) == 0.3).all()
