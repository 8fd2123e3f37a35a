"""Children started, watched, started again and stopped; they are small Python scripts."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tandem.config import Settings
from tandem.market import StoreError, TandemError, WallClock, WorldKind
from tandem.operations import DeskProcesses, ProcessChanged, Roster, end_leftovers, keep_up, roster_of
from tandem.operations.flows.environment import answers
from tandem.operations.supervise import bring_up
from tandem.operations.supervise import supervisor as supervision
from tandem.operations.supervise.child import Child
from tandem.operations.supervise.database import Database
from tandem.operations.supervise.roster import Entry as RosterEntry
from tandem.operations.supervise.roster import alone, folder_of, forget, itself, write
from tandem.operations.supervise.supervisor import Supervisor
from tandem.store import Store

SECONDS = 30
SLEEP = "import time; time.sleep(600)"


def child(name: str, script: str = SLEEP, **known: Any) -> Child:
    return Child(name, (sys.executable, "-c", script), **known)


def until(true: Callable[[], Any], seconds: float = SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def number_in(file: Path) -> int:
    return until(lambda: file.exists() and file.read_text().endswith("\n") and int(file.read_text()))


class Desk:
    """A supervisor that works in a thread, and all that it told."""

    def __init__(self, home: Path, store: Store) -> None:
        self.home = home
        self.told: list[ProcessChanged] = []
        self.away = 0
        self.supervisor = Supervisor(home, Database(store, WallClock()), self.tell, WallClock())
        self.stop = threading.Event()
        self.broke: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def tell(self, change: ProcessChanged) -> None:
        if self.away:
            self.away -= 1
            raise StoreError("PostgreSQL does not answer")
        self.told.append(change)

    def watch(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        try:
            self.supervisor.watch(self.stop, lambda: False)
        except BaseException as error:
            self.broke = error

    def end(self) -> None:
        self.stop.set()
        if self._thread.ident:
            self._thread.join()
        self.supervisor.stop()
        assert self.broke is None

    def events(self, name: str) -> list[str]:
        return [change.event for change in self.told if change.name == name]

    def entry(self, name: str) -> RosterEntry:
        return next(entry for entry in self.supervisor.roster().entries if entry.name == name)


@pytest.fixture
def desk(tmp_path: Path, module_store: Store) -> Iterator[Desk]:
    made = Desk(tmp_path / "home", module_store)
    yield made
    made.end()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that looks more often, and waits less."""
    monkeypatch.setattr(supervision, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(supervision, "HEALTH_SECONDS", 0.1)
    monkeypatch.setattr(supervision, "SECONDS_TO_LEAVE", 0.2)


def test_children_are_started_together_and_are_well_when_their_health_says_so(desk: Desk, tmp_path: Path) -> None:
    """Neither becomes well before both run."""
    one, other = tmp_path / "one", tmp_path / "other"
    meet = "import pathlib, time; pathlib.Path({!r}).touch(); time.sleep(600)"
    both = lambda: one.exists() and other.exists()  # noqa: E731
    desk.supervisor.start(
        child("one", meet.format(str(one)), is_well=both), child("other", meet.format(str(other)), is_well=both)
    )
    assert [(change.name, change.event) for change in desk.told] == [("one", "started"), ("other", "started")]
    assert [entry.name for entry in desk.supervisor.roster().entries] == ["postgresql", "one", "other"]
    assert {entry.state for entry in desk.supervisor.roster().entries} == {"well"}


def test_a_child_that_is_killed_is_told_of_and_started_again_later_each_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "BACKOFF_SECONDS", (0.0, 0.1, 0.4))
    desk.supervisor.start(child("mortal"))
    desk.watch()
    for attempt in (1, 2, 3):
        desk.supervisor.roster()
        os.kill(desk.entry("mortal").pid, signal.SIGKILL)
        until(lambda attempt=attempt: desk.events("mortal").count("started") == attempt + 1, 10)
    assert desk.events("mortal") == ["started", *["died", "started"] * 3]
    deaths = [change for change in desk.told if change.event == "died"]
    assert [(change.why, change.attempt) for change in deaths] == [
        ("by signal 9", 0),
        ("by signal 9", 1),
        ("by signal 9", 2),
    ]
    assert desk.entry("mortal").restarts == 3
    (charge,) = desk.supervisor._charges
    assert charge.wait == 0.4


