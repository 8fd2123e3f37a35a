"""The formulas of the gates on NumPy arrays: near the exact ones, and with the right derivatives."""

import numpy as np

from tandem.forecast.gru import cell

EVERYWHERE = np.concatenate([np.linspace(-12, 12, 200_001), np.logspace(-30, 1, 400), [0.0, -1e30, 1e30]])


def test_tanh_and_the_logistic_function_are_right_to_2e_7():
    x = EVERYWHERE.astype(np.float32)
    exact = np.tanh(x.astype(np.float64))
    np.testing.assert_allclose(cell.tanh(x), exact, atol=2.5e-7)
    one, other = cell.sigmoids(x, x[::-1])
    logistic = 0.5 + 0.5 * np.tanh(x.astype(np.float64) / 2)
    np.testing.assert_allclose(one, logistic, atol=2e-7)
    np.testing.assert_allclose(other, logistic[::-1], atol=2e-7)


def test_what_is_no_number_stays_none():
    assert np.isnan(cell.tanh(np.array([np.nan], np.float32)))
    assert np.isnan(cell.sigmoids(np.array([np.nan]), np.array([1.0]))).all()


def test_the_way_back_is_the_derivative_of_the_way_forward():
    chance = np.random.default_rng(0)
    into = [chance.standard_normal(200) for _ in range(5)]
    slope = chance.standard_normal(200)

    def after(*values):
        return cell.forward(*values, None)[5]

    fresh, reset, update, _, _, _ = cell.forward(*into, None)
    *gates, _, before = cell.backward(fresh, reset, update, into[3], into[4], slope)
    fresh_at, reset_at, update_at, past_at = gates
    step = 1e-5
    for place, told in enumerate((fresh_at, reset_at, update_at, past_at, before)):
        up, down = ([value + move * step * (at == place) for at, value in enumerate(into)] for move in (1, -1))
        np.testing.assert_allclose(told, slope * (after(*up) - after(*down)) / (2 * step), atol=1e-5)
