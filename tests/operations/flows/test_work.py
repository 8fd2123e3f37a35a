"""A flow's work is done once for its trading date, whoever starts it how often."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Barrier, Event

import pytest

from tandem.config import Settings
from tandem.market import Calendar, DataError, Session, WorldKind
from tandem.operations import FlowDone, FlowName, Work
from tandem.operations.facts.flow_done import done_of
from tandem.operations.flows.work import Body, Came, once
from tandem.store import Store

IDENTIFICATION, MONITORING = FlowName.IDENTIFICATION, FlowName.MONITORING


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


MONDAY, TUESDAY = session_of(date(2023, 1, 23)), session_of(date(2023, 1, 24))


@pytest.fixture
def work(module_store: Store) -> Work:
    """Of one trading date in a world of its own."""
    world = module_store.new_world(WorldKind.PAPER)
    return Work(module_store, module_store.facts(world), MONDAY, Settings(), run="a run")


class Counted:
    """A body that counts its calls and says which one it was."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.calls = 0
        self._meanwhile = meanwhile

    def __call__(self, _: Work) -> Came:
        self.calls += 1
        number = self.calls
        self._meanwhile()
        return Came(f"call {number}", f"bars {number}")


def test_a_second_start_is_given_what_the_first_came_to(work: Work) -> None:
    body = Counted()
    first = once(work, IDENTIFICATION, body)
    assert once(replace(work, run="another run"), IDENTIFICATION, body) == first
    assert first == FlowDone(IDENTIFICATION, "call 1", "bars 1", "a run")
    assert body.calls == 1
    (record,) = work.facts.read(FlowDone)
    assert (record.session, record.at, record.body) == (MONDAY.day, MONDAY.morning, first)


def test_a_flow_of_the_evening_is_on_record_at_the_close(work: Work) -> None:
    once(work, MONITORING, Counted())
    assert [record.at for record in work.facts.read(FlowDone)] == [MONDAY.close]


def test_of_many_that_start_at_once_one_does_the_work(work: Work) -> None:
    together = Barrier(4)
    body = Counted(lambda: Event().wait(0.3))

    def start(_: int) -> FlowDone:
        together.wait(10)
        return once(work, IDENTIFICATION, body)

    with ThreadPoolExecutor(4) as threads:
        came = list(threads.map(start, range(4)))
    assert body.calls == 1
    assert len(set(came)) == 1


def test_other_dates_flows_and_worlds_are_done_apart(work: Work) -> None:
    other = work.store.facts(work.store.new_world(WorldKind.PAPER))
    body = Counted()
    once(work, IDENTIFICATION, body)
    assert once(replace(work, session=TUESDAY), IDENTIFICATION, body).why == "call 2"
    assert once(work, MONITORING, body).why == "call 3"
    assert once(replace(work, facts=other), IDENTIFICATION, body).why == "call 4"
    assert body.calls == 4
    assert done_of(work.facts, TUESDAY.day, MONITORING) is None


def test_a_body_that_fails_leaves_nothing_and_is_begun_again(work: Work) -> None:
    def fails(_: Work) -> Came:
        raise DataError("there are no bars")

    with pytest.raises(DataError, match="no bars"):
        once(work, IDENTIFICATION, fails)
    assert done_of(work.facts, MONDAY.day, IDENTIFICATION) is None
    assert once(work, IDENTIFICATION, Counted()).why == "call 1"


ELSEWHERE = """
import sys, time
from datetime import date
from pathlib import Path
from tandem.config import Settings
from tandem.market import Calendar, World, WorldKind
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.flows.work import Came, Work, once
from tandem.store import Store
url, run, folder, seconds = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
def body(work):
    with (folder / "calls").open("a") as calls: calls.write("x\\n")
    print("begun", flush=True)
    time.sleep(seconds)
    return Came("done elsewhere")
with Store.open(folder, url) as store:
    facts = store.facts(World(WorldKind.PAPER, run))
    session = Calendar().session(date(2023, 1, 23))
    print(once(Work(store, facts, session, Settings()), FlowName.IDENTIFICATION, body).why, flush=True)
"""


def elsewhere(work: Work, folder: Path, seconds: float) -> "subprocess.Popen[str]":
    """The same work in a process and a store of its own; its body takes that long."""
    arguments = [work.store.url, str(work.facts.world.run), str(folder), str(seconds)]
    return subprocess.Popen([sys.executable, "-c", ELSEWHERE, *arguments], stdout=subprocess.PIPE, text=True)


def test_processes_that_start_at_once_do_it_once(work: Work, tmp_path: Path) -> None:
    both = [elsewhere(work, tmp_path, 0.3) for _ in range(2)]
    said = [each.communicate(timeout=60)[0].split("\n")[-2] for each in both]
    assert said == ["done elsewhere"] * 2
    assert (tmp_path / "calls").read_text() == "x\n"
    assert once(work, IDENTIFICATION, Counted()).why == "done elsewhere"


def test_work_that_was_killed_is_begun_again_by_whoever_waits_for_it(work: Work, tmp_path: Path) -> None:
    killed = elsewhere(work, tmp_path, 600)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "begun\n"
    body: Body = Counted()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(once, work, IDENTIFICATION, body)
        assert not Event().wait(0.3)
        assert not waiting.done()
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=60)
        assert waiting.result(60).why == "call 1"
