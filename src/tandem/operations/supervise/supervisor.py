"""Starting children in their order, watching them, starting again what dies, stopping them in turn."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final

from tandem.market import Clock, Stopwatch, TandemError
from tandem.operations.facts.process_changed import ProcessChanged, ProcessEvent
from tandem.operations.supervise.child import Child
from tandem.operations.supervise.database import Database
from tandem.operations.supervise.roster import Entry, Roster, folder_of, itself, write
from tandem.operations.supervise.running import Running
from tandem.operations.supervise.telling import Telling

LOOK_SECONDS: Final = 0.25
HEALTH_SECONDS: Final = 2.0
MOST_SILENCE: Final = 5
BACKOFF_SECONDS: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
CALM_SECONDS: Final = 120.0
SECONDS_TO_LEAVE: Final = 3.0

Tell = Callable[[ProcessChanged], None]
Said = Callable[[str], None]


def _silent(_: str) -> None:
    pass


@dataclass(slots=True)
class Charge:
    """A child in the supervisor's care.

    Attributes:
        running: None while it waits to be started again, or is over.
        silent: how often in a row it did not answer.
        quick: how often in a row it died soon after its start.
        wait: seconds until it is started again.
    """

    child: Child
    started: datetime
    running: Running | None = None
    restarts: int = 0
    silent: int = 0
    quick: int = 0
    is_over: bool = False
    was_well: bool = False
    died: Stopwatch = field(default_factory=Stopwatch)
    looked: Stopwatch = field(default_factory=Stopwatch)

    @property
    def wait(self) -> float:
        """Seconds between its death and its next start."""
        return BACKOFF_SECONDS[min(self.quick, len(BACKOFF_SECONDS) - 1)]

    @property
    def state(self) -> str:
        """In a word."""
        if self.running is None:
            return "over" if self.is_over else "waiting"
        if self.silent:
            return "unwell"
        return "well" if self.was_well else "starting"


class Supervisor:
    """A set of children that are kept running.

    Args:
        home: where the roster and the children's words are kept.
        store: looked at among them; it starts again by itself.
        tell: told what becomes of each child; it may fail, and is told again.
        clock: the wall clock.
        said: told the same in words, at once.

    Attributes:
        world: whose desk it is; empty until that is known.
    """

    def __init__(self, home: Path, store: Database, tell: Tell, clock: Clock, said: Said = _silent) -> None:
        self._store = store
        self._home = home
        self.world = ""
        self._telling = Telling(tell)
        self._said = said
        self._clock = clock
        self._charges: list[Charge] = []

    def start(self, *children: Child, stop: Event | None = None) -> None:
        """Start children at the same time, and wait until all of them are well, or until told to stop.

        Raises:
            TandemError: one ended, or was not well in time; its last words say why.
        """
        new = [Charge(child, self._clock.now()) for child in children]
        self._charges += new
        for charge in new:
            self._launch(charge)
        while left := [charge for charge in new if not charge.was_well]:
            if stop is not None and stop.is_set():
                return
            for charge in left:
                self._see_it_start(charge)
            self._write()
            Event().wait(LOOK_SECONDS)

    def watch(self, stop: Event, is_over: Callable[[], bool]) -> None:
        """Keep all of them running until told to stop, or until it is over."""
        while not (stop.wait(LOOK_SECONDS) or is_over()):
            for charge in self._charges:
                self._look_after(charge)
            for event, why in self._store.happened():
                self.tell(ProcessChanged(self._store.name, event, why, self._store.restarts))
            self._write()

    def are_over(self, names: Collection[str]) -> bool:
        """Whether children of these names have done their work and ended by themselves."""
        return all(charge.is_over for charge in self._charges if charge.child.name in names)

    def roster(self) -> Roster:
        """Who runs."""
        return Roster(itself(), self.world, tuple(self._entries()))

    def stop(self) -> None:
        """End all of them, last started first."""
        for charge in reversed(self._charges):
            if charge.running is not None:
                charge.running.end()
                charge.running, charge.is_over = None, True
                self._say(charge, "stopped", "told to")
        self._telling.end()
        self._store.leave()

    def _see_it_start(self, charge: Charge) -> None:
        running = charge.running
        assert running is not None
        if running.is_well():
            self._is_well(charge)
        elif running.status is not None or running.since.seconds > charge.child.seconds:
            why = running.last_words() or f"it was not well within {charge.child.seconds:.0f} seconds"
            raise TandemError(f"{charge.child.name} did not start: {why}", f"All it said is in {running.log}")

    def _look_after(self, charge: Charge) -> None:
        running = charge.running
        if running is None:
            if not charge.is_over and charge.died.seconds >= charge.wait:
                charge.restarts += 1
                self._launch(charge)
        elif running.status is not None:
            self._has_ended(charge, running)
        elif charge.looked.seconds >= HEALTH_SECONDS:
            charge.looked = Stopwatch()
            running.look()
            self._ask(charge, running)

    def _has_ended(self, charge: Charge, running: Running) -> None:
        status, said = running.status, running.last_words()
        running.bury()
        charge.running, charge.silent, charge.died = None, 0, Stopwatch()
        charge.quick = charge.quick + 1 if running.since.seconds < CALM_SECONDS else 0
        if status == 0 and charge.child.may_end:
            charge.is_over = True
            self._say(charge, "stopped", said or "it has done its work")
        else:
            # What was killed has not said why.
            how = f"with status {status}{f': {said}' if said else ''}"
            self._say(charge, "died", f"by signal {-status}" if status is not None and status < 0 else how)

    def _ask(self, charge: Charge, running: Running) -> None:
        if running.is_well():
            self._is_well(charge)
        elif not charge.was_well and running.since.seconds <= charge.child.seconds:
            return
        else:
            charge.silent += 1
            if charge.silent == 1:
                self._say(charge, "unwell", "it does not answer")
            if charge.silent >= MOST_SILENCE:
                running.end(SECONDS_TO_LEAVE)

    def _is_well(self, charge: Charge) -> None:
        if charge.silent or not charge.was_well:
            self._say(charge, "started", "well again" if charge.silent else "")
        charge.silent, charge.was_well = 0, True

    def _launch(self, charge: Charge) -> None:
        log = folder_of(self._home) / f"{charge.child.name}.log"
        charge.started, charge.was_well = self._clock.now(), False
        charge.running = Running(charge.child, log, charge.restarts)

    def _say(self, charge: Charge, event: ProcessEvent, why: str) -> None:
        self.tell(ProcessChanged(charge.child.name, event, why, charge.restarts))

    def tell(self, change: ProcessChanged) -> None:
        """Say a change, and put it on record as soon as that can be."""
        self._said(f"{change.name} {change.event}{f': {change.why}' if change.why else ''}")
        self._telling.add(change)

    def _write(self) -> None:
        """A disk that is full does not end a desk."""
        with suppress(OSError):
            self._write_roster()

    def _write_roster(self) -> None:
        write(self._home, self.roster())

    def _entries(self) -> Iterator[Entry]:
        yield self._store.entry()
        for charge in self._charges:
            running = charge.running
            yield Entry(
                charge.child.name,
                charge.state,
                running.pid if running else 0,
                charge.started.astimezone(UTC),
                charge.restarts,
                charge.child.url,
                tuple(sorted(running.family)) if running else (),
            )
