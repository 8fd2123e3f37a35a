import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tandem.market import Stopwatch
from tandem.recycler import Launched

EARLY = "2023-01-04T11:00:00Z"
LATE = "2023-01-04T20:00:00Z"
ENROL = """
import http.client, json, signal, sys
held = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
lasting = len(sys.argv) > 4
held.request("POST", "/control/desks", json.dumps({"desk": sys.argv[2], "lasting": lasting}))
barrier = json.loads(held.getresponse().readline())
done = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
body = {"desk": sys.argv[2], "through": sys.argv[3], "hold": barrier["hold"]}
done.request("POST", "/control/ready", json.dumps(body))
print(barrier["time"], flush=True)
signal.pause()
"""


@contextmanager
def process(recycler: Launched, desk: str, through: str, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """A desk in a process of its own, that holds the clock and has released it through a moment."""
    command = [sys.executable, "-S", "-c", ENROL, str(recycler.port), desk, through, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert running.stdout.readline().startswith("2023-01-04T")
            yield running
        finally:
            running.kill()


@contextmanager
def held(recycler: Launched, desk: str) -> Iterator[requests.Response]:
    with requests.post(recycler.http + "/control/desks", json={"desk": desk}, stream=True, timeout=5) as answer:
        assert answer.status_code == 200
        yield answer


def ready(recycler: Launched, desk: str, through: str, seconds: float = 2.0) -> requests.Response:
    done = {"desk": desk, "through": through}
    return requests.post(recycler.http + "/control/ready", json=done, timeout=seconds)


def status(recycler: Launched) -> dict[str, Any]:
    said: dict[str, Any] = requests.get(recycler.http + "/control/status", timeout=5).json()
    return said


def until_desks_are(recycler: Launched, *desks: str) -> None:
    watch = Stopwatch()
    while sorted(status(recycler)["desks"]) != sorted(desks):
        assert watch.seconds < 2
        threading.Event().wait(0.01)


def until_away_are(recycler: Launched, *desks: str) -> None:
    watch = Stopwatch()
    while status(recycler)["away"] != list(desks):
        assert watch.seconds < 2
        threading.Event().wait(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_desk_that_is_killed_holds_nobody_up(start: Callable[..., Launched], how: signal.Signals) -> None:
    recycler = start()
    with held(recycler, "alive"), process(recycler, "dead", EARLY) as dead:
        assert sorted(status(recycler)["desks"]) == ["alive", "dead"]
        dead.send_signal(how)
        assert ready(recycler, "alive", LATE).json()["time"] == "2023-01-04T20:01:00Z"
        assert list(status(recycler)["desks"]) == ["alive"]


def test_the_clock_stands_between_a_kill_and_the_word_of_the_next_desk(start: Callable[..., Launched]) -> None:
    recycler = start()
    with held(recycler, "slow"), process(recycler, "d", LATE) as dead:
        assert ready(recycler, "slow", "2023-01-04T14:34:00Z").ok
        before = status(recycler)
        assert before["time"] == "2023-01-04T14:35:00Z"
        dead.kill()
        until_desks_are(recycler, "slow")
    until_desks_are(recycler)
    threading.Event().wait(0.3)
    with held(recycler, "d") as again:
        lines = again.iter_lines()
        barrier = json.loads(next(lines))
        assert (barrier["time"], barrier["bars"]) == (before["time"], before["bars"])
        threading.Event().wait(0.2)
        assert status(recycler)["time"] == before["time"]
        assert ready(recycler, "d", before["time"]).json()["time"] == "2023-01-04T14:36:00Z"


def test_a_desk_that_enrols_again_takes_over_and_the_end_of_its_past_does_not_let_go(
    start: Callable[..., Launched],
) -> None:
    recycler = start()
    with held(recycler, "slow"), process(recycler, "d", LATE) as past, held(recycler, "d"):
        past.kill()
        past.wait()
        with pytest.raises(requests.ReadTimeout):
            ready(recycler, "slow", EARLY, 0.3)
        assert sorted(status(recycler)["desks"]) == ["d", "slow"]
        assert ready(recycler, "d", EARLY).ok


def test_the_clock_waits_for_a_lasting_desk_that_was_killed_until_it_is_back(start: Callable[..., Launched]) -> None:
    recycler = start()
    with held(recycler, "alive"), process(recycler, "d", EARLY, "lasting") as dead:
        dead.kill()
        until_away_are(recycler, "d")
        with pytest.raises(requests.ReadTimeout):
            ready(recycler, "alive", LATE, 0.3)
        before = status(recycler)["time"]
        with held(recycler, "d"):
            assert (status(recycler)["time"], status(recycler)["away"]) == (before, [])
            assert ready(recycler, "d", EARLY).ok


def test_a_lasting_desk_that_was_killed_can_be_dismissed(start: Callable[..., Launched]) -> None:
    recycler = start()
    with held(recycler, "alive"), process(recycler, "d", EARLY, "lasting") as dead:
        dead.kill()
        until_away_are(recycler, "d")
        assert requests.delete(recycler.http + "/control/desks/d", timeout=5).status_code == 204
        assert status(recycler)["away"] == []
        assert ready(recycler, "alive", LATE).json()["time"] == "2023-01-04T20:01:00Z"


def test_the_connection_of_a_desk_that_is_dismissed_ends(start: Callable[..., Launched]) -> None:
    recycler = start()
    with held(recycler, "d") as answer:
        assert requests.delete(recycler.http + "/control/desks/d", timeout=5).status_code == 204
        assert len(list(answer.iter_lines())) == 1
        assert ready(recycler, "d", EARLY).status_code == 404


def test_a_recycler_that_is_interrupted_tells_its_desks_and_says_nothing(start: Callable[..., Launched]) -> None:
    recycler = start()
    with held(recycler, "d") as answer, process(recycler, "slow", EARLY):
        said: list[requests.Response] = []
        waiting = threading.Thread(target=lambda: said.append(ready(recycler, "d", LATE, 5)))
        waiting.start()
        threading.Event().wait(0.2)
        recycler.process.send_signal(signal.SIGINT)
        assert recycler.process.wait(5) == 130
        waiting.join()
        assert len(list(answer.iter_lines())) == 1
    assert said[0].status_code == 410
    assert said[0].json()["message"] == "the clock no longer waits for d: the recycler ends"
    recycler.words.seek(0)
    assert recycler.words.read() == ""
