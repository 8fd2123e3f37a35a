"""The flows by the wall clock: on Prefect's schedules, and again where one was due and is not done."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from threading import Event, Thread
from typing import Final, cast
from uuid import UUID

from prefect import serve
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.states import Crashed

from tandem.market import NEW_YORK, WallClock, World
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.flows.lacking import lacking
from tandem.operations.flows.scheduled import FLOWS, schedule_of
from tandem.store import Store

DEPLOYMENT: Final = "desk"
AGAIN_SECONDS: Final = 1800.0
AFTER_TROUBLE_SECONDS: Final = 10.0
MOST_RUNS: Final = 5
RUNNING: Final = (StateType.RUNNING, StateType.PENDING)
FAILED: Final = (StateType.FAILED, StateType.CRASHED)

Deployed = Mapping[FlowName, UUID]


def serve_by_the_wall_clock(store: Store, world: World, said: Callable[[str], None]) -> None:
    """Start what is due, each run in a process of its own, until told to end.

    What was due while nobody served, and what failed, is run now, and looked for again every half an hour, so that a
    source that was away in the morning costs no day; what has failed five times is left until flows are served anew.
    """
    deployments = {
        name: cast(
            RunnerDeployment,
            flow.to_deployment(
                name=DEPLOYMENT,
                schedules=[schedule_of(name)],
                parameters={"world": str(world)},
                description=flow.description,
                tags=["tandem"],
            ),
        )
        for name, flow in FLOWS.items()
    }
    deployed = {name: cast(UUID, deployment.apply()) for name, deployment in deployments.items()}
    end_stale_runs()
    Thread(target=_keep_looking, args=(store, world, deployed, said), daemon=True).start()
    serve(*deployments.values(), pause_on_shutdown=False)


def _keep_looking(store: Store, world: World, deployed: Deployed, said: Callable[[str], None]) -> None:
    since = WallClock().now()
    while True:
        try:
            run_what_lacks(store, world, deployed, since, said)
        except Exception as error:  # Prefect, or the store, is away for a while.
            said(f"what is due could not be looked for: {error}")
            Event().wait(AFTER_TROUBLE_SECONDS)
        else:
            Event().wait(AGAIN_SECONDS)


def run_what_lacks(
    store: Store, world: World, deployed: Deployed, since: datetime, said: Callable[[str], None]
) -> None:
    """Run the flows that were due and are not done, but for those that are under way, or failed too often.

    Args:
        since: from when on runs that failed are counted.
    """
    now = WallClock().now()
    with get_client(sync_client=True) as client:
        for name, session in lacking(store.facts(world), now):
            if _may_run(client, deployed[name], session.day, since, now):
                said(f"{session.day} {name} was due and is not done: it is run now")
                parameters = {"world": str(world), "day": str(session.day)}
                client.create_flow_run_from_deployment(deployed[name], parameters=parameters)


def end_stale_runs() -> None:
    """Here alone runs of these flows are made: those that still run were killed with who made them."""
    running = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(RUNNING)))
    ours = FlowFilter(name=FlowFilterName(any_=[flow.name for flow in FLOWS.values()]))
    with get_client(sync_client=True) as client:
        for each in client.read_flow_runs(flow_filter=ours, flow_run_filter=FlowRunFilter(state=running)):
            client.set_flow_run_state(each.id, Crashed(message="its process was killed"), force=True)


def _may_run(client: SyncPrefectClient, deployment: UUID, day: date, since: datetime, now: datetime) -> bool:
    """Whether no run of a day is under way, or due by now and still to be started, and not too many have failed."""
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        flow_run_filter=FlowRunFilter(expected_start_time=_between(day, now)),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
    )
    own = [run for run in runs if _day_of(run) == day]
    under_way = [run for run in own if run.state_type in (*RUNNING, StateType.SCHEDULED)]
    failed = [run for run in own if run.state_type in FAILED and _due(run) >= since]
    return not under_way and len(failed) < MOST_RUNS


def _between(day: date, now: datetime) -> FlowRunFilterExpectedStartTime:
    first = datetime.combine(day, time(0), NEW_YORK)
    return FlowRunFilterExpectedStartTime.model_validate({"after_": first, "before_": now})


def _day_of(run: FlowRun) -> date:
    """The trading date that a run is asked to do, else that on which it is due."""
    said = run.parameters.get("day")
    return date.fromisoformat(said) if said else _due(run).astimezone(NEW_YORK).date()


def _due(run: FlowRun) -> datetime:
    assert run.expected_start_time is not None
    return run.expected_start_time
