"""What a person changes from the page: each is a fact with the person's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tandem.market import NEW_YORK, Clock, ConfigError, World
from tandem.operations.dashboard.remote import Remote
from tandem.risk import Standing, Switch
from tandem.store import Body, Record, Store

STANDINGS: Final = {"halt": Standing.HALTED, "resume": Standing.ARMED, "flatten": Standing.FLATTEN}
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class RecyclerTold:
    """A person told the recycler something from the page.

    Attributes:
        what: the endpoint, such as `pause`, `faults` or `scenarios/bad-monday`; with the method where it takes back.
        details: what it was told beside that.
        by: who says so.
    """

    kind: ClassVar = "recycler_told"

    what: str
    details: Mapping[str, Any]
    by: str


class Acts:
    """Writes what persons do. Nothing else on the page writes.

    Args:
        store: an ordinary store.
        clock: of the wall.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def switch(self, world: World, what: str, why: str, by: str) -> str:
        """Halt, resume or flatten; what follows, in words.

        Raises:
            ConfigError: nobody says who, or it is none of the three.
        """
        if what not in STANDINGS:
            raise ConfigError(f"nothing is called {what}")
        switch = Switch(STANDINGS[what], why.strip()[:LONGEST] or "asked for", _named(by))
        self._append(world, switch, "switch")
        words = {"halt": "takes no entries", "resume": "takes entries again", "flatten": "closes everything"}
        return f"{world} {words[what]} from its next decision on."

    def tell(self, remote: Remote, world: World, method: str, path: str, details: Mapping[str, Any], by: str) -> None:
        """Tell the recycler something; the fact comes first.

        Raises:
            RecyclerError: none answers, or it refuses.
            ConfigError: nobody says who.
        """
        what = path if method == "POST" else f"{method.lower()} {path}"
        self._append(world, RecyclerTold(what, dict(details), _named(by)), "recycler_told")
        remote.tell(method, path, details if method == "POST" else None)

    def _append(self, world: World, body: Body, name: str) -> None:
        now = self._clock.now()
        record = Record(body, now.astimezone(NEW_YORK).date(), now, f"{name}.{now.isoformat()}")
        self._store.facts(world).append(record)


def _named(by: str) -> str:
    name = " ".join(by.split())[:LONGEST]
    if not name:
        raise ConfigError("nobody says who does it", "Give your name")
    return name
