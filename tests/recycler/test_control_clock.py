"""What people do to the clock through the control API."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from time import monotonic
from typing import Any

import pytest
import requests
from websockets.sync.client import connect

from tandem.recycler import Launched, Options, launch


@pytest.fixture(scope="module")
def recycler(options: Options) -> Iterator[Launched]:
    with launch(options) as launched:
        yield launched


def ask(recycler: Launched, what: str, body: object = None) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{recycler.http}/control/{what}", json=body, timeout=10)
    return answer.status_code, answer.json()


def status(recycler: Launched) -> dict[str, Any]:
    said: dict[str, Any] = requests.get(recycler.http + "/control/status", timeout=5).json()
    return said


def test_status_says_how_the_clock_runs(recycler: Launched) -> None:
    said = requests.get(recycler.http + "/control/status", timeout=5).json()
    assert (said["speed"], said["lockstep"], said["loop"], said["waited_for"]) == ("max", True, 0, [])
    assert said["proxies"] == {}


def test_a_pause_and_its_end_are_answered_with_the_status(recycler: Launched) -> None:
    assert ask(recycler, "pause")[1]["paused"] is True
    assert ask(recycler, "resume")[1]["paused"] is False


@pytest.mark.parametrize(
    ("to", "time"),
    [
        ("2023-01-04T14:30:00Z", "2023-01-04T14:30:00Z"),
        ("2023-01-04T10:00", "2023-01-04T15:00:00Z"),
        ("2023-01-04", "2023-01-04T11:00:00Z"),
    ],
)
def test_the_clock_goes_to_a_date_or_a_moment(recycler: Launched, to: str, time: str) -> None:
    assert ask(recycler, "seek", {"to": to})[1]["time"] == time


def test_steps_move_the_clock_mark_by_mark(recycler: Launched) -> None:
    ask(recycler, "seek", {"to": "2023-01-04T14:30:00Z"})
    assert ask(recycler, "step")[1]["time"] == "2023-01-04T14:31:00Z"
    status, said = ask(recycler, "step", {"count": 3})
    assert (status, said["time"], said["paused"], said["bars"]) == (200, "2023-01-04T14:34:00Z", True, 8)


@pytest.mark.parametrize(("speed", "shown"), [(60, 60.0), (0.5, 0.5), ("max", "max")])
def test_the_speed_changes(recycler: Launched, speed: object, shown: object) -> None:
    assert ask(recycler, "speed", {"speed": speed})[1]["speed"] == shown


@pytest.mark.parametrize(
    ("what", "body", "words"),
    [
        ("speed", {"speed": 0}, "a speed of 0 goes nowhere: give one from 1e-06 to 1e+09, or max; a pause"),
        ("speed", {"speed": -3}, "a speed of -3 goes nowhere"),
        ("speed", {"speed": 5e-324}, "a speed of 4.94066e-324 goes nowhere"),
        ("speed", {"speed": 1e300}, "a speed of 1e+300 goes nowhere"),
        ("speed", {"speed": "fast"}, "Invalid enum value"),
        ("seek", {"to": "tomorrow"}, "tomorrow is neither a date nor a moment"),
        ("seek", {"to": "2029-01-04"}, "the reel ends at"),
        ("seek", {"to": "2019-01-04"}, "the replay began at"),
        ("seek", {"to": "9999-12-31T23:59:59-05:00"}, "is beyond every calendar"),
        ("seek", {"to": "0001-01-01T00:00:00+14:00"}, "is beyond every calendar"),
        ("seek", {"to": "9999-12-31"}, "the reel ends at"),
        ("seek", {"day": "2023-01-05"}, "2023-01-05 is not played in this loop"),
        ("seek", {"day": "2023-01-04", "to": "2023-01-04"}, "one of to and day is needed"),
        ("step", {"count": 0}, "Expected `int` >= 1"),
        ("seek", {}, "one of to and day is needed"),
    ],
)
def test_what_cannot_be_done_is_said(recycler: Launched, what: str, body: object, words: str) -> None:
    status, said = ask(recycler, what, body)
    assert status == 422
    assert words in said["message"]


def test_a_clock_that_is_held_does_not_step(start: Callable[..., Launched], monkeypatch: pytest.MonkeyPatch) -> None:
    recycler = start()
    with requests.post(recycler.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=5):
        assert ask(recycler, "step") == (409, {"message": "the clock waits for d"})


@pytest.mark.parametrize("timestamps", ["original", "current"])
def test_an_endless_loop_cannot_be_sought_to_its_end(start: Callable[..., Launched], timestamps: str) -> None:
    recycler = start(mode="loop", loop_count=-1, timestamps=timestamps)
    before = status(recycler)
    code, said = ask(recycler, "seek", {"to": "2200-01-01"})
    assert (code, said["message"][:17]) == (422, "the reel ends at ")
    assert status(recycler) == before


def test_a_stored_day_can_be_sought_whatever_time_it_is_played_at(start: Callable[..., Launched]) -> None:
    recycler = start(mode="splice", splice=(date(2023, 1, 4),) * 3, timestamps="current")
    began = datetime.fromisoformat(status(recycler)["time"])
    code, said = ask(recycler, "seek", {"day": "2023-01-04"})
    assert (code, datetime.fromisoformat(said["time"]) > began) == (200, True)


def test_at_max_the_clock_waits_for_a_first_client_and_for_no_later_one(start: Callable[..., Launched]) -> None:
    recycler = start(lockstep=False)
    began = status(recycler)
    assert (began["waited_for"], began["bars"]) == (["a first client"], 0)
    with connect(recycler.ws + "/v2/iex", proxy=None) as client:
        client.send('{"action": "auth", "key": "k", "secret": "s"}')
        client.send('{"action": "subscribe", "bars": ["AAPL"]}')
        heard = 0
        while heard < 390:
            heard += sum(message["T"] == "b" for message in json.loads(client.recv(timeout=5)))
    assert (status(recycler)["ended"], status(recycler)["waited_for"]) == (True, [])


def test_somebody_who_listens_to_orders_is_a_first_client_too(start: Callable[..., Launched]) -> None:
    recycler = start(lockstep=False)
    with connect(recycler.ws + "/stream", proxy=None) as client:
        client.send('{"action": "auth", "key": "k", "secret": "s"}')
        client.send('{"action": "listen", "data": {"streams": ["trade_updates"]}}')
        until = monotonic() + 5
        while not status(recycler)["ended"]:
            assert monotonic() < until
