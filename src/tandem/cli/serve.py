"""`tandem serve`: what the day's models expect, over HTTP."""

import signal
from datetime import date
from typing import Annotated, Final

from cyclopts import Parameter, validators

from tandem.cli.opening import open_store, world_of

SIGNALLED: Final = 128

Port = Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=65535))]


def serve(*, host: str | None = None, port: Port = None, world: str = "", day: date | None = None) -> None:
    """Answer over HTTP what the models of a trading day expect, until Ctrl-C; paths and bodies are MLflow's.

    Clients need a token: TANDEM_SERVE__TOKEN, or one that is made up and printed.

    Parameters
    ----------
    host
        Where to listen; without it serve.host, this machine alone.
    port
        The port, 0 for any that is free; without it serve.port.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    day
        Whose models, such as 2026-04-14; without it those of the newest plan, also when a newer one is made.
    """
    from tandem.config import load
    from tandem.operations import serve_models

    settings = load(options={"serve.host": host, "serve.port": port})
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with open_store() as store:
        serve_models(store, world_of(store, settings, world), day, settings.serve, lambda line: print(line, flush=True))


def _end(number: int, _frame: object) -> None:
    raise SystemExit(SIGNALLED + number)
