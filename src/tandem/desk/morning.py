"""Before the open: identify pairs, train their models, register them, write the plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.desk.history import formation, training
from tandem.desk.plan import Plan, plan_of, record_plan
from tandem.forecast import ModelRegistered, PairModel, train_pair
from tandem.market import DataError, Pair, Refusal, Session, StoreError, World
from tandem.screening import Passport, Screen, identify
from tandem.store import Facts, Record, Store

if TYPE_CHECKING:
    import pandas as pd

    from tandem.forecast import MlflowRegistry


@dataclass(frozen=True, slots=True)
class Morning:
    """What one morning decided.

    Attributes:
        screen: every pair tested, selected or refused.
        models: of the selected pairs.
        plan: what the session will live by.
    """

    screen: Screen
    models: Mapping[Pair, PairModel]
    plan: Plan


def prepare(
    store: Store, facts: Facts, session: Session, settings: Settings, registry: "MlflowRegistry | None"
) -> Morning | None:
    """Do the morning of one trading date, once: None where the world has a plan for it already.

    Only bars that were over at 6:00 in New York are read. Trading does not depend on the registry: where it
    is away, that is a Refusal on record and the plan is made all the same.

    Raises:
        DataError: no active sector has two symbols with bars.
    """
    if plan_of(facts, session.day) is not None:
        return None
    symbols = symbols_of(store, settings)
    screen = identify(formation(store, symbols, session, settings), session, settings, store.sectors.of(symbols))
    models = _train(training(store, symbols, session, settings), screen.passports, settings)
    digests = {str(pair): store.blobs.put(model.to_bytes()) for pair, model in models.items()}
    try:
        registered = _register(registry, session, screen, models, settings, facts.world) if registry else []
    except StoreError as error:
        registered = []
        away = Refusal("not registered", str(error), "forecast")
        facts.append(Record(away, session.day, session.morning, f"refusal.registry.{session.day}"))
    facts.append(*_findings(session, screen, registered))
    if registry is not None:
        for model in registered:
            registry.promote(model.name, model.version)
    plan = Plan(screen.funnel.tested, digests, tuple(model.name for model in registered))
    record_plan(facts, session, plan, screen.passports)
    return Morning(screen, models, plan)


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


def _register(
    registry: "MlflowRegistry",
    session: Session,
    screen: Screen,
    models: Mapping[Pair, PairModel],
    settings: Settings,
    world: World,
) -> list[ModelRegistered]:
    registered = []
    for sector in settings.sectors.active:
        passports = [passport for passport in screen.passports if passport.sector == sector]
        own = {passport.pair: models[passport.pair] for passport in passports}
        if own:
            registered.append(registry.record_day(session, sector, passports, own, settings, world=world))
    return registered


def _findings(session: Session, screen: Screen, registered: Iterable[ModelRegistered]) -> list[Record]:
    day, at = session.day, session.morning
    found: list[Record] = [Record(screen.funnel, day, at, f"funnel.{day}")]
    found += [
        Record(refused.refusal, day, at, f"refusal.screening.{day}.{refused.pair}", str(refused.pair))
        for refused in screen.refusals
    ]
    return found + [Record(model, day, at, f"registered.{model.name}.{model.version}") for model in registered]


def copy_plan(source: Facts, target: Facts, session: Session) -> None:
    """Let another world trade a date by the same plan."""
    plan = plan_of(source, session.day)
    if plan is not None:
        record_plan(target, session, plan, [record.body for record in source.read(Passport, session=session.day)])


def _train(bars: "pd.DataFrame", passports: tuple[Passport, ...], settings: Settings) -> dict[Pair, PairModel]:
    closes = bars.pivot(index="start", columns="symbol", values="close")
    models = {}
    for passport in passports:
        both = closes[list(passport.pair.symbols)].dropna()
        a, b = (both[symbol].to_numpy() for symbol in passport.pair.symbols)
        models[passport.pair] = train_pair(passport, a, b, settings, list(both.index))
    return models
