"""The worlds that are looked at, kept up to date by one thread."""

import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from tandem.market import ConfigError, Stopwatch, TandemError, World, WorldKind
from tandem.operations.dashboard.followed import Followed
from tandem.store import Store

POLL_SECONDS: Final = 0.2
WORLDS_SECONDS: Final = 1.0
MOST_FOLLOWED: Final = 6
FIRST_SECONDS: Final = 2.0
TURN_SECONDS: Final = 0.5


class Watching:
    """Follows the worlds that somebody looks at, and the one that is shown where nobody chooses.

    Args:
        store: read from, and nothing else.
        kind: of the world that is shown unless another is chosen: the newest of them.
        named: the world that is shown instead; empty for none.
        ring: called when something has changed.

    Attributes:
        worlds: oldest first, as of the last look.
        trouble: why the last look failed, in words; empty where it did not.
        seconds: that the last look took.

    Raises:
        ConfigError: no world has that name.
    """

    def __init__(self, store: Store, kind: WorldKind, named: str, ring: Callable[[], None]) -> None:
        self._store = store
        self._kind = kind
        self._named = named
        self._ring = ring
        self._followed: OrderedDict[World, Followed] = OrderedDict()
        self._nothing = Followed()
        self._choosing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)
        self.worlds: list[World] = store.worlds()
        self.trouble = ""
        self.seconds = 0.0
        if named and self.world(named) is None:
            known = ", ".join(map(str, self.worlds[-5:])) or "none yet"
            raise ConfigError(f"no world is called {named}", f"The newest are: {known}.")

    def start(self) -> None:
        """Begin to follow."""
        self.followed(self.default)
        self._thread.start()

    def stop(self) -> None:
        """Follow no more; returns when the thread has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def default(self) -> World | None:
        """The world that is shown where nobody chooses; None where there is none yet."""
        if self._named:
            return self.world(self._named)
        return next((world for world in reversed(self.worlds) if world.kind is self._kind), None)

    @property
    def follows(self) -> str:
        """What is shown where nobody chooses, in words."""
        if self.default is None:
            return "no world yet"
        return str(self.default) if self._named else f"newest: {self.default}"

    def world(self, name: str) -> World | None:
        """The world of that name."""
        return next((world for world in self.worlds if str(world) == name), None)

    def followed(self, world: World | None) -> Followed:
        """A world's state, mostly up to date when it is asked for the first time.

        Raises:
            StoreError: it is a new one and the store is away.
        """
        if world is None:
            return self._nothing
        with self._choosing:
            found = self._followed.get(world)
            if found is None:
                found = self._followed[world] = Followed(world, self._store)
                _catch_up(found, FIRST_SECONDS)
            self._followed.move_to_end(world)
            while len(self._followed) > MOST_FOLLOWED:
                self._followed.popitem(last=False)
        return found

    def _run(self) -> None:
        since = Stopwatch()
        while not self._stop.wait(POLL_SECONDS):
            watch, before = Stopwatch(), (self.trouble, self.default)
            try:
                if since.seconds > WORLDS_SECONDS:
                    self.worlds, since = self._store.worlds(), Stopwatch()
                    self.followed(self.default)
                changed = self._look()
                self.trouble = ""
            except TandemError as error:
                self.trouble, changed = error.what, False
            except Exception as error:
                # The thread goes on, and the page says that what it shows may be old.
                print("".join(traceback.format_exception(error)), file=sys.stderr)
                self.trouble, changed = f"a bug in Tandem: {error!r}", False
            self.seconds = watch.seconds
            if changed or before != (self.trouble, self.default):
                self._ring()

    def _look(self) -> bool:
        with self._choosing:
            followed = list(self._followed.values())
        changed = [each for each in followed if _catch_up(each, TURN_SECONDS)]
        return bool(changed)


def _catch_up(followed: Followed, seconds: float) -> bool:
    watch, changed = Stopwatch(), False
    while followed.catch_up():
        changed = True
        if watch.seconds > seconds:
            break
    return changed
