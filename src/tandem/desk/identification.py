"""The identification of a morning: bars in, pairs out, the day's trading configuration on record, then MLflow."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tandem.config import Settings
from tandem.desk.configuration import (
    TradingConfiguration,
    configuration_of,
    fact_key,
    ranked,
    settings_digest,
)
from tandem.desk.history import formation
from tandem.desk.plan import passport_records
from tandem.desk.standing import standing
from tandem.desk.tracked import Tracked, tracked_of
from tandem.market import DataError, FactConflict, Refusal, Session, Step, StoreError, Timeframe, at_once
from tandem.screening import (
    Funnel,
    Origin,
    PairLife,
    PairTable,
    Passport,
    Progress,
    Screen,
    engine_of,
    identify,
    track,
)
from tandem.sources import NO_BARS
from tandem.store import Facts, Panel, Record, Store, Tracking

# How many others may record another version of the same morning between our look and our own record.
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Identification:
    """What one morning found.

    Attributes:
        configuration: which pairs may be traded.
        passports: of the selected pairs, best score first.
        funnel: the counts.
        table: every pair considered, with the gate at which it ended.
        is_new: False where it was on record already and nothing has changed.
        tracked: where MLflow has it; None where it knows nothing of it.
        is_sent: whether it was sent there in this call.
        untracked: why MLflow knows nothing of it; None where it does, or was not asked.
    """

    configuration: TradingConfiguration
    passports: tuple[Passport, ...]
    funnel: Funnel
    table: PairTable
    is_new: bool = True
    tracked: Tracked | None = None
    is_sent: bool = False
    untracked: Refusal | None = None

    @property
    def runs(self) -> Mapping[str, str]:
        """Id of MLflow's run of each sector."""
        return self.tracked.runs if self.tracked else {}


def identify_day(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    *,
    tracking: Tracking | None = None,
    record: bool = True,
    progress: Progress | None = None,
    step: Step = at_once,
) -> Identification:
    """Identify the pairs of a trading date on what was known at 6:00, and put it on record.

    The same bars and settings change nothing; others make the next version of the day's configuration.
    It does not depend on MLflow, which is told when all is on record: where it is away, a Refusal is too, and the
    next identification of the same bars and settings sends what MLflow lacks.

    Args:
        tracking: MLflow; without it nothing is sent there.
        record: False leaves no trace.
        progress: called with a stage, the pairs done and the pairs in all.
        step: does each stage: those of the screen, then the trading configuration, then MLflow.

    Raises:
        DataError: no active sector has two symbols with bars, or the newest bars are not of the session before.
    """
    panel = formation(store, symbols_of(store, settings), session, settings)
    sectors = store.sectors.of(panel.symbols)
    decided = settings_digest(settings, sectors)
    known = configuration_of(facts, session.day)
    origin = Origin(session, sectors, settings, panel.version, decided, known.version + 1 if known else 1, facts.world)
    if known is not None and known.is_of(decided, panel.version):
        same = on_record(store, facts, known)
        return step("MLflow", lambda: _tracked(store, facts, same, origin, tracking if record else None))
    with engine_of(settings.screen.engine, settings.screen.threads, settings.home) as engine:
        screen = identify(panel, session, settings, sectors, engine=engine, progress=progress, step=step)
    if not record:
        return _found(screen, _configured(store, facts, panel, screen, origin))
    found = step("trading configuration", lambda: _recorded(store, facts, panel, screen, origin))
    return step("MLflow", lambda: _tracked(store, facts, found, origin, tracking))


def _found(screen: Screen, configuration: TradingConfiguration) -> Identification:
    return Identification(configuration, screen.passports, screen.funnel, screen.table)


def _tracked(
    store: Store, facts: Facts, found: Identification, origin: Origin, tracking: Tracking | None
) -> Identification:
    """MLflow is told of what is on record and it lacks."""
    if tracking is None or found.tracked is not None:
        return found
    made, session = found.configuration, origin.session
    screen = Screen(session.day, found.passports, found.funnel, found.table)
    try:
        runs = track(tracking, screen, replace(origin, version=made.version), store.blobs.get(made.screen))
    except StoreError as error:
        untracked = Refusal("not tracked", str(error), "screening")
        if found.untracked is None:
            key = fact_key("refusal.tracking", session.day, made.version)
            # Somebody else may have been refused at the same time, in other words.
            with suppress(FactConflict):
                facts.append(Record(untracked, session.day, session.morning, key))
        return replace(found, untracked=untracked)
    told = Tracked(session.day, made.version, runs)
    facts.append(Record(told, session.day, session.morning, fact_key("tracked", session.day, made.version)))
    return replace(found, tracked=told, is_sent=True, untracked=None)


