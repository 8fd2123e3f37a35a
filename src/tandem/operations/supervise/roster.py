"""Who runs, on file: for `tandem status`, for `tandem down`, and for the next `tandem up` after a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import psutil

from tandem.operations.lock import only_one
from tandem.operations.supervise.running import Identity, is_same

FILE: Final = "roster.json"
LOCK: Final = "roster.lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """One child as it was last seen.

    Attributes:
        state: `starting`, `well`, `unwell`, `waiting` to be started again, or `over`.
        pid: 0 where it does not run.
        since: when it was started, UTC.
        restarts: how often it was started again.
        family: its processes: ids with their times of creation.
    """

    name: str
    state: str
    pid: int
    since: datetime
    restarts: int
    url: str
    family: tuple[Identity, ...] = ()

    @property
    def is_alive(self) -> bool:
        """Whether anything of it runs."""
        return any(map(is_there, self.family))


@dataclass(frozen=True, slots=True)
class Roster:
    """What a supervisor runs.

    Attributes:
        supervisor: the process itself.
        world: whose desk it is.
        entries: its children, in the order of their start.
    """

    supervisor: Identity
    world: str
    entries: tuple[Entry, ...]

    @property
    def is_alive(self) -> bool:
        """Whether the supervisor runs."""
        return is_there(self.supervisor)


def folder_of(home: Path) -> Path:
    """Where the roster and the children's words are kept."""
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _folder(home: Path) -> Path:
    return home.expanduser().absolute() / "up"


def write(home: Path, roster: Roster) -> None:
    """Keep a roster, whole or not at all."""
    path = folder_of(home) / FILE
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(roster))
    beside.replace(path)


def roster_of(home: Path) -> Roster | None:
    """The roster on file; None where there is none that can be read."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((_folder(home) / FILE).read_bytes(), type=Roster)
    return None


def was_killed(home: Path) -> bool:
    """Whether a supervisor has ended without ending what it ran, and some of it still runs."""
    roster = roster_of(home)
    return roster is not None and not roster.is_alive and any(entry.is_alive for entry in roster.entries)


def forget(home: Path) -> None:
    """The supervisor has ended, and everything with it."""
    (folder_of(home) / FILE).unlink(missing_ok=True)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the one supervisor of a home.

    Raises:
        TandemError: another one runs.
    """
    what, mend = f"the desk of {home} is up already", "`tandem status` shows it, `tandem down` ends it"
    with only_one(_folder(home) / LOCK, what, mend):
        yield


def must_be_alone(home: Path) -> None:
    """Refuse before anything is done, or said, where this home's desk is up.

    Raises:
        TandemError: it is.
    """
    if _folder(home).exists():
        with alone(home):
            return


def is_there(identity: Identity) -> bool:
    """Whether a process still runs, and is the same."""
    pid, created = identity
    try:
        process = psutil.Process(pid)
        return is_same(process, created) and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def itself() -> Identity:
    """This process."""
    return os.getpid(), psutil.Process().create_time()