def test_a_child_that_ends_with_an_error_is_told_of_with_its_last_words(desk: Desk, tmp_path: Path) -> None:
    once = f"""
import pathlib, sys, time
mark = pathlib.Path({str(tmp_path / "mark")!r})
if mark.exists(): time.sleep(600)
mark.touch()
time.sleep(0.5)
sys.exit("no more paper")
"""
    desk.supervisor.start(child("clerk", once))
    desk.watch()
    until(lambda: desk.events("clerk") == ["started", "died", "started"])
    assert desk.told[1].why == "with status 1: no more paper"


def test_a_child_that_ends_well_is_over_and_stays_so(desk: Desk) -> None:
    worker = child("worker", "import time; time.sleep(0.5); print('all is done')", may_end=True)
    desk.supervisor.start(worker, child("other"))
    desk.watch()
    until(lambda: desk.supervisor.are_over(["worker"]))
    assert not desk.supervisor.are_over(["worker", "other"])
    os.kill(desk.entry("other").pid, signal.SIGKILL)
    until(lambda: desk.events("other") == ["started", "died", "started"])
    assert desk.events("worker") == ["started", "stopped"]
    assert next(change.why for change in desk.told if change.event == "stopped") == "all is done"
    assert (desk.entry("worker").state, desk.entry("worker").pid) == ("over", 0)


def test_a_child_whose_work_has_no_end_and_that_ends_well_has_died(desk: Desk) -> None:
    desk.supervisor.start(child("server", "import time; time.sleep(1)"))
    desk.watch()
    until(lambda: desk.events("server")[:3] == ["started", "died", "started"])


def test_a_disk_without_room_ends_no_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.supervisor.start(child("server"))
    desk.watch()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tandem.operations.supervise.supervisor.write", full)
    os.kill(desk.entry("server").pid, signal.SIGKILL)
    until(lambda: desk.events("server") == ["started", "died", "started"])


def test_a_child_that_never_gets_well_ends_the_start_with_its_last_words(desk: Desk) -> None:
    script = "import time; print('the port is taken', flush=True); time.sleep(600)"
    with pytest.raises(TandemError) as error:
        desk.supervisor.start(child("server", script, is_well=lambda: False, seconds=1))
    assert error.value.what == "server did not start: the port is taken"
    assert str(folder_of(desk.home) / "server.log") in error.value.mend


def test_a_child_that_ends_before_it_is_well_ends_the_start_with_its_last_words(desk: Desk) -> None:
    with pytest.raises(TandemError, match="server did not start: no such folder"):
        desk.supervisor.start(child("server", "raise SystemExit('no such folder')", is_well=lambda: False))


def test_a_child_that_answers_no_more_is_told_of_ended_and_started_again(
    desk: Desk, hasty: None, tmp_path: Path
) -> None:
    stubborn = f"""
import pathlib, signal, time
mark = pathlib.Path({str(tmp_path / "mark")!r})
if not mark.exists(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
mark.touch()
time.sleep(600)
"""
    well = threading.Event()
    well.set()
    desk.supervisor.start(child("server", stubborn, is_well=lambda: well.is_set() and (tmp_path / "mark").exists()))
    desk.watch()
    first = desk.entry("server").pid
    well.clear()
    until(lambda: desk.events("server")[-1] == "died")
    well.set()
    until(lambda: desk.events("server")[-1] == "started")
    assert desk.events("server") == ["started", "unwell", "died", "started"]
    assert not is_running(first)


def test_a_child_that_answers_again_is_well_again_without_a_new_start(desk: Desk, hasty: None) -> None:
    well = threading.Event()
    well.set()
    desk.supervisor.start(child("server", is_well=well.is_set))
    desk.watch()
    first = desk.entry("server").pid
    well.clear()
    until(lambda: desk.events("server")[-1] == "unwell")
    well.set()
    until(lambda: desk.events("server")[-1] == "started")
    assert desk.told[-1].why == "well again"
    assert desk.entry("server").pid == first


def test_a_child_that_was_stopped_is_not_well_and_is_started_again(desk: Desk, hasty: None) -> None:
    desk.supervisor.start(child("worker"))
    desk.watch()
    first = desk.entry("worker").pid
    os.kill(first, signal.SIGSTOP)
    until(lambda: desk.events("worker") == ["started", "unwell", "died", "started"])
    assert not is_running(first)


