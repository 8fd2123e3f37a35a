"""A whole desk, from its first process to the end of its last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import Final

from tandem.config import Settings
from tandem.desk import world_named
from tandem.market import Stopwatch, WallClock, World
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.supervise.database import Database
from tandem.operations.supervise.diary import Diary
from tandem.operations.supervise.household import Household
from tandem.operations.supervise.ports import check_ports, ports_of
from tandem.operations.supervise.roster import Roster, alone, forget, is_there, roster_of
from tandem.operations.supervise.running import end_by_force
from tandem.operations.supervise.supervisor import Supervisor
from tandem.store import Store

LOOK_SECONDS: Final = 0.02
SECONDS_TO_GO: Final = 10.0
UNTIL_THE_END: Final = ("flows", "session")


@dataclass(frozen=True, slots=True)
class Replay:
    """Stored days that a recycler plays to the desk.

    Attributes:
        first, last: New York dates, both included.
        speed: minutes of market time per minute, or `max`.
    """

    first: date
    last: date
    speed: str

    @property
    def options(self) -> tuple[str, ...]:
        """As `tandem recycler start` takes them."""
        days = ("--mode", "date_range", "--start", str(self.first), "--end", str(self.last))
        return (*days, "--speed", self.speed)


@dataclass(frozen=True, slots=True)
class DeskProcesses:
    """What is brought up.

    Attributes:
        environment: variables of every process beside this one's.
        world: whose desk; None for the world of the recycler.
        replay: what the recycler plays; None where the desk trades at Alpaca.
        until_end: end when its last session and flow are over.
    """

    settings: Settings
    environment: Mapping[str, str]
    world: World | None = None
    replay: Replay | None = None
    until_end: bool = False


def keep_up(
    store: Store, desk: DeskProcesses, stop: Event, said: Callable[[str], None], ready: Callable[[Roster], None]
) -> None:
    """Start every process of a desk, keep them running until told to stop, and end them.

    Args:
        said: told what becomes of the processes, one line at a time.
        ready: called once all are well.

    Raises:
        ConfigError: a port is taken.
        TandemError: this home's desk is up already, or a process does not start.
    """
    home, clock = desk.settings.home, WallClock()
    household = Household(desk.settings, store, desk.environment)
    diary = Diary(store, household.time().now if desk.replay else clock.now)
    with alone(home):
        left = end_leftovers(home)
        check_ports(ports_of(desk.settings))
        said("starting PostgreSQL, Prefect, MLflow and the desk; some twenty seconds")
        database = Database(store, clock)
        supervisor = Supervisor(home, database, diary.tell, clock, said)
        try:
            for name in left:
                supervisor.tell(ProcessChanged(name, "stopped", "left by a desk that was killed"))
            servers = [household.prefect(), household.mlflow()]
            recycler = [household.recycler(*desk.replay.options)] if desk.replay else []
            supervisor.start(*servers, *recycler, stop=stop)
            if stop.is_set():
                return
            world = desk.world or world_named(store, str(household.time().status()["world"]))
            diary.world, supervisor.world = world, str(world)
            supervisor.tell(ProcessChanged(database.name, "started"))
            supervisor.start(*household.workers(world), stop=stop)
            if not stop.is_set():
                ready(supervisor.roster())
            supervisor.watch(stop, lambda: desk.until_end and supervisor.are_over(UNTIL_THE_END))
        finally:
            if diary.world is not None:
                supervisor.tell(ProcessChanged(database.name, "stopped", "watched no more", database.restarts))
            supervisor.stop()
            forget(home)


def end_leftovers(home: Path) -> list[str]:
    """End what a supervisor that was killed has left running; their names."""
    roster = roster_of(home)
    if roster is None or roster.is_alive:
        return []
    left = [entry for entry in roster.entries if entry.is_alive]
    for entry in left:
        end_by_force(entry.family)
    family, waited = [each for entry in left for each in entry.family], Stopwatch()
    while any(map(is_there, family)) and waited.seconds < SECONDS_TO_GO:
        Event().wait(LOOK_SECONDS)
    forget(home)
    return [entry.name for entry in left]
