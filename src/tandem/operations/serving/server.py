"""One process that answers for the day's models until it is told to end."""

import asyncio
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Final

from tandem.config import ServeSettings
from tandem.desk import ModelsOfDay, models_of_day
from tandem.forecast import DayModels
from tandem.market import ConfigError, Stopwatch, TandemError, World
from tandem.operations.listening import in_url, is_loopback, listening
from tandem.store import Store

LOOK_SECONDS: Final = 15.0


class StandingModels:
    """The models of a day, or of the newest one, looked up again every so often.

    Args:
        look: finds them, given what was found before.
        seconds: after which they are looked up again.

    Raises:
        DataError: there are none.
    """

    def __init__(self, look: Callable[[ModelsOfDay | None], ModelsOfDay], seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._lock = threading.Lock()
        self._since = Stopwatch()
        self.newest = look(None)

    def __call__(self) -> DayModels:
        """Those that stand; where the store is away, those that stood."""
        with self._lock:
            if self._since.seconds >= self._seconds:
                self._since = Stopwatch()
                with suppress(TandemError):
                    self.newest = self._look(self.newest)
            return self.newest.models


def serve_models(
    store: Store, world: World, day: date | None, settings: ServeSettings, said: Callable[[str], None]
) -> None:
    """Answer until interrupted.

    Args:
        world, day: whose models; the newest plan's where no day is given.
        settings: where to listen, and the token; without one it is made up and said once.
        said: told where it serves and what, one line at a time.

    Raises:
        ConfigError: it shall listen beyond this machine and there is no token.
        DataError: there is no such plan.
        TandemError: the port is taken.
    """
    import uvicorn

    from tandem.operations.serving.application import application

    token = settings.token.get_secret_value() if settings.token else _made_up(settings.host)
    models = StandingModels(lambda known: models_of_day(store, world, day, known))
    with listening(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        said(f"http://{in_url(host)}:{port}/invocations answers for {_named(models.newest)}; Ctrl-C ends it.")
        if settings.token is None:
            said(f"Clients send `Authorization: Bearer {token}`; set TANDEM_SERVE__TOKEN for one that stays.")
        config = uvicorn.Config(
            application(models, token),
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        asyncio.run(uvicorn.Server(config).serve([listener]))


def _made_up(host: str) -> str:
    if not is_loopback(host):
        raise ConfigError(f"serve.host {host} is beyond this machine", "Set TANDEM_SERVE__TOKEN to a long secret first")
    return secrets.token_urlsafe(24)


def _named(found: ModelsOfDay) -> str:
    pairs = found.models.pairs
    return f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'} of {found.day} in {found.world}"
