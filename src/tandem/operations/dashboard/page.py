"""What every page is made of: the worlds, the recycler, the settings and the templates, in one place."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tandem import __version__
from tandem.config import Settings
from tandem.forecast import PairModel
from tandem.market import NEW_YORK, Calendar, Clock, Leg, World, WorldKind
from tandem.operations.alerts.message import GRAVITY
from tandem.operations.alerts.standing import Alert
from tandem.operations.dashboard import wording
from tandem.operations.dashboard.bell import Bell
from tandem.operations.dashboard.definitions import DEFINITIONS
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.prefect import Prefect
from tandem.operations.dashboard.remote import Remote
from tandem.operations.dashboard.watching import Watching
from tandem.store import Store

TEMPLATES: Final = Path(__file__).with_name("templates")
MOST_WORLDS: Final = 200
LONGEST: Final = 40
Asked = Mapping[str, str]
Context = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Everything that pages are made of.

    Attributes:
        reading: the store, for who may only read.
        prefect: what Prefect's own database says.
        clock: of the wall; market time too where the market is real.
        person: who acts where nobody says a name: the user of the operating system.
    """

    reading: Store
    watching: Watching
    remote: Remote
    prefect: Prefect
    bell: Bell
    settings: Settings
    clock: Clock
    person: str

    def world(self, asked: Asked) -> World | None:
        """The world that is asked for; the default where none is, or where there is no such world."""
        return self.watching.world(asked.get("world", "")) or self.watching.default

    def now(self, world: World | None) -> datetime | None:
        """Market time of a world; None where nobody tells it."""
        if world is not None and self.remote.plays(world):
            return self.remote.time
        if world is not None and world.kind in (WorldKind.PAPER, WorldKind.LIVE):
            return self.clock.now()
        return None

    def frame(self, followed: Followed, asked: Asked) -> Context:
        """What every template is told."""
        wanted = asked.get("world", "")
        pinned = wanted if self.watching.world(wanted) else ""
        return {
            "page": self,
            "followed": followed,
            "world": followed.world,
            "worlds": self.others,
            "pinned": pinned,
            "unknown_world": _shorter(wanted) if wanted and not pinned else "",
            "unknown_day": "",
            "now": self.now(followed.world),
            "settings": self.settings,
            "remote": self.remote,
            "active": sorted(followed.alerts.standing, key=_gravest),
        }

    @property
    def others(self) -> list[World]:
        """The worlds that can be chosen beside the one that is shown where nobody chooses; newest first."""
        found = [world for world in reversed(self.watching.worlds) if world != self.watching.default]
        return found[:MOST_WORLDS]

    def render(self, template: str, context: Context) -> str:
        """A template in words."""
        return self.templates.get_template(template).render(context)

    def warm(self) -> None:
        """Load what takes long, so that the first page is as quick as the next."""
        Calendar().session(self.clock.now().astimezone(NEW_YORK).date())
        for name in self.templates.list_templates():
            self.templates.get_template(name)

    def model(self, digest: str) -> PairModel:
        """A pair's model; the newest that were asked for are kept."""
        return self._model(digest)

    @cached_property
    def _model(self) -> Callable[[str], PairModel]:
        return lru_cache(maxsize=64)(lambda digest: PairModel.from_bytes(self.reading.blobs.get(digest)))

    @cached_property
    def templates(self) -> Environment:
        """Every template; text is escaped unless it was made here."""
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        environment.filters.update(wording.FILTERS)
        environment.globals.update(definitions=DEFINITIONS, LEGS=(Leg.A, Leg.B), version=__version__)
        return environment


Make = Callable[[Page, Followed, Asked], Context]


def day_of(asked: Asked, days: Iterable[date]) -> date | None:
    """The day that is asked for, where it is one of these."""
    return next((day for day in days if str(day) == asked.get("day")), None)


def unknown_day(asked: Asked, days: Iterable[date]) -> str:
    """The day that is asked for, where it is none of these; else empty."""
    wanted = asked.get("day", "")
    return "" if day_of(asked, days) else _shorter(wanted)


def _shorter(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}..."


def _gravest(alert: Alert) -> tuple[int, float]:
    return -GRAVITY[alert.raised.severity], -alert.at.timestamp()


@dataclass(frozen=True, slots=True)
class View:
    """One page of the site.

    Attributes:
        name: of its template.
        path: its address.
        parts: templates under `parts/` that are refreshed as facts come.
        make: what its templates are told beside the frame.
        within: the page whose name is marked in the menu; empty for one that is in the menu itself.
    """

    name: str
    path: str
    title: str
    parts: tuple[str, ...]
    make: Make
    within: str = ""

    @property
    def in_menu(self) -> bool:
        """Whether the menu names it."""
        return not self.within

    @property
    def menu(self) -> str:
        """What the menu marks."""
        return self.within or self.name
