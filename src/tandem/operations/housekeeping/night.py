"""The night after a session: what each step of it is given, and what it gives back."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tandem.config import Settings
from tandem.execution import Origin
from tandem.market import Session, World
from tandem.store import PostgresFacts, Store


@dataclass(frozen=True, slots=True)
class Night:
    """The night after a session of one world.

    Attributes:
        facts: of the world.
        session: the one that is over.
        now: market time, UTC, after its close.
        origin: where missing minutes are asked for; None asks nobody.
        dry: say what would be done, and change nothing.
    """

    store: Store
    facts: PostgresFacts
    session: Session
    settings: Settings
    now: datetime
    origin: Origin | None = None
    dry: bool = False

    @property
    def world(self) -> World:
        """Whose night it is."""
        return self.facts.world

    @property
    def home(self) -> Path:
        """Tandem's folder."""
        return self.settings.home.expanduser().absolute()


class Finding(Protocol):
    """What a step came to."""

    @property
    def words(self) -> str:
        """For people, one line."""
        ...


def size(bytes: int) -> str:
    """Bytes as a person reads them."""
    return f"{bytes / 2**20:,.1f} MiB" if bytes >= 2**20 else f"{bytes / 2**10:,.1f} KiB"
