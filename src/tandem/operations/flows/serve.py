"""Running the flows when they are due: by Prefect's schedules and the wall clock, or by a recycler's."""

import os
from collections.abc import Callable
from threading import Event
from typing import Final, cast
from uuid import UUID

from tandem.config import Settings
from tandem.market import Session, Stopwatch, TandemError, WallClock, World
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.flows.bodies import BODIES
from tandem.operations.flows.conduct import Conductor
from tandem.operations.flows.environment import answers, prefect_environment
from tandem.operations.flows.lacking import lacking
from tandem.operations.flows.work import Work, once
from tandem.store import Store

API: Final = "PREFECT_API_URL"
DEPLOYMENT: Final = "desk"
LOOK_SECONDS: Final = 0.5
SECONDS_TO_ANSWER: Final = 120.0
TOKEN: Final = "TANDEM_RECYCLER_TOKEN"  # noqa: S105 - a name


def serve_flows(store: Store, settings: Settings, world: World, said: Callable[[str], None]) -> None:
    """Run what is due until told to end; at a recycler in lockstep, until its reel has ended.

    Prefect's server has to run. By the wall clock Prefect starts each run in a process of its own; at a recycler the
    runs are made here, for Prefect knows no other clock than the wall's. A flow does its trading date once, however
    often it is started.

    Args:
        world: whose work.
        said: told what happens, one line at a time.

    Raises:
        TandemError: Prefect's server does not answer.
    """
    environment = prefect_environment(settings)
    if not answers(f"{environment[API]}/health"):
        raise TandemError(f"Prefect's server does not answer at {environment[API]}", "`tandem up` starts it")
    os.environ.update(environment)
    if settings.websocket.mode == "alpaca":
        _by_the_wall_clock(store, world, said)
        return
    from tandem.operations.flows.scheduled import FLOWS

    def run(name: FlowName, session: Session) -> None:
        _wait_for_prefect(f"{environment[API]}/ready")
        said(f"{session.day} {name}: {FLOWS[name](session.day, str(world))}")

    _end_stale_runs()
    url = settings.websocket.recycler.server_url
    Conductor(store.facts(world), url, os.environ.get(TOKEN, ""), run, said).conduct()


def do_flow(work: Work, name: FlowName) -> FlowDone:
    """Do a flow's work here and now, without Prefect, unless it is done.

    Raises:
        TandemError: it failed.
    """
    return once(work, name, BODIES[name])


def _wait_for_prefect(ready: str) -> None:
    """A server that was killed is started again meanwhile; no flow shall fail of it."""
    waited = Stopwatch()
    while not answers(ready) and waited.seconds < SECONDS_TO_ANSWER:
        Event().wait(LOOK_SECONDS)


def _end_stale_runs() -> None:
    """Here alone runs are made: those that still run were killed with who made them."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    running = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
    with get_client(sync_client=True) as client:
        for each in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=running)):
            client.set_flow_run_state(each.id, Crashed(message="its process was killed"), force=True)


def _by_the_wall_clock(store: Store, world: World, said: Callable[[str], None]) -> None:
    from prefect import serve
    from prefect.client.orchestration import get_client
    from prefect.deployments.runner import RunnerDeployment

    from tandem.operations.flows.scheduled import FLOWS, schedule_of

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
    ids = {name: deployment.apply() for name, deployment in deployments.items()}
    with get_client(sync_client=True) as client:
        for name, session in lacking(store.facts(world), WallClock().now()):
            said(f"{session.day} {name} was due and is not done: it is run now")
            parameters = {"world": str(world), "day": str(session.day)}
            client.create_flow_run_from_deployment(cast(UUID, ids[name]), parameters=parameters)
    serve(*deployments.values(), pause_on_shutdown=False)
