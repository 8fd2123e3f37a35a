"""The mission's metrics, or why there are none."""

from decimal import Decimal

import pytest

from tandem.operations.measure import measures


def found(equity, trades=(), fills=(), gross=Decimal(0)):
    return {measure.name: measure for measure in measures([Decimal(v) for v in equity], trades, fills, gross)}


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
