"""Running the flows when they are due: by Prefect's schedules and the wall clock, or by a recycler's."""

import os
from collections.abc import Callable
from threading import Event
from typing import Final

from tandem.config import Settings
from tandem.market import Session, Stopwatch, TandemError, World
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.flows.bodies import BODIES
from tandem.operations.flows.conduct import Conductor
from tandem.operations.flows.environment import answers, prefect_environment
from tandem.operations.flows.work import Work, once
from tandem.store import Store

API: Final = "PREFECT_API_URL"
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
    from tandem.operations.flows.deployed import end_stale_runs, serve_by_the_wall_clock
    from tandem.operations.flows.scheduled import FLOWS

    if settings.websocket.mode == "alpaca":
        serve_by_the_wall_clock(store, world, said)
        return

    def run(name: FlowName, session: Session) -> None:
        _wait_for_prefect(f"{environment[API]}/ready")
        said(f"{session.day} {name}: {FLOWS[name](session.day, str(world))}")

    end_stale_runs()
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
