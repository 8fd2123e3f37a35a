"""Which processes a desk consists of."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tandem.config import Settings
from tandem.execution import RecyclerTime
from tandem.market import World
from tandem.operations.flows.environment import ANSWER_SECONDS, answers, prefect_environment, server_environment
from tandem.operations.flows.serve import TOKEN
from tandem.operations.listening import in_url
from tandem.operations.supervise.child import Child
from tandem.store import Store

TANDEM: Final = (sys.executable, "-m", "tandem")
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Household:
    """The children of a desk.

    Attributes:
        environment: variables of every child: settings of this run, and the recycler's token.
    """

    settings: Settings
    store: Store
    environment: Mapping[str, str]

    def recycler(self, *options: str) -> Child:
        """The local Alpaca, in lockstep with the desk."""
        time = self.time()
        return Child(
            "recycler",
            (*TANDEM, "recycler", "start", "--lockstep", *options),
            self.environment,
            lambda: bool(time.status()),
            self.settings.websocket.recycler.server_url,
        )

    def time(self) -> RecyclerTime:
        """That of the recycler."""
        url, token = self.settings.websocket.recycler.server_url, self.environment.get(TOKEN, "")
        return RecyclerTime(url, token, ANSWER_SECONDS)

    def prefect(self) -> Child:
        """Prefect's server: schedules, and the record of every run."""
        port = str(self.settings.operations.prefect_port)
        address = f"http://{LOOPBACK}:{port}"
        command = (sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", port)
        environment = {**self.environment, **server_environment(self.settings, self.store)}
        return Child("prefect", command, environment, lambda: answers(f"{address}/api/health"), address)

    def mlflow(self) -> Child:
        """MLflow's server: its pages; who logs needs none."""
        port = str(self.settings.operations.mlflow_port)
        address = f"http://{LOOPBACK}:{port}"
        command = (*TANDEM, "mlflow", "ui", "--port", port)
        return Child("mlflow", command, self.environment, lambda: answers(f"{address}/health"), address)

    def workers(self, world: World) -> list[Child]:
        """What works for a world, once the servers are there."""
        return [self.flows(world), self.session(world), self.alerts(world), self.dashboard(world)]

    def flows(self, world: World) -> Child:
        """What runs the flows when they are due."""
        environment = {**self.environment, **prefect_environment(self.settings)}
        command = (*TANDEM, "flows", "serve", "--world", str(world))
        return Child("flows", command, environment, may_end=self._ends)

    def session(self, world: World) -> Child:
        """What trades."""
        command = (*TANDEM, "trade", "--unattended", "--world", str(world))
        return Child("session", command, self.environment, may_end=self._ends)

    @property
    def _ends(self) -> bool:
        """A reel has an end, the exchange has none."""
        return self.settings.websocket.mode == "recycler"

    def alerts(self, world: World) -> Child:
        """What tells people."""
        return Child("alerts", (*TANDEM, "alerts", "watch", "--world", str(world)), self.environment)

    def dashboard(self, world: World) -> Child:
        """The web page."""
        page = self.settings.dashboard
        address = f"http://{in_url(page.host)}:{page.port}"
        command = (*TANDEM, "dashboard", "--world", str(world))
        return Child("dashboard", command, self.environment, lambda: answers(f"{address}/health"), address)
