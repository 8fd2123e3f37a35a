"""The flows by the wall clock: on Prefect's schedules, and again where one was due and is not done."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Event, Thread
from typing import Final, cast
from uuid import UUID

from prefect import serve
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.states import Crashed

from tandem.market import WallClock, World
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.flows.lacking import lacking
from tandem.operations.flows.scheduled import FLOWS, schedule_of
from tandem.store import Store

DEPLOYMENT: Final = "desk"
AGAIN_SECONDS: Final = 1800.0
RUNNING: Final = (StateType.RUNNING, StateType.PENDING)

Deployed = Mapping[FlowName, UUID]


def serve_by_the_wall_clock(store: Store, world: World, said: Callable[[str], None]) -> None:
    """Start what is due, each run in a process of its own, until told to end.

    What was due while nobody served, and what failed, is run now, and looked for again every half an hour: a source
    that was away in the morning costs no day.
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
    while True:
        try:
            run_what_lacks(store, world, deployed, WallClock().now(), said)
        except Exception as error:  # Prefect, or the store, is away: it is looked for again.
            said(f"what is due could not be looked for: {error}")
        Event().wait(AGAIN_SECONDS)


def run_what_lacks(store: Store, world: World, deployed: Deployed, now: datetime, said: Callable[[str], None]) -> None:
    """Run the flows that were due and are not done, but for those that are under way."""
    with get_client(sync_client=True) as client:
        for name, session in lacking(store.facts(world), now):
            if not _is_under_way(client, deployed[name], now):
                said(f"{session.day} {name} was due and is not done: it is run now")
                parameters = {"world": str(world), "day": str(session.day)}
                client.create_flow_run_from_deployment(deployed[name], parameters=parameters)


def end_stale_runs() -> None:
    """Here alone runs are made: those that still run were killed with who made them."""
    running = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(RUNNING)))
    with get_client(sync_client=True) as client:
        for each in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=running)):
            client.set_flow_run_state(each.id, Crashed(message="its process was killed"), force=True)


def _is_under_way(client: SyncPrefectClient, deployment: UUID, now: datetime) -> bool:
    """Whether a run goes on, or should have been started by now and will be."""
    waiting = FlowRunFilterStateType(any_=[*RUNNING, StateType.SCHEDULED])
    due = FlowRunFilterExpectedStartTime.model_validate({"before_": now})
    found = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=waiting), expected_start_time=due),
        limit=1,
    )
    return bool(found)
