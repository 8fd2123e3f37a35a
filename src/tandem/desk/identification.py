"""The identification of a morning: bars in, pairs out, MLflow and the day's trading configuration on record."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

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
from tandem.market import DataError, FactConflict, Refusal, Session, StoreError
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
from tandem.store import Facts, Panel, Record, Store, Tracking


@dataclass(frozen=True, slots=True)
class Identification:
    """What one morning found.

    Attributes:
        configuration: which pairs may be traded.
        passports: of the selected pairs, best score first.
        funnel: the counts.
        table: every pair considered, with the gate at which it ended.
        is_new: False where it was on record already and nothing has changed.
        untracked: why MLflow knows nothing of it; None where it does, or was not asked.
    """

    configuration: TradingConfiguration
    passports: tuple[Passport, ...]
    funnel: Funnel
    table: PairTable
    is_new: bool = True
    untracked: Refusal | None = None


def identify_day(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    *,
    tracking: Tracking | None = None,
    record: bool = True,
    progress: Progress | None = None,
) -> Identification:
    """Identify the pairs of a trading date on what was known at 6:00, and put it on record.

    The same bars and settings change nothing; others make the next version of the day's configuration.
    It does not depend on MLflow: where that is away, a Refusal is on record and the identification counts.

    Args:
        tracking: MLflow; without it nothing is sent there.
        record: False leaves no trace.
        progress: called with a stage, the pairs done and the pairs in all.

    Raises:
        DataError: no active sector has two symbols with bars, or the newest bars are not of the session before.
    """
    symbols = symbols_of(store, settings)
    panel = formation(store, symbols, session, settings)
    sectors = store.sectors.of(symbols)
    decided = settings_digest(settings, sectors)
    known = configuration_of(facts, session.day)
    if known is not None and known.is_of(decided, panel.version):
        return on_record(store, facts, known)
    with engine_of(settings.screen, settings.home) as engine:
        screen = identify(panel, session, settings, sectors, engine=engine, progress=progress)
    origin = Origin(session, sectors, settings, panel.version, known.version + 1 if known else 1, facts.world)
    if not record:
        return Identification(_configured(store, facts, panel, screen, origin, decided), *_found(screen))
    document = screen.table.to_bytes()
    runs = _tracked(tracking, screen, origin, document)
    untracked = runs if isinstance(runs, Refusal) else None
    configuration = replace(
        _configured(store, facts, panel, screen, origin, decided),
        screen=store.blobs.put(document),
        runs={} if isinstance(runs, Refusal) else runs,
    )
    return _recorded(store, facts, session, Identification(configuration, *_found(screen), untracked=untracked))


def _found(screen: Screen) -> tuple[tuple[Passport, ...], Funnel, PairTable]:
    return screen.passports, screen.funnel, screen.table


def _tracked(tracking: Tracking | None, screen: Screen, origin: Origin, document: bytes) -> dict[str, str] | Refusal:
    try:
        return track(tracking, screen, origin, document) if tracking else {}
    except StoreError as error:
        return Refusal("not tracked", str(error), "screening")


def _configured(
    store: Store, facts: Facts, panel: Panel, screen: Screen, origin: Origin, decided: str
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
        settings=decided,
        data_version=panel.version,
        screen="",
        runs={},
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
    return Identification(
        configuration,
        tuple(passports[each.passport] for each in configuration.pairs if each.is_selected),
        funnel,
        PairTable.from_bytes(store.blobs.get(configuration.screen)),
        is_new=False,
    )


def symbols_of(store: Store, settings: Settings) -> list[str]:
    """Symbols of the active sectors that have bars of the model's timeframe.

    Raises:
        DataError: no active sector has two of them.
    """
    with_bars = set(store.bars.symbols(settings.model.timeframe))
    sectors = [with_bars & set(store.sectors.symbols(sector)) for sector in settings.sectors.active]
    if not any(len(members) >= 2 for members in sectors):
        raise DataError(
            f"fewer than two symbols of {', '.join(settings.sectors.active)} have {settings.model.timeframe} bars",
            "Load bars with `tandem data load`, or see `tandem sectors list`",
        )
    return sorted(set().union(*sectors))


def _recorded(store: Store, facts: Facts, session: Session, found: Identification) -> Identification:
    configuration = found.configuration
    day, at, version = session.day, session.morning, configuration.version
    records: list[Record] = [
        Record(found.funnel, day, at, fact_key("funnel", day, version)),
        *passport_records(session, version, found.passports),
        *(_change(session, version, life) for life in configuration.changes),
        Record(configuration, day, at, fact_key("configuration", day, version)),
    ]
    if found.untracked:
        records.append(Record(found.untracked, day, at, fact_key("refusal.tracking", day, version)))
    try:
        facts.append(*records)
    except FactConflict:
        # Somebody else did the same morning at the same time.
        other = configuration_of(facts, day)
        if other is None or not other.is_of(configuration.settings, configuration.data_version):
            raise
        return on_record(store, facts, other)
    return found


def _change(session: Session, version: int, life: PairLife) -> Record[PairLife]:
    key = fact_key("life", session.day, version, life.pair)
    return Record(life, session.day, session.morning, key, str(life.pair))
