"""What a pair's model is recorded with: the hash of its bars, and what the rule earned on its test block."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike

from tandem.config import Settings
from tandem.forecast.features import Array
from tandem.forecast.model import PairModel
from tandem.market import NEW_YORK
from tandem.screening import RuleRecord
from tandem.statistics import (
    SESSIONS_PER_YEAR,
    SharpeRatio,
    avg_trade_duration,
    calmar_ratio,
    max_drawdown,
    profit_factor,
    sharpe_ratio,
    total_return,
    win_rate,
)
from tandem.store import TrialCount


def with_record(
    model: PairModel, closes_a: ArrayLike, closes_b: ArrayLike, settings: Settings, starts: Sequence[datetime]
) -> PairModel:
    """The model with the hash of the bars it learned from, and what the baseline rule earned on its test block."""
    digest = sha256(" ".join(start.isoformat() for start in starts).encode())
    for closes in (closes_a, closes_b):
        digest.update(np.ascontiguousarray(closes, np.float64).tobytes())
    metrics = {**model.metrics, **trading_metrics(closes_a, closes_b, settings, starts)}
    return replace(model, metrics=metrics, data_version=digest.hexdigest())


def trading_metrics(
    closes_a: ArrayLike, closes_b: ArrayLike, settings: Settings, starts: Sequence[datetime]
) -> dict[str, float]:
    """The baseline rule on the last `model.test_split` of the bars, fitted on the bars before, net of costs.

    It trades on the AR(1) forecast, whatever model trades the pair. A figure that is not defined, such as the win rate
    without a closed round trip, is left out.

    Args:
        closes_a, closes_b: dollars per share over the training window, shape [bars].
        starts: of the bars, UTC.
    """
    log_a, log_b = np.log(np.asarray(closes_a, np.float64)), np.log(np.asarray(closes_b, np.float64))
    record = RuleRecord.of(log_a, log_b, settings, settings.model.test_split)
    if record is None:
        return {}
    daily = _daily(record, starts)
    equity = 1 + np.concatenate([[0.0], np.cumsum(daily)])
    found: dict[str, float | None] = {
        **_sharpe(daily),
        "max_drawdown": max_drawdown(equity),
        "total_return": total_return(equity),
        "win_rate": win_rate(record.profits),
        "profit_factor": profit_factor(record.profits),
        "calmar_ratio": calmar_ratio(equity),
        "avg_trade_duration": avg_trade_duration(record.durations),
        "round_trips": float(len(record.profits)),
    }
    return {name: value for name, value in found.items() if value is not None}


def deflated(metrics: Mapping[str, float], tried: TrialCount) -> dict[str, float]:
    """How many trials the ledger has counted, and what they leave of the Sharpe ratio among the figures, if it is."""
    found = {"trials": float(tried.count)}
    if "sharpe_ratio" not in metrics:
        return found
    days = int(metrics["sharpe_days"])
    ratio = SharpeRatio(metrics["sharpe_ratio"], metrics["sharpe_standard_error"], SESSIONS_PER_YEAR, days)
    return found | {"deflated_sharpe_ratio": ratio.deflated(tried.count, tried.variance_over(days))}


def _sharpe(daily: Array) -> dict[str, float]:
    if len(daily) < 2:
        return {}
    found = sharpe_ratio(daily)
    return {
        "sharpe_ratio": found.ratio,
        "sharpe_standard_error": found.standard_error,
        "sharpe_days": float(found.count),
    }


def _daily(record: RuleRecord, starts: Sequence[datetime]) -> Array:
    """Returns by session: a step counts on the day on which it ends."""
    days = np.array([start.astimezone(NEW_YORK).toordinal() for start in starts[record.first + 1 :]])
    _, places = np.unique(days, return_inverse=True)
    return np.bincount(places, record.returns).astype(np.float64)
