"""A path that grows bar by bar is the one that a single pass gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.statistics import GarchFilter, GarchFit

SPREADS = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=2, max_size=60)
WEIGHTS = st.floats(0, 1)
FITS = st.builds(
    lambda mu, phi, omega, alpha, beta, scale, backcast: GarchFit(
        mu, phi, omega, alpha, beta, None, scale, backcast, 0.0, 0.0, 0.0, alpha + beta, True, 0.5, 0.5
    ),
    st.floats(-1, 1), st.floats(-1, 1), WEIGHTS, WEIGHTS, WEIGHTS, st.floats(1e-4, 1e2), WEIGHTS,
)  # fmt: skip
LAW = settings(max_examples=200, deadline=None)


def same(ours, theirs):
    np.testing.assert_array_equal(ours.residuals, theirs.residuals)
    np.testing.assert_array_equal(ours.variances, theirs.variances)


@LAW
@given(data=st.data(), fit=FITS, spread=SPREADS)
def test_runs_of_any_length_give_what_one_pass_gives_bit_for_bit(data, fit, spread):
    growing, left = GarchFilter(fit), list(spread)
    while left:
        run = data.draw(st.integers(1, len(left)))
        growing.extend(left[:run])
        left = left[run:]
    whole = fit.filter(spread)
    same(growing.path(), whole)
    newest = data.draw(st.integers(1, 70))
    same(growing.path(newest), type(whole)(whole.residuals[-newest:], whole.variances[-newest:]))


@LAW
@given(data=st.data(), fit=FITS, spread=SPREADS, other=SPREADS)
def test_what_was_taken_back_leaves_nothing_behind(data, fit, spread, other):
    growing = GarchFilter(fit)
    growing.extend(spread)
    kept = data.draw(st.integers(0, len(spread)))
    growing.cut(kept)
    growing.extend(other)
    assert len(growing) == kept + len(other)
    same(growing.path(), fit.filter([*spread[:kept], *other]))


def test_no_bars_are_no_path_and_one_bar_has_no_forecast():
    fit = GarchFit(0.0, 0.9, 0.1, 0.1, 0.8, None, 1.0, 1.0, 0.0, 0.0, 0.0, 0.9, True, 0.5, 0.5)
    growing = GarchFilter(fit)
    assert growing.path().residuals.size == 0
    growing.extend([1.0])
    assert np.isnan(growing.path().residuals).all()


def test_a_bar_that_is_no_number_is_refused():
    fit = GarchFit(0.0, 0.9, 0.1, 0.1, 0.8, None, 1.0, 1.0, 0.0, 0.0, 0.0, 0.9, True, 0.5, 0.5)
    with pytest.raises(ValueError, match="not a finite number"):
        GarchFilter(fit).extend([np.nan])


@LAW
@given(fit=FITS, residual=st.floats(-1, 1), variance=WEIGHTS, bars=st.integers(1, 90))
def test_a_change_over_some_bars_is_the_last_of_all_changes_up_to_them(fit, residual, variance, bars):
    assert fit.change_deviation(residual, variance, bars) == fit.change_deviations(residual, variance, bars)[-1]
