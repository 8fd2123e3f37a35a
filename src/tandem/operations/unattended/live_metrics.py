"""How a session stands, every quarter of an hour while it goes on."""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Final, TypeVar

from tandem.book import Mark
from tandem.execution import PairOrderEnded
from tandem.market import DECISION_EVERY, Fill, Order, Refusal, World
from tandem.signals import Signal
from tandem.store import Body, Facts, Record

B = TypeVar("B", bound=Body)

QUARTER: Final = 3 * DECISION_EVERY


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """What a session has come to by one moment.

    Attributes:
        equity: dollars, cash plus positions at the newest closes.
        net_today: dollars since the session's first mark, after costs.
        drawdown_today: dollars below the session's highest equity.
        exposure: dollars long plus dollars short.
        costs_today: dollars of spread, impact and fees of the session's fills.
        decisions, signals, refusals, orders, fills: counts of the session.
        refused_share: refusals of signals per judgement of a pair, 0 to 1: a model or a leg that fails shows here.
        rejected: orders that the broker turned down.
        reasons: refusals by their reason.
        outcomes: pair orders that ended, by how.
    """

    kind: ClassVar = "live_metrics"

    equity: Decimal
    net_today: Decimal
    drawdown_today: Decimal
    exposure: Decimal
    costs_today: Decimal
    decisions: int
    signals: int
    refusals: int
    orders: int
    fills: int
    refused_share: float
    rejected: int
    reasons: dict[str, int]
    outcomes: dict[str, int]


class Measured:
    """A fact sink that puts the session's metrics on record after every third decision.

    Args:
        facts: where everything goes.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    @property
    def world(self) -> World:
        """See `Facts.world`."""
        return self._facts.world

    def append(self, *records: Record) -> None:
        """See `Facts.append`."""
        self._facts.append(*records)
        for record in records:
            if isinstance(record.body, Mark) and _is_quarter(record.at):
                key = f"metrics.{record.at:%Y%m%dT%H%M}"
                found = metrics_at(self._facts, record.session, record.body)
                self._facts.append(Record(found, record.session, record.at, key))

    def read(self, body: type[B], *, session: date | None = None, pair: str | None = None) -> list[Record[B]]:
        """See `Facts.read`."""
        return self._facts.read(body, session=session, pair=pair)

    def alone(self, what: str) -> AbstractContextManager[Facts]:
        """See `Facts.alone`."""
        return self._facts.alone(what)


def metrics_at(facts: Facts, day: date, now: Mark) -> LiveMetrics:
    """What a session has come to.

    Args:
        now: the book valued at the newest decision; it is on record.
    """
    marks = [record.body for record in facts.read(Mark, session=day)]
    signals, refusals = facts.read(Signal, session=day), facts.read(Refusal, session=day)
    orders, fills = facts.read(Order, session=day), facts.read(Fill, session=day)
    ended = facts.read(PairOrderEnded, session=day)
    unjudged = sum(record.body.by == "signals" for record in refusals)
    judged = len(signals) + unjudged
    return LiveMetrics(
        equity=now.equity,
        net_today=now.net_pnl - marks[0].net_pnl,
        drawdown_today=max(each.equity for each in marks) - now.equity,
        exposure=now.exposure,
        costs_today=sum((record.body.cost for record in fills), Decimal(0)),
        decisions=len(marks),
        signals=len(signals),
        refusals=len(refusals),
        orders=len(orders),
        fills=len(fills),
        refused_share=unjudged / judged if judged else 0.0,
        rejected=sum(record.body.reason == "order refused" for record in refusals),
        reasons=dict(Counter(record.body.reason for record in refusals)),
        outcomes=dict(Counter(str(record.body.outcome) for record in ended)),
    )


def _is_quarter(moment: datetime) -> bool:
    return moment.minute % (QUARTER.seconds // 60) == 0
