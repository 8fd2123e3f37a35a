from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tandem.config import Settings
from tandem.forecast import trading_metrics
from tandem.forecast.training.trading import deflated
from tandem.screening import RuleRecord
from tandem.store import TrialCount

NAMES = {
    "sharpe_ratio", "max_drawdown", "total_return", "win_rate", "profit_factor", "calmar_ratio", "avg_trade_duration",
}  # fmt: skip
DEAR = Settings.model_validate({"costs": {"spread_bps": 40}})
FREE = Settings.model_validate({"costs": {"spread_bps": 0}})


@pytest.fixture(scope="module")
def wide(simulated_closes):
    """A pair that swings, hour by hour, seven a day."""
    closes = simulated_closes(3000, phi=0.9, seed=5)
    first = datetime(2025, 1, 6, 15, 0, tzinfo=UTC)
    return closes, [first + timedelta(days=bar // 7, hours=bar % 7) for bar in range(3000)]


def test_the_missions_figures_of_trading_are_all_there(wide):
    closes, starts = wide
    found = trading_metrics(*closes, DEAR, starts)
    assert set(found) >= NAMES
    assert found["round_trips"] > 5
    assert 0 <= found["win_rate"] <= 1
    assert found["avg_trade_duration"] > 1


def test_they_are_net_of_costs(wide):
    closes, starts = wide
    free, dear = (trading_metrics(*closes, settings, starts) for settings in (FREE, DEAR))
    assert free["total_return"] > 0
    trips = free["round_trips"]
    assert dear["round_trips"] == trips
    # Entry and exit each pay half of 40 basis points on both legs.
    assert free["total_return"] - dear["total_return"] == pytest.approx(trips * 0.004, rel=0.15)
    assert dear["win_rate"] <= free["win_rate"]


def test_profits_of_trades_and_returns_of_bars_are_the_same_money(wide):
    (a, b), _ = wide
    record = RuleRecord.of(np.log(a), np.log(b), FREE, 0.2)
    assert record.first == 2400
    assert len(record.returns) == 599
    left = record.returns.sum() - record.profits.sum()
    assert abs(left) < 0.02  # a position that is still open at the end


def test_what_the_test_block_held_changes_nothing_of_what_was_fitted(wide):
    (a, b), _ = wide
    later = a.copy()
    later[2950:] *= 1.001
    one, other = (RuleRecord.of(np.log(each), np.log(b), FREE, 0.2).returns[:540] for each in (a, later))
    assert np.array_equal(one, other)


def test_a_pair_without_a_trade_leaves_out_what_is_not_defined(wide):
    (a, b), starts = wide
    never = FREE.model_copy(update={"rule": FREE.rule.model_copy(update={"enter_z": 90.0, "stop_z": 99.0})})
    found = trading_metrics(a, b, never, starts)
    assert (found["total_return"], found["max_drawdown"], found["round_trips"]) == (0, 0, 0)
    assert not {"win_rate", "profit_factor", "calmar_ratio", "avg_trade_duration"} & set(found)


def test_a_sharpe_ratio_is_deflated_by_all_that_was_tried(wide):
    closes, starts = wide
    found = trading_metrics(*closes, DEAR, starts)
    one, many = (deflated(found, TrialCount(trials)) for trials in (1, 400))
    assert (one["trials"], many["trials"]) == (1, 400)
    assert 0 <= many["deflated_sharpe_ratio"] < one["deflated_sharpe_ratio"] <= 1
    assert deflated({}, TrialCount(7)) == {"trials": 7}
