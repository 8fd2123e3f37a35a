"""Before the open: the day's identification, then a model for each pair that may be entered, and the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tandem.book import Mark
from tandem.config import Settings
from tandem.desk.configuration import TradingConfiguration, configuration_of, fact_key
from tandem.desk.identification import Identification, identify_day, on_record
from tandem.desk.plan import Plan, plan_of, record_plan
from tandem.desk.tracked import Tracked
from tandem.desk.training import day_models
from tandem.forecast import ModelRegistered, PairModel
from tandem.market import Pair, Refusal, Session, StoreError
from tandem.screening import Funnel, PairLife, Passport, Progress
from tandem.store import Facts, Record, Store

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry


@dataclass(frozen=True, slots=True)
class Morning:
    """What one morning decided.

    Attributes:
        identification: every pair considered, selected or refused, and what may be traded.
        models: of the pairs that may be entered.
        plan: what the session will live by.
    """

    identification: Identification
    models: Mapping[Pair, PairModel]
    plan: Plan

    @property
    def entering(self) -> tuple[Passport, ...]:
        """Passports of the pairs that may be entered, best score first."""
        return tuple(passport for passport in self.identification.passports if passport.pair in self.models)


def prepare(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    registry: "MlflowRegistry | None",
    progress: Progress | None = None,
) -> Morning | None:
    """Do the morning of one trading date, once: None where the world has a plan for it already.

    The day's newest recorded identification counts, whatever settings it was made with; where there is none it is
    made. One that is recorded after the session has begun is for nobody: the session goes on as it began.

    Only bars that were over at 6:00 in New York are read. Trading does not depend on MLflow: where it is away, that
    is a Refusal on record and the plan is made all the same.

    Args:
        registry: None registers nothing.
        progress: called with a stage, the pairs done and the pairs in all.

    Raises:
        DataError: no active sector has two symbols with bars.
    """
    plan, configuration = plan_of(facts, session.day), configuration_of(facts, session.day)
    if plan is not None and not _is_behind(facts, session, plan, configuration):
        return None
    if configuration is not None:
        found = on_record(store, facts, configuration)
    else:
        tracking = registry.tracking if registry else None
        found = identify_day(store, facts, session, settings, tracking=tracking, progress=progress)
    return train(store, facts, session, settings, found, registry, progress)


def train(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    found: Identification,
    registry: "MlflowRegistry | None",
    progress: Progress | None = None,
) -> Morning:
    """Train a model for each pair that may be entered, register them and record the plan."""
    settings = as_identified(settings, found.configuration)
    entering = tuple(each for each in found.passports if _may_enter(found.configuration, each.pair))
    models = day_models(store, session, settings, entering, progress)
    digests = {str(pair): store.blobs.put(model.to_bytes()) for pair, model in models.items()}
    version = found.configuration.version
    try:
        registered = _register(registry, facts, session, entering, models, settings) if registry else []
    except StoreError as error:
        registered = []
        away = Refusal("not registered", str(error), "forecast")
        facts.append(Record(away, session.day, session.morning, fact_key("refusal.registry", session.day, version)))
    facts.append(*(
        Record(model, session.day, session.morning, f"registered.{model.name}.{model.version}") for model in registered
    ))  # fmt: skip
    if registry is not None:
        for model in registered:
            registry.promote(model.name, model.version)
    plan = Plan(found.funnel.tested, digests, tuple(model.name for model in registered), version)
    record_plan(facts, session, plan, entering)
    return Morning(found, models, plan)


def copy_plan(source: Facts, target: Facts, session: Session) -> None:
    """Let another world trade a date by the same identification and plan."""
    for kind in (Funnel, Passport, PairLife, TradingConfiguration, Tracked, Plan):
        target.append(*source.read(kind, session=session.day))


def _is_behind(facts: Facts, session: Session, plan: Plan, configuration: TradingConfiguration | None) -> bool:
    """A later identification counts until the session has made its first decision."""
    if configuration is None or configuration.version <= plan.version:
        return False
    return not facts.read(Mark, session=session.day)


def as_identified(settings: Settings, configuration: TradingConfiguration) -> Settings:
    """The settings with the bars and the window that a configuration was made from."""
    model = settings.model.model_copy(update={"timeframe": configuration.timeframe})
    screen = settings.screen.model_copy(update={"formation_days": configuration.formation_days})
    return settings.model_copy(update={"model": model, "screen": screen})


def _may_enter(configuration: TradingConfiguration, pair: Pair) -> bool:
    configured = configuration.of(pair)
    return configured is not None and configured.entries


def _register(
    registry: "MlflowRegistry",
    facts: Facts,
    session: Session,
    passports: Sequence[Passport],
    models: Mapping[Pair, PairModel],
    settings: Settings,
) -> list[ModelRegistered]:
    registered = []
    for sector in dict.fromkeys(passport.sector for passport in passports):
        own = [passport for passport in passports if passport.sector == sector]
        chosen = {passport.pair: models[passport.pair] for passport in own}
        registered.append(registry.record_day(session, sector, own, chosen, settings, world=facts.world))
    return registered
