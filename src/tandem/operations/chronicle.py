"""What the facts of one world say, read once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self, TypeVar

from tandem.book import Capital, Mark
from tandem.desk import Plan
from tandem.forecast import PairModel
from tandem.market import Fill, Order, Pair, Refusal, World
from tandem.risk import Intent, Switch
from tandem.screening import Funnel, Passport
from tandem.signals import Signal
from tandem.store import Blobs, Body, Facts, Record, Store

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Everything a summary and a report are made of; each list is in the order of recording.

    Attributes:
        capital: dollars the world started with; 0 where it never traded.
        passports: of the selected pairs, by trading day and pair.
        models: the models that the plans name, by trading day and pair.
        fills: executions, each once.
        funnels: counts of the morning's screen, where they were recorded.
    """

    world: World
    capital: Decimal
    plans: Mapping[date, Plan]
    passports: Mapping[tuple[date, Pair], Passport]
    models: Mapping[tuple[date, Pair], PairModel]
    signals: tuple[Record[Signal], ...]
    refusals: tuple[Record[Refusal], ...]
    intents: tuple[Record[Intent], ...]
    orders: tuple[Record[Order], ...]
    fills: tuple[Record[Fill], ...]
    marks: tuple[Record[Mark], ...]
    switches: tuple[Record[Switch], ...]
    funnels: Mapping[date, Funnel]

    @classmethod
    def of(cls, store: Store, facts: Facts) -> Self:
        """Read a world: facts of `facts`, models from the store."""
        capital = facts.read(Capital)
        plans = {record.session: record.body for record in facts.read(Plan)}
        executions = {record.body.execution_id: record for record in reversed(facts.read(Fill))}
        return cls(
            world=facts.world,
            capital=capital[0].body.cash if capital else Decimal(0),
            plans=dict(sorted(plans.items())),
            passports={(record.session, record.body.pair): record.body for record in facts.read(Passport)},
            models=_models(store.blobs, plans),
            signals=tuple(facts.read(Signal)),
            refusals=tuple(facts.read(Refusal)),
            intents=tuple(facts.read(Intent)),
            orders=tuple(facts.read(Order)),
            fills=tuple(reversed(executions.values())),
            marks=tuple(facts.read(Mark)),
            switches=tuple(facts.read(Switch)),
            funnels={record.session: record.body for record in facts.read(Funnel)},
        )

    @property
    def days(self) -> list[date]:
        """Trading days with a plan or a decision, oldest first."""
        return sorted(self.plans.keys() | {record.session for record in self.marks})


def grouped(records: Iterable[Record[B]]) -> Mapping[date, list[Record[B]]]:
    """Records by trading day, each day's in their order; an empty list for any other day."""
    found: defaultdict[date, list[Record[B]]] = defaultdict(list)
    for record in records:
        found[record.session].append(record)
    return found


def _models(blobs: Blobs, plans: Mapping[date, Plan]) -> dict[tuple[date, Pair], PairModel]:
    return {
        (day, Pair.parse(pair)): PairModel.from_bytes(blobs.get(digest))
        for day, plan in sorted(plans.items())
        for pair, digest in plan.models.items()
    }
