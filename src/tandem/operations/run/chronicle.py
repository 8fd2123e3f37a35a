"""What the facts of one world say, read once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Self, TypeVar

from tandem.book import Capital, Mark
from tandem.desk import Plan, TradingConfiguration, fact_key
from tandem.forecast import ModelRegistered, PairModel
from tandem.market import Fill, Order, Pair, Refusal, World
from tandem.risk import Intent, Switch
from tandem.screening import Funnel, PairTable, Passport, slug
from tandem.signals import Signal
from tandem.store import Blobs, Body, Facts, Record, Store, TrialCount

B = TypeVar("B", bound=Body)


class Tables:
    """The tables of all pairs that mornings considered, each read when it is asked for; they may be large.

    Args:
        blobs: where they are kept.
        digests: of each trading day's table.
    """

    def __init__(self, blobs: Blobs | None = None, digests: Mapping[date, str] | None = None) -> None:
        self._blobs = blobs
        self._digests = digests or {}
        self._newest: tuple[date, PairTable] | None = None

    def of(self, day: date) -> PairTable | None:
        """The table of a morning; None where none is on record."""
        if self._newest is not None and self._newest[0] == day:
            return self._newest[1]
        if self._blobs is None or not self._digests.get(day):
            return None
        table = PairTable.from_bytes(self._blobs.get(self._digests[day]))
        self._newest = day, table
        return table


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Everything a summary and a report are made of; each list is in the order of recording.

    Attributes:
        capital: dollars the world started with; 0 where it never traded.
        passports: of the selected pairs, by trading day and pair.
        models: the models that the plans name, by trading day and pair.
        refusals: of signals, intents and what else was asked for; those of pairs are in `tables`.
        fills: executions, each once.
        configurations: what each session was traded by: its plan's, else the newest of the day.
        funnels: counts of that identification.
        tables: its pairs.
        registered: refits that MLflow was told of.
        tried: what the ledger has counted in the sectors that were screened; in all where nobody said which.
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
    registered: int
    tried: TrialCount
    configurations: Mapping[date, TradingConfiguration] = field(default_factory=dict)
    tables: Tables = field(default_factory=Tables)

    @classmethod
    def of(cls, store: Store, facts: Facts) -> Self:
        """Read a world: facts of `facts`, models from the store."""
        capital = facts.read(Capital)
        plans = {record.session: record.body for record in facts.read(Plan)}
        configurations = _configurations(facts, plans)
        versions = {day: plan.version for day, plan in plans.items()}
        versions |= {day: configuration.version for day, configuration in configurations.items()}
        executions = {record.body.execution_id: record for record in reversed(facts.read(Fill))}
        return cls(
            world=facts.world,
            capital=capital[0].body.cash if capital else Decimal(0),
            plans=dict(sorted(plans.items())),
            passports=_passports(facts, configurations),
            models=_models(store.blobs, plans),
            signals=tuple(facts.read(Signal)),
            refusals=tuple(record for record in facts.read(Refusal) if not _is_of_screen(record)),
            intents=tuple(facts.read(Intent)),
            orders=tuple(facts.read(Order)),
            fills=tuple(reversed(executions.values())),
            marks=tuple(facts.read(Mark)),
            switches=tuple(facts.read(Switch)),
            funnels=_funnels(facts, versions),
            registered=len(facts.read(ModelRegistered)),
            tried=store.ledger.count(sorted({slug(name) for made in configurations.values() for name in made.sectors})),
            configurations=configurations,
            tables=Tables(store.blobs, {day: made.screen for day, made in configurations.items()}),
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


def _configurations(facts: Facts, plans: Mapping[date, Plan]) -> dict[date, TradingConfiguration]:
    found: dict[date, TradingConfiguration] = {}
    for configuration in (record.body for record in facts.read(TradingConfiguration)):
        plan = plans.get(configuration.session)
        if plan is None or configuration.version == plan.version:
            found[configuration.session] = configuration
    return dict(sorted(found.items()))


def _passports(facts: Facts, configurations: Mapping[date, TradingConfiguration]) -> dict[tuple[date, Pair], Passport]:
    named = {day: {each.passport for each in made.pairs} for day, made in configurations.items()}
    return {
        (record.session, record.body.pair): record.body
        for record in facts.read(Passport)
        if record.session not in named or record.key in named[record.session]
    }


def _funnels(facts: Facts, versions: Mapping[date, int]) -> dict[date, Funnel]:
    return {
        record.session: record.body
        for record in facts.read(Funnel)
        if record.session not in versions or record.key == fact_key("funnel", record.session, versions[record.session])
    }


def _is_of_screen(record: Record[Refusal]) -> bool:
    """Worlds of earlier versions have a fact for each refused pair; the funnel counts them now."""
    return record.body.by == "screening" and record.pair is not None


def _models(blobs: Blobs, plans: Mapping[date, Plan]) -> dict[tuple[date, Pair], PairModel]:
    return {
        (day, Pair.parse(pair)): PairModel.from_bytes(blobs.get(digest))
        for day, plan in sorted(plans.items())
        for pair, digest in plan.models.items()
    }
