"""The mission's metrics, or why there are none."""

from decimal import Decimal

import numpy as np
import pytest

from tandem.operations.run.measure import daily_sharpe, measures
from tandem.statistics import deflated_sharpe
from tandem.store import TrialCount

ALONE = TrialCount(1)


def found(equity, trades=(), fills=(), gross=Decimal(0), tried=ALONE):
    known = measures([Decimal(v) for v in equity], trades, fills, gross, tried)
    return {measure.name: measure for measure in known}


def test_total_return_is_the_end_over_the_start():
    assert found([100, 110, 121])["total_return"].value == pytest.approx(0.21)


def test_a_sharpe_ratio_needs_five_daily_returns():
    assert found([100, 101, 102, 101, 103])["sharpe_ratio"].note == "4 daily returns; 5 are the least for a deviation"
    six = found([100, 101, 102, 101, 103, 104])
    assert six["sharpe_ratio"].value > 0
    assert six["sharpe_standard_error"].value > 0
    assert 0.5 < six["probabilistic_sharpe"].value < 1
    assert "too few to conclude" in six["sharpe_ratio"].note


def test_returns_that_do_not_vary_have_no_sharpe_ratio():
    assert found([100] * 8)["sharpe_ratio"].note == "daily returns do not vary"


def test_a_week_is_not_annualised():
    calmar = found([100, 99, 104])["calmar_ratio"]
    assert calmar.value is None
    assert "2 sessions are too few" in calmar.note


def test_a_quarter_is():
    assert found([100 + n % 5 + n / 10 for n in range(64)])["calmar_ratio"].value > 0


def test_every_missing_value_has_a_reason():
    for measure in found([0]).values():
        assert measure.value is not None or measure.note


CURVE = [100 + n / 10 + n % 5 for n in range(80)]


def test_one_trial_is_deflated_by_nothing():
    measured = found(CURVE)
    assert measured["deflated_sharpe_ratio"].value == measured["probabilistic_sharpe"].value
    assert measured["trials"].value == 1
    assert found(CURVE, tried=TrialCount(0))["trials"].value == 1


def test_the_more_was_tried_the_less_a_sharpe_ratio_says():
    values = [found(CURVE, tried=TrialCount(n))["deflated_sharpe_ratio"].value for n in (1, 10, 100, 1000)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0]
    assert found(CURVE, tried=TrialCount(100))["trials"].value == 100


def test_trials_vary_as_their_sharpe_ratios_do_where_enough_have_one():
    returns = np.diff(CURVE) / np.array(CURVE[:-1])
    known = found(CURVE, tried=TrialCount(50, 12, 0.03))["deflated_sharpe_ratio"]
    assert known.value == pytest.approx(deflated_sharpe(returns, 50, 0.03))
    assert known.note == "of 50 trials, spread as the Sharpe ratios of 12 of them"
    few = found(CURVE, tried=TrialCount(50, 9, 0.03))["deflated_sharpe_ratio"]
    assert few.value == pytest.approx(deflated_sharpe(returns, 50, 1 / 78))
    assert few.note == "of 50 trials, spread as ratios without skill would be"


def test_a_sharpe_ratio_of_a_day_is_not_annualised():
    ratio, returns = daily_sharpe([Decimal(str(value)) for value in CURVE])
    assert ratio == pytest.approx(found(CURVE)["sharpe_ratio"].value / np.sqrt(252))
    assert returns == 79
    assert daily_sharpe([Decimal(100)] * 9) == (None, 8)
    assert daily_sharpe([]) == (None, 0)