def test_a_child_that_a_watchdog_has_ended_is_said_to_have_hung(desk: Desk) -> None:
    hang = "import faulthandler, time; faulthandler.dump_traceback_later(0.3, exit=True); time.sleep(600)"
    desk.supervisor.start(child("session", f"print('to work', flush=True); {hang}"))
    desk.watch()
    until(lambda: "died" in desk.events("session"))
    death = next(change for change in desk.told if change.event == "died")
    assert death.why == "with status 1: it hung; its log says where"


def test_a_child_that_hung_once_and_dies_of_something_else_is_said_to_have_died_of_that(
    desk: Desk, tmp_path: Path
) -> None:
    log = folder_of(desk.home) / "session.log"
    log.write_text('Timeout (0:05:00)!\nThread 0x1 (most recent call first):\n  File "desk.py", line 1 in run\n')
    desk.supervisor.start(child("session", "import sys, time; time.sleep(0.5); sys.exit('no more paper')"))
    desk.watch()
    until(lambda: "died" in desk.events("session"))
    assert next(change.why for change in desk.told if change.event == "died") == "with status 1: no more paper"


FAMILY = """
import subprocess, sys, time
grand = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}\\\\n'); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", grand, FOLDER + "/same"])
subprocess.Popen([sys.executable, "-c", grand, FOLDER + "/own"], start_new_session=True)
time.sleep(600)
"""


def test_a_stop_ends_children_and_their_children_also_those_in_sessions_of_their_own(
    desk: Desk, tmp_path: Path
) -> None:
    desk.supervisor.start(child("first"), child("family", FAMILY.replace("FOLDER", repr(str(tmp_path)))))
    pids = [
        number_in(tmp_path / "same"),
        number_in(tmp_path / "own"),
        desk.entry("family").pid,
        desk.entry("first").pid,
    ]
    desk.supervisor.stop()
    assert not any(map(is_running, pids))
    assert [change.name for change in desk.told if change.event == "stopped"] == ["family", "first"]


def test_nothing_that_a_killed_child_has_started_outlives_it(desk: Desk, tmp_path: Path, hasty: None) -> None:
    desk.supervisor.start(child("family", FAMILY.replace("FOLDER", repr(str(tmp_path)))))
    desk.watch()
    pids = [number_in(tmp_path / "same"), number_in(tmp_path / "own")]
    until(lambda: {pid for pid, _ in desk.entry("family").family} >= set(pids))
    os.kill(desk.entry("family").pid, signal.SIGKILL)
    until(lambda: "died" in desk.events("family"))
    until(lambda: not any(map(is_running, pids)))


def test_what_cannot_be_told_is_told_later_in_its_order(desk: Desk) -> None:
    desk.away = 3
    desk.supervisor.start(child("one"), child("two"))
    desk.watch()
    os.kill(desk.entry("one").pid, signal.SIGKILL)
    until(lambda: len(desk.told) == 4)
    assert [(change.name, change.event) for change in desk.told] == [
        ("one", "started"), ("two", "started"), ("one", "died"), ("one", "started"),
    ]  # fmt: skip


def test_the_roster_on_file_is_always_whole(desk: Desk) -> None:
    desk.supervisor.start(child("one"))
    desk.watch()
    torn: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            roster = roster_of(desk.home)
            if roster is None or roster.supervisor != itself() or len(roster.entries) != 2:
                torn.append(str(roster))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    os.kill(desk.entry("one").pid, signal.SIGKILL)
    until(lambda: desk.events("one") == ["started", "died", "started"])
    done.set()
    reader.join()
    assert torn == []


