"""What a run came to, as a fold over the facts of its world."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from tandem.book import Book, Mark
from tandem.market import World
from tandem.operations.run.chronicle import Chronicle, grouped
from tandem.operations.run.day import DayLine, closing_marks, day_lines
from tandem.operations.run.measure import Measure, measures
from tandem.operations.run.roundtrip import RoundTrip, round_trips
from tandem.operations.run.scoreboard import ModelScore, scoreboard
from tandem.operations.writing.target import write_whole
from tandem.statistics import max_drawdown
from tandem.store import Facts, Store


@dataclass(frozen=True, slots=True)
class Summary:
    """One world in figures.

    Attributes:
        capital, equity: dollars at the start and at the end.
        bars_replayed: 1-minute bars; None where nobody counted.
        decisions: moments at which every pair was judged.
        pairs_tested, pairs_selected: summed over the mornings; selected are those of the plans.
        signals: of one pair at one decision time each, `hold` among them.
        actions: how many signals said what.
        refusals: of pairs, signals and intents, whoever refused.
        refusals_by_reason: the same by room and reason, most frequent first.
        gross_pnl, costs, net_pnl: dollars; net is gross less costs. Open positions are valued at the newest
            prices known.
        max_drawdown: largest fall of equity from its peak at any decision, as a share of that peak.
        models_registered: in the registry: one for each recipe, sector and day.
        seconds: that the run took; None where nobody counted.
        parity: whether replay and backtest traded alike; None where they were not compared.
        open_trades: round trips with shares still held.
        measures: the mission's metrics.
    """

    world: World
    capital: Decimal
    equity: Decimal
    bars_replayed: int | None
    decisions: int
    pairs_tested: int
    pairs_selected: int
    signals: int
    actions: Mapping[str, int]
    refusals: int
    refusals_by_reason: Mapping[tuple[str, str], int]
    orders: int
    fills: int
    gross_pnl: Decimal
    net_pnl: Decimal
    costs: Decimal
    max_drawdown: float
    models_registered: int
    seconds: float | None
    parity: bool | None
    days: tuple[DayLine, ...]
    trades: tuple[RoundTrip, ...]
    models: tuple[ModelScore, ...]
    measures: tuple[Measure, ...]

    @property
    def open_trades(self) -> tuple[RoundTrip, ...]:
        """Round trips with shares still held."""
        return tuple(trade for trade in self.trades if trade.is_open)

    def document(self) -> dict[str, object]:
        """What `summary.json` holds: plain numbers; `parity` is null where nobody compared."""
        return {
            "bars_replayed": self.bars_replayed,
            "decisions": self.decisions,
            "pairs_tested": self.pairs_tested,
            "pairs_selected": self.pairs_selected,
            "signals": self.signals,
            "refusals": self.refusals,
            "orders": self.orders,
            "fills": self.fills,
            "gross_pnl": _dollars(self.gross_pnl),
            "net_pnl": _dollars(self.net_pnl),
            "costs": _dollars(self.costs),
            "max_drawdown": self.max_drawdown,
            "models_registered": self.models_registered,
            "seconds": self.seconds,
            "parity": self.parity,
            "refusals_by_reason": {f"{by}: {reason}": n for (by, reason), n in self.refusals_by_reason.items()},
            "open_trades": len(self.open_trades),
            "metrics": {measure.name: measure.value for measure in self.measures},
            "not_available": {m.name: m.note for m in self.measures if m.value is None},
        }


def summarise(
    store: Store,
    facts: Facts,
    *,
    bars_replayed: int | None = None,
    seconds: float | None = None,
    parity: bool | None = None,
) -> Summary:
    """Sum up a world; what is no fact is handed over.

    Args:
        store: where the models of its plans are kept.
        facts: of the world.
        bars_replayed: 1-minute bars that the desk was sent.
        seconds: that the run took.
        parity: whether replay and backtest were compared and alike.
    """
    return summary_of(
        Chronicle.of(store, facts),
        bars_replayed=bars_replayed,
        seconds=seconds,
        parity=parity,
    )


def summary_of(
    chronicle: Chronicle,
    *,
    bars_replayed: int | None = None,
    seconds: float | None = None,
    parity: bool | None = None,
) -> Summary:
    """The same from facts that were read already."""
    days, trades = day_lines(chronicle), round_trips(chronicle)
    end = _end(chronicle)
    reasons = refusal_counts(chronicle)
    return Summary(
        world=chronicle.world,
        capital=chronicle.capital,
        equity=end.equity,
        bars_replayed=bars_replayed,
        decisions=len(chronicle.marks),
        pairs_tested=sum(plan.tested for plan in chronicle.plans.values()),
        pairs_selected=sum(len(plan.models) for plan in chronicle.plans.values()),
        signals=len(chronicle.signals),
        actions=Counter(str(record.body.action) for record in chronicle.signals),
        refusals=reasons.total(),
        refusals_by_reason=dict(reasons.most_common()),
        orders=len(chronicle.orders),
        fills=len(chronicle.fills),
        gross_pnl=end.gross_pnl,
        net_pnl=end.net_pnl,
        costs=end.costs,
        max_drawdown=_drawdown(equity_path(chronicle)),
        models_registered=chronicle.registered,
        seconds=seconds,
        parity=parity,
        days=days,
        trades=trades,
        models=scoreboard(chronicle),
        measures=measures(
            [chronicle.capital, *(day.equity for day in days)],
            trades,
            [record.body for record in chronicle.fills],
            end.gross_pnl,
            chronicle.tried,
        ),
    )


def write_summary(path: Path, summary: Summary) -> None:
    """Write `summary.json`: whole, or not at all."""
    text = json.dumps(summary.document(), indent=2, allow_nan=False) + "\n"
    write_whole(path, text)


def equity_path(chronicle: Chronicle) -> list[Decimal]:
    """Dollars at the start, at every decision, and at the end of every session, in order of time."""
    path = [chronicle.capital]
    marks = grouped(chronicle.marks)
    for day, end in closing_marks(chronicle):
        path += [*(record.body.equity for record in marks[day]), end.equity]
    return path


def refusal_counts(chronicle: Chronicle) -> Counter[tuple[str, str]]:
    """How often each room refused for each reason; of pairs by the funnels' counts."""
    reasons = Counter((record.body.by, record.body.reason) for record in chronicle.refusals)
    for funnel in chronicle.funnels.values():
        for before, step in pairwise(funnel.steps):
            reasons["screening", step.gate] += before.left - step.left
    return +reasons


def _end(chronicle: Chronicle) -> Mark:
    ends = [mark for _, mark in closing_marks(chronicle)]
    return ends[-1] if ends else Book.starting_with(chronicle.capital).mark({})


def _drawdown(path: Sequence[Decimal]) -> float:
    return max_drawdown([float(value) for value in path]) if path[0] > 0 else 0.0


def _dollars(value: Decimal) -> float:
    return round(float(value), 6)
