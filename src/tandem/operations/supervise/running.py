"""One running child with everything that it has started."""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil

from tandem.market import Stopwatch
from tandem.operations.supervise.child import Child

SECONDS_TO_END: Final = 15.0
KEEPER: Final = "store/keeper.py"
LONGEST_WORDS: Final = 300

Identity = tuple[int, float]
"""A process: its id, and when it was created, for ids come again."""


class Logged(msgspec.Struct):
    """A line of a log, as far as it matters here."""

    event: str


class Running:
    """A child that was started.

    Args:
        child: what it is.
        log: where its words go.
        attempt: how often it had been started before.
    """

    def __init__(self, child: Child, log: Path, attempt: int) -> None:
        self.child = child
        self.log = log
        self.attempt = attempt
        self.since = Stopwatch()
        self.family: set[Identity] = set()
        with log.open("ab") as words:
            self.process = subprocess.Popen(
                list(child.command),
                env={**os.environ, **child.environment},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.look()

    @property
    def pid(self) -> int:
        """Of the child itself."""
        return self.process.pid

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self.process.poll()

    def look(self) -> None:
        """Remember what it has started, so that nothing of it is left when it dies."""
        with suppress(psutil.NoSuchProcess):
            self.family |= set(_family(psutil.Process(self.pid)))

    def is_well(self) -> bool:
        """Whether it runs and answers."""
        try:
            return self.status is None and self.child.is_well()
        except Exception:
            return False

    def end(self, seconds: float = SECONDS_TO_END) -> None:
        """Ask it to end, wait, and end by force what is left of it."""
        self.look()
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.bury()

    def bury(self) -> None:
        """End by force whatever is left of it."""
        end_by_force(self.family)
        self.process.wait()

    def last_words(self) -> str:
        """The last line that it wrote; of one that is logged, what happened."""
        line = next(iter(self.log.read_text("utf-8", "replace").strip().splitlines()[-1:]), "")
        with suppress(msgspec.MsgspecError):
            line = msgspec.json.decode(line, type=Logged).event
        return line[:LONGEST_WORDS]


def _family(process: psutil.Process) -> Iterator[Identity]:
    yield process.pid, process.create_time()
    with suppress(psutil.NoSuchProcess):
        for each in process.children():
            if not _keeps_the_store(each):
                yield from _family(each)


def _keeps_the_store(process: psutil.Process) -> bool:
    """Whoever needs the embedded server first starts what keeps it; it serves all of them, and outlives each."""
    with suppress(psutil.NoSuchProcess):
        return any(word.endswith(KEEPER) for word in process.cmdline())
    return False


def end_by_force(family: Iterable[Identity]) -> None:
    """End the processes of this identity that are still there."""
    for pid, created in family:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() == created:
                process.kill()
