"""`tandem dashboard` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tandem.market import Stopwatch, WorldKind
from tandem.store import Store

TOKEN = "a secret that is long enough"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(store: Store, tmp_path: Path) -> Start:
    def started(*options: str, **environment: str) -> "subprocess.Popen[str]":
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "tandem", "dashboard", "--port", "0", *options],
            cwd=tmp_path,
            env={**clean, "TANDEM_HOME": str(tmp_path), "TANDEM_DATABASE_URL": store.url, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


@contextmanager
def running(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Its address."""
    with process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            found = re.match(r"(http://[^ ]+) shows the desk; Ctrl-C ends it\.", first)
            assert found, first + (process.stderr.read() if process.stderr else "")
            yield found[1]
        finally:
            process.kill()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_shows_the_desk_and_ends_at_once_though_somebody_looks(start: Start, sent: int, status: int) -> None:
    with running(process := start()) as url, requests.Session() as browser:
        assert browser.get(f"{url}/health", timeout=20).text == "ok\n"
        with browser.get(f"{url}/events/desk", stream=True, timeout=20) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            watch = Stopwatch()
            process.send_signal(sent)
            assert process.wait(20) == status
            assert watch.seconds < 15
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.stderr is not None
        assert process.stderr.read() == ("tandem: stopped.\n" if sent == signal.SIGINT else "")


def test_the_world_that_is_named_is_shown_and_the_token_never(start: Start, store: Store) -> None:
    world = store.new_world(WorldKind.BACKTEST)
    with running(process := start("--world", str(world), TANDEM_DASHBOARD__TOKEN=TOKEN)) as url:
        assert requests.get(url, timeout=20).status_code == 401
        with requests.Session() as browser:
            answer = browser.post(f"{url}/login", data={"token": TOKEN}, timeout=20)
            assert str(world) in answer.text
            assert TOKEN not in answer.text
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
        assert process.stdout is not None
        assert process.stderr is not None
        assert TOKEN not in process.stdout.read() + process.stderr.read()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "dashboard.host 0.0.0.0 is beyond this machine. Set TANDEM_DASHBOARD__TOKEN"),
        (("--world", "paper-99"), "no world is called paper-99"),
        (("--port", "70000"), "port"),
    ],
)
def test_what_a_person_can_mend_is_one_line(start: Start, options: tuple[str, ...], said: str) -> None:
    with start(*options) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in err
    assert (out, err.count("\n")) == ("", 1)
