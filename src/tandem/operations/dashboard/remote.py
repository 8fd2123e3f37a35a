"""The recycler that the settings name, over its control API."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from tandem.market import Stopwatch, TandemError

Ask = Callable[[str, str, Mapping[str, Any] | None, float], Any]
POLL_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 2.0
SCENARIOS_AGAIN: Final = 60.0


class Remote:
    """What the recycler says of itself, looked up by a thread of its own: one that hangs holds up nobody.

    Args:
        ask: method, path, body and seconds; what the control API answers. It knows the address and the token.
        url: what a person may see of the address.
        ring: called when something has changed.

    Attributes:
        status: as it says; None where none answers.
        faults: in force.
        scenarios: that it knows.
        why: none answers, in words.
    """

    def __init__(self, ask: Ask, url: str, ring: Callable[[], None]) -> None:
        self._ask = ask
        self._ring = ring
        self._stop = threading.Event()
        self._now = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recycler", daemon=True)
        self.url = url
        self.status: dict[str, Any] | None = None
        self.faults: list[dict[str, Any]] = []
        self.scenarios: list[dict[str, Any]] = []
        self.why = "it has not been asked yet"

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._now.set()
        if self._thread.is_alive():
            self._thread.join()

    def plays(self, world: object) -> bool:
        """Whether it plays this world."""
        return self.status is not None and self.status.get("world") == str(world)

    def has_ended(self, world: object) -> bool:
        """Whether it has played this world's last bar."""
        return self.status is not None and self.plays(world) and bool(self.status["ended"])

    @property
    def time(self) -> datetime | None:
        """Its clock: market time, UTC; None where none answers."""
        return None if self.status is None else datetime.fromisoformat(str(self.status["time"]))

    def tell(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Tell it something, then look at once.

        Raises:
            RecyclerError: none answers, or it refuses.
        """
        said = self._ask(method, path, body, 10.0)
        self._now.set()
        return said

    def look(self) -> None:
        """Ask how it stands."""
        before = (self.status, self.faults, self.why)
        try:
            self.status = self._ask("GET", "status", None, ANSWER_SECONDS)
            self.faults = self._ask("GET", "faults", None, ANSWER_SECONDS)
            self.why = ""
        except TandemError as error:
            self.status, self.faults, self.why = None, [], error.what
        if before != (self.status, self.faults, self.why):
            self._ring()

    def _run(self) -> None:
        since = Stopwatch()
        while not self._stop.is_set():
            self.look()
            if self.status is not None and (not self.scenarios or since.seconds > SCENARIOS_AGAIN):
                self._learn_scenarios()
                since = Stopwatch()
            self._now.wait(AWAY_SECONDS if self.status is None else POLL_SECONDS)
            self._now.clear()

    def _learn_scenarios(self) -> None:
        try:
            self.scenarios = self._ask("GET", "scenarios", None, ANSWER_SECONDS)
        except TandemError:
            self.scenarios = []
