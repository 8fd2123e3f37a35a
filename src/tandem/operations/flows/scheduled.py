"""The flows as Prefect sees them: one of each a trading date, a task for each stage, and when they are due."""

from collections.abc import Callable
from datetime import date
from typing import Final, TypeVar

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.schedules import Cron, Schedule

from tandem.config import Settings, load
from tandem.desk import newest_of_kind, registry_of, world_named
from tandem.market import NEW_YORK, Calendar, ConfigError, Session, WallClock
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.flows.bodies import BODIES
from tandem.operations.flows.lacking import BEFORE, DUE
from tandem.operations.flows.work import Work, once
from tandem.store import Store

T = TypeVar("T")

RETRIES: Final = {"data collection": 3, "gaps": 2, "MLflow": 2, "MLflow registration": 2}
RETRY_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 2700.0
SECONDS: Final = {"data collection": 1800.0}


@flow(name="daily pair identification")
def daily_pair_identification(day: date | None = None, world: str = "") -> str:
    """Find the pairs that the day may trade."""
    return _once(FlowName.IDENTIFICATION, day, world)


@flow(name="model training and validation")
def model_training_and_validation(day: date | None = None, world: str = "") -> str:
    """Fit the day's models; on the first session of a week rank every pair."""
    return _once(FlowName.TRAINING, day, world)


@flow(name="trading session")
def trading_session(day: date | None = None, world: str = "") -> str:
    """See that the session is traded; a process of its own does it."""
    return _once(FlowName.SESSION, day, world)


@flow(name="performance monitoring")
def performance_monitoring(day: date | None = None, world: str = "") -> str:
    """Grade the day's forecasts, compare the recipes, report."""
    return _once(FlowName.MONITORING, day, world)


@flow(name="housekeeping")
def housekeeping(day: date | None = None, world: str = "") -> str:
    """Fill gaps, seal the day, let go of what is old, vacuum, back up."""
    return _once(FlowName.HOUSEKEEPING, day, world)


FLOWS: Final = {
    FlowName.IDENTIFICATION: daily_pair_identification,
    FlowName.TRAINING: model_training_and_validation,
    FlowName.SESSION: trading_session,
    FlowName.MONITORING: performance_monitoring,
    FlowName.HOUSEKEEPING: housekeeping,
}


def schedule_of(name: FlowName) -> Schedule:
    """When a flow is due; what holidays are it finds out itself."""
    due = DUE[name]
    return Cron(f"{due.minute} {due.hour} * * 1-5", timezone=str(NEW_YORK))


def as_task(name: str, do: Callable[[], T]) -> T:
    """A stage of a flow as a task of Prefect's."""
    stage = task(
        name=name,
        retries=RETRIES.get(name, 0),
        retry_delay_seconds=RETRY_SECONDS,
        retry_condition_fn=_may_pass,
        timeout_seconds=SECONDS.get(name),
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return stage(do)()


def _may_pass(_task: object, _run: object, state: State) -> bool:
    """A setting that is wrong stays wrong until somebody mends it."""
    return not isinstance(state.result(raise_on_failure=False), ConfigError)


def _once(name: FlowName, day: date | None, world: str) -> str:
    asked = day or runtime.flow_run.scheduled_start_time.astimezone(NEW_YORK).date()
    session = Calendar().session(asked)
    if session is None:
        return f"the exchange is closed on {asked}"
    settings = load()
    if name in BEFORE and settings.websocket.mode == "alpaca" and WallClock().now() >= session.close:
        return f"the session of {asked} is over"
    with Store.of(settings) as store:
        return once(_work(store, session, settings, world), name, BODIES[name]).why


def _work(store: Store, session: Session, settings: Settings, world: str) -> Work:
    meant = world_named(store, world) if world else newest_of_kind(store, settings)
    if meant is None:
        raise ConfigError("there is no world to work for yet", "Start with `tandem up`, or `tandem trade --dry-run`")
    registry = registry_of(store, settings)
    patience = PATIENCE_SECONDS if settings.websocket.mode == "alpaca" else 0.0
    run = str(runtime.flow_run.id or "")
    return Work(store, store.facts(meant), session, settings, registry, as_task, run, patience)