def _configured(
    store: Store, facts: Facts, panel: Panel, screen: Screen, origin: Origin, table: str = ""
) -> TradingConfiguration:
    session, settings = origin.session, origin.settings
    return TradingConfiguration(
        session=session.day,
        version=origin.version,
        world=str(facts.world),
        sectors=tuple(settings.sectors.active),
        across_sectors=settings.screen.across_sectors,
        timeframe=settings.model.timeframe,
        formation_days=settings.screen.formation_days,
        window_first=_utc(panel.starts[0]),
        window_last=_utc(panel.starts[-1]),
        settings=origin.settings_version,
        data_version=panel.version,
        screen=table,
        pairs=ranked(standing(facts, session, screen, settings, store.sectors.of, origin.version)),
    )


def _utc(start: np.datetime64) -> datetime:
    moment: datetime = start.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)


def on_record(store: Store, facts: Facts, configuration: TradingConfiguration) -> Identification:
    """The identification that a configuration came from, read again."""
    day, version = configuration.session, configuration.version
    key = fact_key("funnel", day, version)
    funnel = next(record.body for record in facts.read(Funnel, session=day) if record.key == key)
    passports = {record.key: record.body for record in facts.read(Passport, session=day)}
    key = fact_key("refusal.tracking", day, version)
    tracked = tracked_of(facts, day, version)
    refused = next((record.body for record in facts.read(Refusal, session=day) if record.key == key), None)
    return Identification(
        configuration,
        tuple(passports[each.passport] for each in configuration.pairs if each.is_selected),
        funnel,
        PairTable.from_bytes(store.blobs.get(configuration.screen)),
        is_new=False,
        tracked=tracked,
        untracked=None if tracked else refused,
    )


def symbols_of(store: Store, settings: Settings) -> list[str]:
    """Symbols of the active sectors that have bars of the model's timeframe.

    Raises:
        DataError: no active sector has two of them.
    """
    with_bars = set(store.bars.symbols(settings.model.timeframe))
    if not with_bars:
        there = ", ".join(length for length in Timeframe if store.bars.symbols(length))
        mend = f"Load some, or take --timeframe: {there}" if there else NO_BARS
        raise DataError(f"no {settings.model.timeframe} bars are stored", mend)
    sectors = [with_bars & set(store.sectors.symbols(sector)) for sector in settings.sectors.active]
    if not any(len(members) >= 2 for members in sectors):
        raise DataError(
            f"fewer than two symbols of {', '.join(settings.sectors.active)} have {settings.model.timeframe} bars",
            _unknown(store, settings) or "Load bars with `tandem data load`, or see `tandem sectors list`",
        )
    return sorted(set().union(*sectors))


def _unknown(store: Store, settings: Settings) -> str:
    """Which active sectors no symbol is in, and which there are; empty where all are known."""
    known = sorted(set(store.sectors.all()["sector"]))
    missing = [each for each in settings.sectors.active if each.casefold() not in known]
    if not missing or not known:
        return ""
    return f"sectors.active has {', '.join(missing)}, and no symbol is there. Known sectors: {', '.join(known)}"


def _recorded(store: Store, facts: Facts, panel: Panel, screen: Screen, origin: Origin) -> Identification:
    """All or nothing. Somebody else may do the same morning at the same time: with other settings both count."""
    table = store.blobs.put(screen.table.to_bytes())
    for _ in range(ATTEMPTS):
        found = _found(screen, _configured(store, facts, panel, screen, origin, table))
        try:
            facts.append(*_records(origin.session, found))
        except FactConflict:
            other = configuration_of(facts, origin.session.day)
            if other is None or other.version < origin.version:
                raise
            if other.is_of(origin.settings_version, origin.data_version):
                return on_record(store, facts, other)
            origin = replace(origin, version=other.version + 1)
        else:
            return found
    raise StoreError(f"others identify {origin.session.day} over and over", "Run it again when they are done")


def _records(session: Session, found: Identification) -> list[Record]:
    day, at, version = session.day, session.morning, found.configuration.version
    return [
        Record(found.funnel, day, at, fact_key("funnel", day, version)),
        *passport_records(session, version, found.passports),
        *(_change(session, version, life) for life in found.configuration.changes),
        Record(found.configuration, day, at, fact_key("configuration", day, version)),
    ]


def _change(session: Session, version: int, life: PairLife) -> Record[PairLife]:
    key = fact_key("life", session.day, version, life.pair)
    return Record(life, session.day, session.morning, key, str(life.pair))
