"""What trading earned."""

import pytest

from tandem.statistics import (
    avg_trade_duration,
    break_even_cost_bps,
    calmar_ratio,
    max_drawdown,
    profit_factor,
    total_return,
    win_rate,
)


def test_the_drawdown_is_the_deepest_fall_from_a_peak():
    assert max_drawdown([100, 120, 90, 130, 117]) == pytest.approx(0.25)
    assert max_drawdown([100, 101, 102]) == 0


@pytest.mark.parametrize("measure", [max_drawdown, total_return, calmar_ratio])
def test_equity_must_start_positive(measure):
    with pytest.raises(ValueError, match="positive"):
        measure([0.0, 1.0])


def test_returns_over_drawdown():
    equity = [100, 90, 110]
    assert total_return(equity) == pytest.approx(0.1)
    assert calmar_ratio(equity, periods=2) == pytest.approx(0.1 / 0.1)
    assert calmar_ratio([100, 110], periods=2) is None


def test_round_trips_are_counted():
    profits = [3.0, -1.0, 2.0, -1.0]
    assert win_rate(profits) == 0.5
    assert profit_factor(profits) == 2.5
    assert avg_trade_duration([4, 5]) == 4.5


def test_what_is_not_defined_is_none():
    assert win_rate([]) is None
    assert profit_factor([1.0]) is None
    assert avg_trade_duration([]) is None
    assert break_even_cost_bps(1.0, 0.0) is None


def test_the_break_even_cost_leaves_nothing():
    cost = break_even_cost_bps(50.0, 100_000.0)
    assert cost == pytest.approx(5.0)
    assert 50.0 - cost * 1e-4 * 100_000.0 == pytest.approx(0)
