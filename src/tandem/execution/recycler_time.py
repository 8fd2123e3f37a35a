"""A recycler's time, asked for and not held."""

from datetime import datetime
from threading import Event
from typing import Any, Final
from urllib.parse import quote

from tandem.execution.bars_end import bars_end
from tandem.execution.lockstep import Control

LOOK_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 10.0


class RecyclerTime:
    """Where a recycler's clock stands, for whoever watches it: a Clock that nobody waits for.

    Args:
        control_url: where the recycler listens.
        token: of its control API; empty where it needs none.
        seconds: how long it may take to answer.
    """

    def __init__(self, control_url: str, token: str = "", seconds: float = ANSWER_SECONDS) -> None:
        self._url = control_url
        self._token = token
        self._seconds = seconds

    def now(self) -> datetime:
        """Where the replay stands, UTC.

        Raises:
            RecyclerError: the recycler does not answer.
        """
        return datetime.fromisoformat(self.status()["time"])

    def wait_until(self, moment: datetime) -> None:
        """Look until the replay stands at `moment` or later.

        Raises:
            DataError: the bars end before.
            RecyclerError: the recycler does not answer.
        """
        while (now := self.now()) < moment:
            if self.status()["ended"]:
                raise bars_end(now, moment)
            Event().wait(LOOK_SECONDS)

    def status(self) -> dict[str, Any]:
        """What the recycler says of itself.

        Raises:
            RecyclerError: it does not answer.
        """
        return self._ask("GET", "/control/status")

    def dismiss(self, desk: str) -> None:
        """Let the clock go on without a desk; nothing happens where it does not wait for it."""
        if desk in self.status()["desks"]:
            self._ask("DELETE", f"/control/desks/{quote(desk, safe='')}")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        control = Control(self._url, self._token, self._seconds)
        try:
            return control.ask(method, path)
        finally:
            control.close()
