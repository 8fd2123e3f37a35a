"""One running child with everything that it has started."""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from shutil import copyfile
from typing import IO, Final

import msgspec
import psutil

from tandem.market import Stopwatch
from tandem.operations.supervise.child import Child

SECONDS_TO_END: Final = 15.0
KEEPER: Final = "store/keeper.py"
TRACE: Final = ("Timeout (", "Thread 0x", "Current thread 0x", "Extension modules: ", "  File ", "  ...")
LONGEST_WORDS: Final = 300
LOG_BYTES: Final = 20_000_000
LAST_BYTES: Final = 65_536
CLOCK_SECONDS: Final = 60.0

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
        with _opened(log) as words:
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
        """Remember what it has started, so that nothing of it is left when it dies; keep its words within bounds."""
        with suppress(OSError):
            _keep_short(self.log)
        with suppress(psutil.NoSuchProcess):
            self.family |= set(_family(psutil.Process(self.pid)))

    def is_well(self) -> bool:
        """Whether it runs, is not stopped, and answers."""
        try:
            return self.status is None and not self._is_stopped() and self.child.is_well()
        except Exception:
            return False

    def _is_stopped(self) -> bool:
        return bool(psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)

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
        """The last line that it wrote; of one that is logged, what happened; of one that hung, that it did."""
        lines = _end_of(self.log).strip().splitlines()
        if tells_of_a_hang(lines):
            return "it hung; its log says where"
        line = next(iter(lines[-1:]), "")
        with suppress(msgspec.MsgspecError):
            line = msgspec.json.decode(line, type=Logged).event
        return line[:LONGEST_WORDS]


def _opened(log: Path) -> IO[bytes]:
    """Where its words go; nowhere, where the disk has no room for them."""
    try:
        return log.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def tells_of_a_hang(lines: list[str]) -> bool:
    """Whether the last lines of a log are those with which `faulthandler` ends what hangs."""
    before = dropwhile(lambda line: not line or line.startswith(TRACE[1:]), reversed(lines))
    return next(before, "").startswith(TRACE[0])


def _keep_short(log: Path) -> None:
    """What was written long ago goes to a file beside it, and what was there goes."""
    if log.stat().st_size > LOG_BYTES:
        copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _end_of(log: Path) -> str:
    with suppress(OSError), log.open("rb") as words:
        words.seek(max(0, log.stat().st_size - LAST_BYTES))
        return words.read().decode("utf-8", "replace")
    return ""


def is_same(process: psutil.Process, created: float) -> bool:
    """Whether a process is the one that was created then; a clock that was set moves that a little."""
    return bool(abs(process.create_time() - created) < CLOCK_SECONDS)


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
            if is_same(process, created):
                process.kill()
