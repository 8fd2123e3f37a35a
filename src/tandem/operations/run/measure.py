"""The mission's metrics of a run, each with a value or the reason why there is none (STATISTICS 7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from tandem.market import Fill
from tandem.operations.run.roundtrip import RoundTrip
from tandem.statistics import (
    Series,
    avg_trade_duration,
    break_even_cost_bps,
    calmar_ratio,
    deflated_sharpe,
    probabilistic_sharpe,
    profit_factor,
    sharpe_ratio,
    total_return,
    win_rate,
)
from tandem.store import TrialCount

LEAST_SESSIONS: Final = 5
A_QUARTER: Final = 63


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure.

    Attributes:
        name: as in the mission.
        value: None where it cannot be had.
        unit: how to show it: `ratio`, `share`, `probability`, `count`, `bars` or `bps`.
        meaning: what it is, in words.
        note: why there is no value, or what to keep in mind of the one there is.
    """

    name: str
    value: float | None
    unit: str
    meaning: str
    note: str = ""


def measures(
    equity: Sequence[Decimal],
    trades: Sequence[RoundTrip],
    fills: Sequence[Fill],
    gross_pnl: Decimal,
    tried: TrialCount,
) -> tuple[Measure, ...]:
    """Every metric of a run, net of costs unless it says otherwise.

    Args:
        equity: dollars at the start and at the end of each session.
        trades: round trips; those still open are left out of what is said of trades.
        fills: every execution.
        gross_pnl: dollars before costs.
        tried: what the ledger has counted of what competes with it: no Sharpe ratio is shown without.
    """
    curve = np.array([float(value) for value in equity])
    return (
        *_of_days(curve, tried),
        *_of_trades([trade for trade in trades if not trade.is_open]),
        *_of_costs(fills, gross_pnl),
    )


def _of_days(curve: Series, tried: TrialCount) -> Iterator[Measure]:
    sessions = len(curve) - 1
    traded = sessions >= 1 and curve[0] > 0
    whole = total_return(curve) if traded else None
    yield Measure(
        "total_return", whole, "share", "net P&L over starting equity", "" if traded else "nothing was traded"
    )
    yield from _sharpe(np.diff(curve) / curve[:-1] if traded else np.array([]), tried)
    meaning = "compound return a year over the largest drawdown between session ends"
    if sessions < A_QUARTER:
        note = f"{sessions} sessions are too few to annualise a return; {A_QUARTER} are needed"
        yield Measure("calmar_ratio", None, "ratio", meaning, note)
        return
    calmar = calmar_ratio(curve)
    yield Measure("calmar_ratio", calmar, "ratio", meaning, "" if calmar is not None else "there was no drawdown")


def daily_sharpe(equity: Sequence[Decimal]) -> tuple[float | None, int]:
    """Sharpe ratio per daily return, not annualised, and of how many; None where there are too few or they do not vary.

    Args:
        equity: dollars at the start and at the end of each session.
    """
    curve = np.array([float(value) for value in equity])
    returns = np.diff(curve) / curve[:-1] if len(curve) > 1 and curve[0] > 0 else np.array([])
    return (None if _too_little(returns) else sharpe_ratio(returns, 1).ratio), len(returns)


def _sharpe(returns: Series, tried: TrialCount) -> Iterator[Measure]:
    meaning = "mean over deviation of daily returns, times the root of 252 sessions a year"
    names = ("sharpe_ratio", "ratio", meaning), ("sharpe_standard_error", "ratio", "of sharpe_ratio, by Mertens 2002")
    chance = "probabilistic_sharpe", "probability", "that the true Sharpe ratio is above 0, by this sample"
    beyond_luck = (
        "deflated_sharpe_ratio",
        "probability",
        "that the true Sharpe ratio is above the best that luck gives of as many trials",
    )
    if reason := _too_little(returns):
        yield from (Measure(name, None, unit, meaning, reason) for name, unit, meaning in (*names, chance, beyond_luck))
    else:
        found = sharpe_ratio(returns)
        note = f"from {found.count} daily returns" + (", too few to conclude from" if found.count < A_QUARTER else "")
        for (name, unit, meaning), value in zip(names, (found.ratio, found.standard_error), strict=True):
            yield Measure(name, value, unit, meaning, note)
        yield Measure(chance[0], probabilistic_sharpe(returns), chance[1], chance[2], note)
        deflated = deflated_sharpe(returns, tried.count, tried.variance_over(found.count))
        yield Measure(beyond_luck[0], deflated, beyond_luck[1], beyond_luck[2], _luck(tried))
    yield Measure("trials", float(tried.count), "count", "tried in these sectors, as the trial ledger has it")


def _luck(tried: TrialCount) -> str:
    counted = f"of {tried.count:,} {'trial' if tried.count == 1 else 'trials'}"
    if tried.is_measured:
        return f"{counted}, spread as the Sharpe ratios of {tried.with_sharpe:,} of them"
    return f"{counted}, spread as ratios without skill would be"


def _too_little(returns: Series) -> str:
    if len(returns) < LEAST_SESSIONS:
        return f"{len(returns)} daily returns; {LEAST_SESSIONS} are the least for a deviation"
    return "" if returns.std() > 0 else "daily returns do not vary"


def _of_trades(closed: Sequence[RoundTrip]) -> Iterator[Measure]:
    profits = [float(trade.net) for trade in closed]
    none = "" if closed else "no trade was closed"
    few = f"of {len(closed)} closed {'trade' if len(closed) == 1 else 'trades'}" if closed else none
    yield Measure("win_rate", win_rate(profits), "share", "closed trades that made money after costs", few)
    factor = profit_factor(profits)
    lost_nothing = "no closed trade lost money" if closed and factor is None else few
    yield Measure("profit_factor", factor, "ratio", "dollars won over dollars lost, closed trades", lost_nothing)
    held = avg_trade_duration([trade.bars for trade in closed])
    yield Measure("avg_trade_duration", held, "bars", "mean bars of the model's timeframe per closed trade", none)


def _of_costs(fills: Sequence[Fill], gross_pnl: Decimal) -> Iterator[Measure]:
    turnover = float(sum((fill.qty * fill.price for fill in fills), Decimal(0)))
    paid = float(sum((fill.cost for fill in fills), Decimal(0)))
    none = "" if turnover else "nothing was traded"
    break_even = break_even_cost_bps(float(gross_pnl), turnover)
    yield Measure("break_even_cost", break_even, "bps", "cost per leg's dollar at which nothing would be left", none)
    yield Measure("paid_cost", break_even_cost_bps(paid, turnover), "bps", "cost per leg's dollar that was paid", none)
