"""`tandem flows`: the scheduled work of a trading day, under Prefect."""

import os
from datetime import date
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators

from tandem.cli.opening import asked_session, open_store, world_to_identify

Days = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Name = Literal["identification", "training", "session", "monitoring", "housekeeping"]

app = App(name="flows", help="The scheduled work of a trading day, under Prefect.")


@app.command
def serve(*, world: str = "") -> None:
    """Run the flows when they are due, until Ctrl-C; `tandem up` does it for you. Prefect's server has to run.

    At a recycler in lockstep they run by its clock, which stands while they work.

    Parameters
    ----------
    world
        Which account and timeline, such as paper-3; without it the one that `tandem trade` would use.
    """
    from structlog import get_logger

    from tandem.config import load
    from tandem.operations import configure_logs, secrets_of, serve_flows

    settings = load()
    configure_logs("flows", secrets_of(settings, os.environ))
    with open_store() as store:
        meant = world_to_identify(store, settings, world)
        serve_flows(store, settings, meant, get_logger().bind(world=str(meant)).info)


@app.command
def run(name: Name, /, *, day: date | None = None, world: str = "") -> None:
    """Do a flow's work for a trading date, here and now and without Prefect, unless it is done.

    Parameters
    ----------
    name
        identification, training, session, monitoring or housekeeping.
    day
        The trading date; without it the one after the newest stored bar.
    world
        Which account and timeline, such as paper-3; without it the one that `tandem trade` would use.
    """
    from tandem.config import load
    from tandem.desk import registry_of
    from tandem.operations import FlowName, Work, do_flow

    settings = load()
    with open_store() as store:
        session = asked_session(store, day, settings)
        facts = store.facts(world_to_identify(store, settings, world))
        done = do_flow(Work(store, facts, session, settings, registry_of(store, settings)), FlowName(name))
    print(f"{session.day} {name}: {done.why}")


@app.command(name="list")
def list_done(*, days: Days = 5, world: str = "") -> None:
    """What the flows came to, newest trading date first.

    Parameters
    ----------
    days
        How many trading dates.
    world
        Which account and timeline; without it the newest of those the settings name.
    """
    from rich.console import Console
    from rich.table import Table

    from tandem.cli.opening import world_of
    from tandem.config import load
    from tandem.operations import FlowDone

    with open_store() as store:
        meant = world_of(store, load(), world)
        found = store.facts(meant).read(FlowDone)
    table = Table("date", "flow", "came to", title=f"Flows of {meant}")
    dates = sorted({record.session for record in found}, reverse=True)[:days]
    for record in sorted(found, key=lambda each: (each.session, each.at), reverse=True):
        if record.session in dates:
            table.add_row(str(record.session), record.body.flow, record.body.why)
    Console().print(table if dates else f"{meant} has no flow on record.")
