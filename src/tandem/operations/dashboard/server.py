"""One process that shows the desk until it is told to end."""

import asyncio
import getpass
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.market import Clock, ConfigError, WorldKind
from tandem.operations.dashboard.remote import Ask
from tandem.operations.listening import in_url, is_loopback, listening
from tandem.store import Store

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute


def serve_dashboard(
    store: Store, settings: Settings, kind: WorldKind, named: str, ask: Ask, clock: Clock, said: Callable[[str], None]
) -> None:
    """Show the desk until interrupted.

    Args:
        store: closed by the caller.
        settings: `dashboard` says where, and the token.
        kind: of the world that is shown: the newest of them.
        named: another world instead; empty for none.
        ask: the control API of the recycler: method, path, body and seconds.
        clock: of the wall.
        said: told where it serves.

    Raises:
        ConfigError: it shall listen beyond this machine and there is no token, or no world has that name.
        TandemError: the port is taken.
    """
    check(settings)
    with (
        listening(settings.dashboard.host, settings.dashboard.port) as listener,
        opened(store, settings, kind, named, ask, clock) as site,
    ):
        host, port = listener.getsockname()[:2]
        said(f"http://{in_url(host)}:{port} shows the desk; Ctrl-C ends it.")
        asyncio.run(server_of(site).serve([listener]))


def server_of(site: "Starlette") -> "uvicorn.Server":
    """What serves the site: quiet, and gone soon after it is told to end, whoever still listens to a stream."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            site.state.bell.end()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(site, lifespan="off", access_log=False, log_config=None, server_header=False, ws="none")
    config.timeout_graceful_shutdown = 1
    return Server(config)


def check(settings: Settings) -> None:
    """Refuse to be open to others without a token.

    Raises:
        ConfigError: it would be.
    """
    host = settings.dashboard.host
    if settings.dashboard.token is None and not is_loopback(host):
        raise ConfigError(
            f"dashboard.host {host} is beyond this machine", "Set TANDEM_DASHBOARD__TOKEN to a long secret first"
        )


@contextmanager
def opened(
    store: Store,
    settings: Settings,
    kind: WorldKind,
    named: str,
    ask: Ask,
    clock: Clock,
    further: Iterable["BaseRoute"] = (),
) -> Iterator["Starlette"]:
    """The site, its threads running, for the length of the block.

    Args:
        further: routes of others behind the same door.
    """
    from tandem.operations.dashboard.access import Door
    from tandem.operations.dashboard.acts import Acts
    from tandem.operations.dashboard.application import application
    from tandem.operations.dashboard.bell import Bell
    from tandem.operations.dashboard.page import Page
    from tandem.operations.dashboard.prefect import Prefect
    from tandem.operations.dashboard.remote import Remote
    from tandem.operations.dashboard.watching import Watching
    from tandem.operations.metrics import Metrics, metrics_route

    token = settings.dashboard.token.get_secret_value() if settings.dashboard.token else None
    bell = Bell()
    with store.reader() as reading:
        watching = Watching(reading, kind, named, bell.ring)
        remote = Remote(ask, settings.websocket.recycler.server_url, bell.ring)
        page = Page(reading, watching, remote, Prefect(store), bell, settings, clock, getpass.getuser())
        page.warm()
        watching.start()
        remote.start()
        try:
            local = is_loopback(settings.dashboard.host)
            metrics = metrics_route(Metrics(reading, settings, lambda: watching.default))
            others = [metrics, *further]
            site = application(page, Acts(store, clock), Door(token), is_local=local, further=others)
            site.state.bell = bell
            yield site
        finally:
            bell.end()
            remote.stop()
            watching.stop()
