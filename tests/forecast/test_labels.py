import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tandem.config import ModelSettings
from tandem.forecast import horizon_of, labels, reverts, toward


def test_reverts_asks_whether_the_spread_is_closer_one_horizon_later():
    answers = reverts(np.array([3.0, -1.0, 2.0, -2.0, 0.0]), 0.0, 2)
    np.testing.assert_array_equal(answers, [1, 0, 1, np.nan, np.nan])


def test_toward_asks_about_the_next_move_only():
    answers = toward(np.array([2.0, 1.0, 3.0, 3.0]), 0.0)
    np.testing.assert_array_equal(answers, [1, 0, 0, np.nan])


def test_the_setting_chooses_the_label():
    spread = np.array([2.0, 1.0, 3.0, 0.5])
    np.testing.assert_array_equal(labels(spread, 0.0, 2, ModelSettings()), reverts(spread, 0.0, 2))
    np.testing.assert_array_equal(labels(spread, 0.0, 2, ModelSettings(label="toward")), toward(spread, 0.0))


def test_a_horizon_is_the_half_life_rounded_and_at_least_one_bar():
    assert [horizon_of(bars) for bars in (0.2, 1.4, 6.6, 40.0)] == [1, 1, 7, 40]


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=30), st.floats(-5, 5), st.integers(1, 3))
def test_mirroring_the_spread_changes_no_label(values, mean, horizon):
    spread = np.array(values)
    np.testing.assert_array_equal(reverts(spread, mean, horizon), reverts(-spread, -mean, horizon))


def test_the_base_rate_on_a_reverting_spread_is_a_half():
    rng = np.random.default_rng(2)
    spread = np.zeros(40_000)
    for bar in range(1, len(spread)):
        spread[bar] = 0.9 * spread[bar - 1] + rng.standard_normal()
    assert abs(np.nanmean(reverts(spread, 0.0, 7)) - 0.5) < 0.02
