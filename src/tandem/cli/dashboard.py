"""`tandem dashboard`: the web page."""

import signal
from collections.abc import Mapping
from typing import Annotated, Any, Final

from cyclopts import Parameter, validators

from tandem.cli.control import answer
from tandem.cli.opening import open_store

SIGNALLED: Final = 128

Port = Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=65535))]


def dashboard(*, host: str | None = None, port: Port = None, world: str = "") -> None:
    """Show the desk in a browser, until Ctrl-C: what is held, decided and sent, pairs, models, alerts, the recycler.

    Nobody but this machine is answered unless a host says so, and then browsers need the token of
    TANDEM_DASHBOARD__TOKEN.

    Parameters
    ----------
    host
        Where to listen; without it dashboard.host, this machine alone.
    port
        The port, 0 for any that is free; without it dashboard.port.
    world
        Which account and timeline, such as paper-3; without it always the newest of those the settings name.
    """
    from tandem.config import load
    from tandem.desk import kind_of
    from tandem.market import WallClock
    from tandem.operations import serve_dashboard

    settings = load(options={"dashboard.host": host, "dashboard.port": port})
    url = settings.websocket.recycler.server_url

    def ask(method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> Any:
        return answer(method, url, path, None if body is None else dict(body), seconds)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with open_store() as store:
        serve_dashboard(
            store, settings, kind_of(settings), world, ask, WallClock(), lambda line: print(line, flush=True)
        )


def _end(number: int, _frame: object) -> None:
    raise SystemExit(SIGNALLED + number)