def test_a_home_has_one_supervisor(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(TandemError) as error, alone(tmp_path):
        pass
    assert error.value.what == f"the desk of {tmp_path} is up already"
    with alone(tmp_path):
        pass


KILLED = """
import os, signal, sys
from pathlib import Path
from threading import Event
from tandem.market import WallClock
from tandem.operations.supervise.child import Child
from tandem.operations.supervise.database import Database
from tandem.operations.supervise.roster import alone
from tandem.operations.supervise.supervisor import Supervisor
from tandem.store import Store
home, url = Path(sys.argv[1]), sys.argv[2]
with alone(home), Store.open(home, url) as store:
    supervisor = Supervisor(home, Database(store, WallClock()), lambda change: None, WallClock())
    supervisor.start(Child("orphan", (sys.executable, "-c", "import time; time.sleep(600)")))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_supervisor_has_left_running_is_ended(tmp_path: Path, module_store: Store) -> None:
    script = ["-c", KILLED, str(tmp_path), module_store.url]
    assert psutil.Popen([sys.executable, *script]).wait(60) == -signal.SIGKILL
    roster = roster_of(tmp_path)
    assert roster is not None
    assert not roster.is_alive
    pid = roster.entries[-1].pid
    assert is_running(pid)
    assert end_leftovers(tmp_path) == ["orphan"]
    until(lambda: not is_running(pid))
    assert roster_of(tmp_path) is None


def test_a_process_that_merely_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    with psutil.Popen([sys.executable, "-c", SLEEP]) as stranger:
        try:
            other = (stranger.pid, stranger.create_time() - 3600)
            entry = RosterEntry("gone", "well", stranger.pid, WallClock().now(), 0, "", (other,))
            write(tmp_path, Roster((stranger.pid, other[1]), "paper-1", (entry,)))
            assert end_leftovers(tmp_path) == []
            assert stranger.is_running()
            assert roster_of(tmp_path) is None
        finally:
            stranger.kill()


def test_the_leftovers_of_a_supervisor_that_runs_are_nobodys_business(tmp_path: Path) -> None:
    with psutil.Popen([sys.executable, "-c", SLEEP]) as working:
        try:
            entry = RosterEntry(
                "child", "well", working.pid, WallClock().now(), 0, "", ((working.pid, working.create_time()),)
            )
            write(tmp_path, Roster(itself(), "paper-1", (entry,)))
            assert end_leftovers(tmp_path) == []
            assert working.is_running()
        finally:
            working.kill()
            forget(tmp_path)


STORE = """
import sys, time
from pathlib import Path
from tandem.store import Store
store = Store.open(Path(sys.argv[1]))
Path(sys.argv[1] + "/open").write_text("1\\n")
time.sleep(600)
"""


def test_the_database_that_a_child_has_started_outlives_that_child(desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "embedded"
    first = Child("first", (sys.executable, "-c", STORE, str(home)), is_well=(home / "open").exists)
    desk.supervisor.start(first)
    with Store.open(home) as store:
        assert store.server is not None
        before = store.server.pid
        desk.watch()
        os.kill(desk.entry("first").pid, signal.SIGKILL)
        until(lambda: "died" in desk.events("first"))
        assert store.server.pid == before
        assert is_running(before)
        assert store.worlds() == []
        desk.end()
        desk.stop.clear()
    assert store.server.has_stopped()


class Bare:
    """A household without workers."""

    def __init__(self, *_: object) -> None:
        self.prefect, self.mlflow = lambda: child("prefect"), lambda: child("mlflow")

    def workers(self, _: object) -> list[Child]:
        return []


def test_the_database_is_on_record_though_it_never_dies(
    tmp_path: Path, module_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring_up, "Household", Bare)
    monkeypatch.setattr(bring_up, "check_ports", lambda _: None)
    settings = Settings(home=tmp_path)
    world, stop = module_store.new_world(WorldKind.PAPER), threading.Event()
    keep_up(module_store, DeskProcesses(settings, {}, world=world), stop, lambda _: None, lambda _: stop.set())
    found = [record.body for record in module_store.facts(world).read(ProcessChanged)]
    assert [change.event for change in found if change.name == "postgresql"] == ["started", "stopped"]
    assert [change.event for change in found if change.name == "prefect"] == ["started", "stopped"]


@contextmanager
def deaf() -> Iterator[int]:
    """A port where somebody takes every call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_who_never_answers_is_not_well_and_holds_nobody_up() -> None:
    from tandem.execution import RecyclerTime

    with deaf() as port:
        started = time.monotonic()
        assert not answers(f"http://127.0.0.1:{port}/health")
        with pytest.raises(TandemError):
            RecyclerTime(f"ws://127.0.0.1:{port}", seconds=0.5).status()
        assert time.monotonic() - started < SECONDS
