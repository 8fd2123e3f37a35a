"""What one session or several came to, as a fold over their facts alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from tandem.book import Attribution, Mark, Parts
from tandem.desk import ModelInForce, Plan, plan_of
from tandem.execution import PairOrderEnded
from tandem.market import Fill, Refusal, World
from tandem.operations.facts.alert import AlertRaised
from tandem.operations.facts.flow_done import FlowDone
from tandem.operations.history.attributed import attribute_session
from tandem.risk import Intent
from tandem.screening import Funnel
from tandem.signals import Signal
from tandem.store import Facts, Record

BPS: Final = 10_000
FIGURES: Final = {
    "f1_score": "test_f1_score",
    "base_rate": "test_base_rate",
    "mcc": "test_mcc",
    "mcc_ar1": "test_mcc_ar1",
    "log_loss": "test_log_loss",
    "log_loss_ar1": "test_log_loss_ar1",
}


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair over the sessions of a report: trades held, and its P&L by parts, dollars."""

    pair: str
    trades: int
    parts: Parts


@dataclass(frozen=True, slots=True)
class TradeLine:
    """A trade that was held in the sessions of a report.

    Attributes:
        direction: +1 long the spread, -1 short it.
        opened_at: the decision, UTC.
        closed_at: the decision to leave, UTC; None while it is open.
        entry_z, exit_z: z-score at those; None where that is not on record.
        why: it was left, in the rule's or the limit's words.
        parts: dollars in these sessions; of a trade from before, its earlier ones are not among them.
    """

    pair: str
    direction: int
    opened_at: datetime
    closed_at: datetime | None
    entry_z: float | None
    exit_z: float | None
    why: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Execution:
    """How orders were carried out.

    Attributes:
        outcomes: how many two-leg orders were `filled`, `unwound` or `stuck`.
        turnover: dollars traded, both legs, at the references.
        slippage: dollars paid beyond the opens of the minutes in which orders filled.
        leg_gaps: seconds between the last fills of both legs, for each order that has both.
        naked_seconds: how long one leg stood further than the other, for each two-leg order.
    """

    orders: int
    fills: int
    outcomes: Mapping[str, int]
    turnover: Decimal
    slippage: Decimal
    fees: Decimal
    leg_gaps: tuple[float, ...]
    naked_seconds: tuple[float, ...]

    @property
    def slippage_bps(self) -> float | None:
        """Of each dollar traded, in basis points; None where nothing was."""
        return float(self.slippage / self.turnover * BPS) if self.turnover else None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The refit of a recipe for a session.

    Attributes:
        is_in_force: it is in Production for its sector by the last decision; the baseline may forecast in its place.
        why: what is in use in the sector, in words.
        figures: of its test block beside the baselines', by name as in `FIGURES`.
    """

    session: date
    sector: str
    recipe: str
    is_in_force: bool
    refused: str
    why: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session: decisions, trades held, dollars by parts, pairs; `equity` is that of the last mark."""

    day: date
    decisions: int
    trades: int
    parts: Parts
    equity: Decimal | None
    tested: int
    selected: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Everything that a daily or weekly report says.

    Attributes:
        days: sessions, oldest first; those without a fact are not among them.
        actions: how many signals said what.
        forecasters: how many signals rest on whose forecast, a recipe's or the baseline's.
        refusals: by room and reason, most frequent first; of pairs by the funnels' counts.
    """

    world: World
    days: tuple[SessionLine, ...]
    pairs: tuple[PairLine, ...]
    trades: tuple[TradeLine, ...]
    parts: Parts
    actions: Mapping[str, int]
    forecasters: Mapping[str, int]
    refusals: Mapping[tuple[str, str], int]
    execution: Execution
    models: tuple[ModelLine, ...]
    alerts: tuple[Record[AlertRaised], ...] = field(default=())
    flows: tuple[Record[FlowDone], ...] = field(default=())

    @property
    def decisions(self) -> int:
        """Moments at which every pair was judged."""
        return sum(line.decisions for line in self.days)


@dataclass(slots=True)
class _Read:
    """The facts of the sessions, read once."""

    attributions: list[Record[Attribution]] = field(default_factory=list)
    intents: list[Record[Intent]] = field(default_factory=list)
    fills: list[Record[Fill]] = field(default_factory=list)
    ended: list[Record[PairOrderEnded]] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    forecasters: Counter[str] = field(default_factory=Counter)
    lines: list[SessionLine] = field(default_factory=list)
    models: list[ModelLine] = field(default_factory=list)
    alerts: list[Record[AlertRaised]] = field(default_factory=list)
    flows: list[Record[FlowDone]] = field(default_factory=list)


def sessions_of(facts: Facts, days: Iterable[date]) -> Sessions:
    """Fold these sessions; earlier ones have to be attributed where trades were held over night.

    Args:
        days: trading dates, oldest first.
    """
    read = _Read()
    for day in days:
        _take(read, facts, day)
    entries = {(str(r.body.pair), r.at): r.body for pair in _pairs(read) for r in facts.read(Intent, pair=pair)
               if r.body.purpose == "enter"}  # fmt: skip
    return Sessions(
        world=facts.world,
        days=tuple(read.lines),
        pairs=tuple(_by_pair(read.attributions)),
        trades=tuple(_trades(read, entries)),
        parts=_sum(record.body.parts for record in read.attributions),
        actions=dict(read.actions.most_common()),
        forecasters=dict(read.forecasters.most_common()),
        refusals=dict((+read.refusals).most_common()),
        execution=_execution(read),
        models=tuple(read.models),
        alerts=tuple(read.alerts),
        flows=tuple(read.flows),
    )


def _take(read: _Read, facts: Facts, day: date) -> None:
    marks, plan = facts.read(Mark, session=day), plan_of(facts, day)
    flows, alerts = facts.read(FlowDone, session=day), facts.read(AlertRaised, session=day)
    funnels = facts.read(Funnel, session=day)
    if not (marks or plan or flows or alerts or funnels):
        return
    attributions = _attributions(facts, day)
    for refused in (record for record in facts.read(Refusal, session=day) if not _is_of_screen(record)):
        read.refusals[refused.body.by, refused.body.reason] += 1
    for before, step in pairwise(funnels[-1].body.steps if funnels else ()):
        read.refusals["screening", step.gate] += before.left - step.left
    signals = [record.body for record in facts.read(Signal, session=day)]
    read.actions.update(str(signal.action) for signal in signals)
    read.forecasters.update(signal.model for signal in signals)
    read.attributions += attributions
    read.intents += facts.read(Intent, session=day)
    read.fills += list({record.body.execution_id: record for record in facts.read(Fill, session=day)}.values())
    read.ended += facts.read(PairOrderEnded, session=day)
    read.models += _models(facts, day, plan)
    read.alerts += alerts
    read.flows += flows
    read.lines.append(
        SessionLine(
            day=day,
            decisions=len(marks),
            trades=len(attributions),
            parts=_sum(record.body.parts for record in attributions),
            equity=marks[-1].body.equity if marks else None,
            tested=plan.tested if plan else 0,
            selected=len(plan.models) if plan else 0,
        )
    )


def _attributions(facts: Facts, day: date) -> list[Record[Attribution]]:
    """On record once the session was closed; until then as it stands."""
    known = facts.read(Attribution, session=day)
    if known:
        return known
    found = attribute_session(facts, day)
    return [
        Record(each, day, each.opened_at, f"{each.kind}.{place}", str(each.pair)) for place, each in enumerate(found)
    ]


def _is_of_screen(record: Record[Refusal]) -> bool:
    return record.body.by == "screening" and record.pair is not None


def _pairs(read: _Read) -> list[str]:
    return sorted({str(record.body.pair) for record in read.attributions})


def _by_pair(records: Sequence[Record[Attribution]]) -> Iterator[PairLine]:
    for pair in sorted({str(record.body.pair) for record in records}):
        own = [record.body for record in records if str(record.body.pair) == pair]
        yield PairLine(pair, len({each.opened_at for each in own}), _sum(each.parts for each in own))


def _trades(read: _Read, entries: Mapping[tuple[str, datetime], Intent]) -> Iterator[TradeLine]:
    own: dict[tuple[datetime, str], list[Attribution]] = {}
    for record in read.attributions:
        own.setdefault((record.body.opened_at, str(record.body.pair)), []).append(record.body)
    for (opened_at, pair), held in sorted(own.items()):
        is_open = held[-1].is_open
        leaving = None if is_open else _leaving(read.intents, pair, opened_at)
        entry = entries.get((pair, opened_at))
        why = "still open" if is_open else leaving.body.why if leaving else "unwound: one leg was not filled"
        yield TradeLine(
            pair=pair,
            direction=held[-1].direction,
            opened_at=opened_at,
            closed_at=None if is_open else leaving.at if leaving else opened_at,
            entry_z=entry.z if entry else None,
            exit_z=leaving.body.z if leaving else None,
            why=f"stop: {why}" if leaving and leaving.body.stopped else why,
            parts=_sum(each.parts for each in held),
        )


def _leaving(intents: Sequence[Record[Intent]], pair: str, after: datetime) -> Record[Intent] | None:
    of_pair = (r for r in intents if str(r.body.pair) == pair and r.at > after and r.body.purpose == "exit")
    return next(of_pair, None)


def _execution(read: _Read) -> Execution:
    fills = [record.body for record in read.fills]
    fees = sum((fill.fees for fill in fills), Decimal(0))
    return Execution(
        orders=sum(record.body.orders for record in read.ended),
        fills=len(fills),
        outcomes=dict(Counter(str(record.body.outcome) for record in read.ended).most_common()),
        turnover=sum((fill.qty * fill.reference for fill in fills), Decimal(0)),
        slippage=sum((fill.cost for fill in fills), Decimal(0)) - fees,
        fees=fees,
        leg_gaps=tuple(_leg_gaps(fills)),
        naked_seconds=tuple(record.body.naked_seconds for record in read.ended),
    )


def _leg_gaps(fills: Sequence[Fill]) -> Iterator[float]:
    """Client order ids end in leg, intent and attempt: what is before the leg is the decision's."""
    last: dict[tuple[str, str], dict[str, datetime]] = {}
    for fill in fills:
        name, _, rest = fill.client_order_id.rpartition(".")
        decision, _, intent = name.rpartition(".")
        decision, _, leg = decision.rpartition(".")
        if rest and leg:
            legs = last.setdefault((decision, intent), {})
            legs[leg] = max(fill.at, legs.get(leg, fill.at))
    for legs in last.values():
        if len(legs) == 2:
            one, other = legs.values()
            yield abs((one - other).total_seconds())


def _models(facts: Facts, day: date, plan: Plan | None) -> Iterator[ModelLine]:
    in_force = {record.body.sector: record.body for record in facts.read(ModelInForce, session=day)}
    for refit in plan.refits if plan else ():
        now = in_force.get(refit.sector)
        figures = {name: refit.figures[of] for name, of in FIGURES.items() if of in refit.figures}
        is_in_force = now is not None and now.recipe == refit.recipe
        why = now.why if now else "no decision was made"
        yield ModelLine(day, refit.sector, refit.recipe, is_in_force, refit.refused, why, figures)


def _sum(parts: Iterable[Parts]) -> Parts:
    return sum(parts, Parts())
