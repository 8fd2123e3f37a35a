"""Before the open: the day's identification, then a model for each pair that may be entered, and the plan."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tandem.book import Mark
from tandem.config import Settings
from tandem.desk.configuration import TradingConfiguration, as_identified, configuration_of, fact_key
from tandem.desk.identification import Identification, identify_day, on_record
from tandem.desk.lineup import line_up, model_of
from tandem.desk.plan import Plan, plan_of, record_plan
from tandem.desk.refitted import Refitted, begins_with, refit
from tandem.desk.registration import as_owed, tell_mlflow
from tandem.desk.tracked import Tracked
from tandem.desk.training import day_models, forget_training
from tandem.desk.trial import split_of
from tandem.forecast import PairModel, RecipeStaged, Registration, challenger_of
from tandem.market import FactConflict, Pair, Session, Step, at_once
from tandem.screening import Funnel, PairLife, Passport, Progress, slug
from tandem.store import Facts, Record, StageChanged, Store

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
    step: Step = at_once,
) -> Morning | None:
    """Do the morning of one trading date, once: None where the world has a plan for it already.

    The day's newest recorded identification counts, whatever settings it was made with; where there is none it is
    made. One that is recorded after the session has begun is for nobody: the session goes on as it began, also where
    it began without a plan.

    Only bars that were over at 6:00 in New York are read. Trading does not depend on MLflow: where it is away, that
    is a Refusal on record and the plan is made all the same. Whatever comes next tells it of the refits: this again, an
    evening, the next morning, or `tandem models`.

    Args:
        registry: None registers nothing.
        progress: called with a stage, the pairs done and the pairs in all.
        step: does each stage: those of an identification, where there is none, then those of `train`.

    Raises:
        DataError: no active sector has two symbols with bars.
    """
    plan, configuration = plan_of(facts, session.day), configuration_of(facts, session.day)
    if plan is not None and not _is_behind(facts, session, plan, configuration):
        if registry is not None:
            tell_mlflow(registry, store.blobs, facts)
        return None
    if plan is None and facts.read(Mark, session=session.day):
        return None
    if configuration is not None:
        found = on_record(store, facts, configuration)
    else:
        tracking = registry.tracking if registry else None
        found = identify_day(store, facts, session, settings, tracking=tracking, progress=progress, step=step)
    return train(store, facts, session, settings, found, registry, progress, step)


def train(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    found: Identification,
    registry: "MlflowRegistry | None",
    progress: Progress | None = None,
    step: Step = at_once,
) -> Morning:
    """Fit every recipe that may come to trade to the pairs that may be entered, record the plan, register the models.

    A refit that does not pass its sanity gates is on record and does not trade: the baseline does.

    Args:
        step: does each stage: training and validation, the plan, MLflow.
    """
    settings = as_identified(settings, found.configuration)
    entering = tuple(each for each in found.passports if _may_enter(found.configuration, each.pair))
    sectors = tuple(dict.fromkeys(passport.sector for passport in entering))
    challengers = () if settings.trial.mode == "off" else (challenger_of(settings).settings,)
    lineups = line_up(facts, session, settings, sectors, challengers) if sectors else []
    fit = partial(day_models, store, session, progress=progress)
    refitted = step(
        "training and validation",
        lambda: refit(facts, store.blobs, session, settings, entering, lineups, fit),
    )
    split = split_of(facts, session, settings, lineups, entering)
    models = begins_with(lineups, refitted, split)
    digests = {str(pair): store.blobs.put(model.to_bytes()) for pair, model in models.items()}
    shares = {str(pair): recipe for pair, recipe in split.items()}
    version, refits = found.configuration.version, tuple(each.refit for each in refitted)
    plan = Plan(found.funnel.tested, digests, version, refits, shares)
    told = [_registration(store, facts, session, entering, each, settings, version) for each in refitted]
    owed = [as_owed(session, each) for each in told] if registry else []
    step("staging", lambda: record_plan(facts, session, plan, entering, owed))
    if registry is not None:
        step("MLflow registration", lambda: _tell(store, facts, session, version, registry))
    forget_training(settings, session)
    return Morning(found, models, plan)


def copy_plan(source: Facts, target: Facts, session: Session) -> None:
    """Let another world trade a date by the same identification and plan, and the stages as they were and became."""
    for kind in (Funnel, Passport, PairLife, TradingConfiguration, Tracked, Plan):
        target.append(*source.read(kind, session=session.day))
    target.append(*source.read(RecipeStaged))
    target.append(*(record for record in source.read(StageChanged) if record.session <= session.day))


def _tell(store: Store, facts: Facts, session: Session, version: int, registry: "MlflowRegistry") -> None:
    if away := tell_mlflow(registry, store.blobs, facts):
        with suppress(FactConflict):
            key = fact_key("refusal.registry", session.day, version)
            facts.append(Record(replace(away, reason="not registered"), session.day, session.morning, key))


def _is_behind(facts: Facts, session: Session, plan: Plan, configuration: TradingConfiguration | None) -> bool:
    """A later identification counts until the session has made its first decision."""
    if configuration is None or configuration.version <= plan.version:
        return False
    return not facts.read(Mark, session=session.day)


def _may_enter(configuration: TradingConfiguration, pair: Pair) -> bool:
    configured = configuration.of(pair)
    return configured is not None and configured.entries


def _registration(
    store: Store,
    facts: Facts,
    session: Session,
    entering: Sequence[Passport],
    refitted: Refitted,
    settings: Settings,
    version: int,
) -> Registration:
    own = [passport for passport in entering if passport.pair in refitted.models]
    return Registration.of(
        session,
        refitted.refit.sector,
        own,
        refitted.models,
        model_of(refitted.recipe, settings),
        facts.world,
        configuration=version,
        refused=refitted.refit.refused,
        tried=store.ledger.count([slug(refitted.refit.sector)]),
    )
