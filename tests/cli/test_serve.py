"""`tandem serve` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import requests

from tandem.config import ModelSettings
from tandem.desk.plan import Plan, record_plan
from tandem.forecast import PairModel
from tandem.market import Pair, Session, Timeframe, World, WorldKind
from tandem.screening import Passport, Score
from tandem.statistics import GarchFit
from tandem.store import Store

DAY = Session(date(2023, 1, 25), datetime(2023, 1, 25, 14, 30, tzinfo=UTC), datetime(2023, 1, 25, 21, tzinfo=UTC))
PAIR = Pair("A", "B")
ASKED = {"inputs": [{"pair": "A/B", "closes_a": [100.0, 102.0], "closes_b": [100.0, 100.0]}]}
TOKEN = "a secret that is long enough"


@pytest.fixture
def world(store: Store) -> World:
    """A world with a plan of one pair."""
    made = store.new_world(WorldKind.PAPER, "")
    last = datetime(2023, 1, 24, 20, 55, tzinfo=UTC)
    garch = GarchFit(0.0, 0.95, 1e-5, 0.0, 0.0, None, 1.0, 1e-5, 0.0, 0.0, 0.0, 0.0, True, 0.5, 0.5)
    passport = Passport(
        PAIR, "technology", Timeframe.MIN_5, DAY.day, last, last, 40, 1.0, 0.0, 0.0, 0.01, 0.95, 13.5, garch, 0.9, 0.8,
        -4.0, 0.01, 0, 0.02, 0.03, 0.01, Score(0.8, 0.9, 0.8, 0.5, 1.0, 1, ()), "", (), (100.0,) * 40, (100.0,) * 40,
    )  # fmt: skip
    model = PairModel(PAIR, DAY.day, 0.95, 14, ModelSettings(timeframe=Timeframe.MIN_5), "baseline", "no GRU", {})
    plan = Plan(1, {"A/B": store.blobs.put(model.to_bytes())})
    record_plan(store.facts(made), DAY, plan, [passport])
    return made


@pytest.fixture
def serve(store: Store, world: World, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    def start(*options: str, **environment: str) -> "subprocess.Popen[str]":
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "tandem", "serve", "--world", str(world), "--port", "0", *options],
            cwd=tmp_path,
            env={**clean, "TANDEM_HOME": str(tmp_path), "TANDEM_DATABASE_URL": store.url, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@contextmanager
def running(process: "subprocess.Popen[str]") -> Iterator[tuple[str, list[str]]]:
    """Its address and its first words."""
    with process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            found = re.match(r"(http://[^/]+)/invocations answers for 1 pair of 2023-01-25 in paper-\d+", first)
            assert found, first + (process.stderr.read() if process.stderr else "")
            yield found[1], [first]
        finally:
            process.kill()


def ask(url: str, token: str) -> requests.Response:
    return requests.post(f"{url}/invocations", json=ASKED, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_it_makes_up_a_token_says_it_once_and_ends_cleanly(serve: Callable[..., "subprocess.Popen[str]"]) -> None:
    with running(process := serve()) as (url, _):
        assert process.stdout is not None
        told = re.search(r"Bearer (\S+)`", process.stdout.readline())
        assert told
        (said,) = ask(url, told[1]).json()["predictions"]
        assert (said["model"], said["refusal"]) == ("baseline", "")
        assert ask(url, TOKEN).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        assert process.stdout.read() == ""
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_token_of_ones_own_is_never_shown(serve: Callable[..., "subprocess.Popen[str]"]) -> None:
    with running(process := serve("--day", "2023-01-25", TANDEM_SERVE__TOKEN=TOKEN)) as (url, words):
        assert ask(url, TOKEN).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stdout is not None
        assert process.stderr is not None
        shown = "".join(words) + process.stdout.read() + process.stderr.read()
        assert TOKEN not in shown
        assert shown.endswith("tandem: stopped.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "serve.host 0.0.0.0 is beyond this machine. Set TANDEM_SERVE__TOKEN"),
        (("--day", "2023-01-26"), "has no plan of 2023-01-26"),
    ],
)
def test_what_a_person_can_mend_is_one_line(
    serve: Callable[..., "subprocess.Popen[str]"], options: tuple[str, ...], said: str
) -> None:
    with serve(*options) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in err
    assert (out, err.count("\n")) == ("", 1)
