"""Waiting for the flows' times by the wall clock: Prefect's schedules, and a worker of our own."""

from typing import cast

from prefect import serve
from prefect.deployments.runner import RunnerDeployment

from tandem.market import World
from tandem.operations.flows.scheduled import FLOWS, schedule_of

DEPLOYMENT = "desk"


def serve_flows(world: World) -> None:
    """Register every flow with its schedule, and run what is due, until told to end.

    Prefect starts each run in a process of its own. Runs of the same flow never overlap in what they do: each does its
    trading date once.

    Args:
        world: whose work.
    """
    deployments = [
        flow.to_deployment(
            name=DEPLOYMENT,
            schedules=[schedule_of(name)],
            parameters={"world": str(world)},
            description=flow.description,
            tags=["tandem"],
        )
        for name, flow in FLOWS.items()
    ]
    serve(*cast(list[RunnerDeployment], deployments), pause_on_shutdown=False)
