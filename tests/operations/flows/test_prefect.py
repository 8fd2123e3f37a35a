"""The flows under the real Prefect server, its database on the embedded PostgreSQL."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from tandem.config import Settings
from tandem.market import NEW_YORK, Calendar, Stopwatch, WallClock, World, WorldKind
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.session_held import SessionBegan, SessionEnded
from tandem.operations.flows.environment import answers, prefect_environment, server_environment
from tandem.operations.flows.lacking import DUE
from tandem.store import Record, Store

ROOT = Path(__file__).parents[3]
HOLIDAY, TRADED, TO_COME = "2026-11-26", "2026-11-20", "2099-06-02"
NEWEST = "EXPECTED_START_TIME_DESC"
CRONS = sorted(f"{due.minute} {due.hour} * * 1-5" for due in DUE.values())


@dataclass(frozen=True)
class Prefect:
    """A running server and whoever serves the flows of a world."""

    address: str
    store: Store
    world: World
    environment: dict[str, str]

    def post(self, path: str, body: object) -> Any:
        asked = Request(f"{self.address}/api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def deployments(self) -> dict[str, dict[str, Any]]:
        flows = {each["id"]: each["name"] for each in self.post("flows/filter", {})}
        found = self.post("deployments/filter", {})
        return {f"{flows[each['flow_id']]}/{each['name']}": each for each in found}

    def run(self, deployment: str, **parameters: str) -> str:
        number = self.deployments()[deployment]["id"]
        made = self.post(f"deployments/{number}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def ends(self, *runs: str) -> list[str]:
        found: list[dict[str, Any]] = []

        def all_over() -> bool:
            found[:] = self.post("flow_runs/filter", {"flow_runs": {"id": {"any_": list(runs)}}})
            return all(each["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") for each in found)

        until(all_over)
        return [each["state_type"] for each in found]


def until(true: Any, seconds: float = 90) -> None:
    watch = Stopwatch()
    while not true():
        assert watch.seconds < seconds
        Event().wait(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str], words: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with words.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def prefect(module_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    settings = Settings.model_validate({"home": folder, "operations": {"prefect_port": port}})
    world = module_store.new_world(WorldKind.PAPER, "flows")
    variables = {
        "TANDEM_HOME": str(folder),
        "TANDEM_DATABASE_URL": module_store.url,
        "TANDEM_OPERATIONS__PREFECT_PORT": str(port),
        "TANDEM_WEBSOCKET__MODE": "alpaca",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }
    environment = {**os.environ, **variables, **prefect_environment(settings)}
    server = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    worker = [sys.executable, "-m", "tandem", "flows", "serve", "--world", str(world)]
    left = Calendar().before(WallClock().now().astimezone(NEW_YORK).date(), 1)[0]
    facts = module_store.facts(world)
    facts.append(
        Record(SessionBegan(0, "exits only"), left.day, left.open, f"session.began.{left.day}"),
        Record(SessionEnded(77), left.day, left.close, f"session.ended.{left.day}"),
    )
    found = Prefect(f"http://127.0.0.1:{port}", module_store, world, environment)
    with running(server, environment | dict(server_environment(settings, module_store)), folder / "server.log"):
        until(lambda: answers(f"{found.address}/api/health"))
        with running(worker, environment, folder / "worker.log"):
            until(lambda: len(found.deployments()) == len(DUE))
            yield found


def test_every_flow_is_scheduled_by_new_york_time(prefect: Prefect) -> None:
    schedules = [each["schedules"][0]["schedule"] for each in prefect.deployments().values()]
    assert sorted(each["cron"] for each in schedules) == CRONS
    assert {each["timezone"] for each in schedules} == {"America/New_York"}


def test_a_holiday_completes_and_comes_to_nothing(prefect: Prefect) -> None:
    run = prefect.run("daily pair identification/desk", day=HOLIDAY, world=str(prefect.world))
    assert prefect.ends(run) == ["COMPLETED"]
    assert prefect.store.facts(prefect.world).read(FlowDone, session=date.fromisoformat(HOLIDAY)) == []


def test_what_a_killed_process_has_left_undone_of_the_last_session_is_done_when_flows_are_served(
    prefect: Prefect,
) -> None:
    facts, left = (
        prefect.store.facts(prefect.world),
        Calendar().before(WallClock().now().astimezone(NEW_YORK).date(), 1),
    )
    names = {FlowName.SESSION, FlowName.MONITORING, FlowName.HOUSEKEEPING}
    until(lambda: {record.body.flow for record in facts.read(FlowDone, session=left[0].day)} == names)


def test_two_runs_of_one_date_come_to_one_result(prefect: Prefect) -> None:
    facts = prefect.store.facts(prefect.world)
    session = Calendar().session(date.fromisoformat(TRADED))
    facts.append(Record(SessionEnded(0), session.day, session.close, f"session.ended.{TRADED}"))
    runs = [prefect.run("performance monitoring/desk", day=TRADED, world=str(prefect.world)) for _ in range(2)]
    assert prefect.ends(*runs) == ["COMPLETED", "COMPLETED"]
    (done,) = facts.read(FlowDone, session=session.day)
    assert done.body.run in runs


def test_a_flow_that_only_a_person_can_mend_fails_at_once_and_leaves_no_result(prefect: Prefect) -> None:
    run = prefect.run("daily pair identification/desk", day=TO_COME, world=str(prefect.world))
    assert prefect.ends(run) == ["FAILED"]
    assert prefect.store.facts(prefect.world).read(FlowDone, session=date.fromisoformat(TO_COME)) == []


def test_the_deployments_on_file_are_those_that_are_served(prefect: Prefect) -> None:
    on_file = yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text())["deployments"]
    assert sorted(each["schedules"][0]["cron"] for each in on_file) == CRONS
    prefect_cli = [sys.executable, "-m", "prefect", "--no-prompt"]
    for command in (
        ["work-pool", "create", "tandem", "--type", "process"],
        ["deploy", "--all", "--prefect-file", "deploy/prefect.yaml"],
    ):
        subprocess.run([*prefect_cli, *command], cwd=ROOT, env=prefect.environment, check=True, capture_output=True)
    names = {name for name in prefect.deployments() if name.endswith("/scheduled")}
    assert len(names) == len(DUE)


LOOK = """
import sys
from datetime import UTC, datetime
from uuid import UUID
from tandem.config import load
from tandem.desk import world_named
from tandem.operations import FlowName
from tandem.operations.flows.deployed import run_what_lacks
from tandem.store import Store
with Store.of(load()) as store:
    world, deployed = world_named(store, sys.argv[1]), dict.fromkeys(FlowName, UUID(sys.argv[2]))
    since = datetime.now(UTC)
    for line in sys.stdin:
        run_what_lacks(store, world, deployed, since, lambda said: print(said, end="; "))
        print(flush=True)
"""


def test_what_failed_is_run_again_and_what_is_under_way_is_not(prefect: Prefect) -> None:
    """In a world whose last session left nothing but its end; no runner serves the deployment."""
    world = prefect.store.new_world(WorldKind.PAPER, "again")
    left = Calendar().before(WallClock().now().astimezone(NEW_YORK).date(), 1)[0]
    prefect.store.facts(world).append(
        Record(SessionBegan(0, ""), left.day, left.open, f"session.began.{left.day}"),
        *(
            Record(FlowDone(flow, "done"), left.day, left.close, f"flow.{flow}.{left.day}")
            for flow in FlowName
            if flow is not FlowName.HOUSEKEEPING
        ),
    )
    flow = prefect.post("flows/filter", {})[0]["id"]
    made = prefect.post("deployments/", {"name": "nobody's", "flow_id": flow})["id"]
    of_long_ago = {"type": "SCHEDULED", "state_details": {"scheduled_time": f"{left.open - timedelta(days=9)}"}}
    prefect.post(f"deployments/{made}/create_flow_run", {"state": of_long_ago})  # is in the way of nothing

    def becomes(state: str) -> None:
        (run,) = prefect.post("flow_runs/filter", {"deployments": {"id": {"any_": [made]}}, "limit": 1, "sort": NEWEST})
        prefect.post(f"flow_runs/{run['id']}/set_state", {"state": {"type": state}, "force": True})

    command = [sys.executable, "-c", LOOK, str(world), made]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=prefect.environment, **pipes) as looker:

        def is_run() -> bool:
            looker.stdin.write("look\n")
            looker.stdin.flush()
            return f"{left.day} housekeeping was due and is not done: it is run now" in looker.stdout.readline()

        assert is_run()
        assert not is_run()  # it waits to be started
        becomes("RUNNING")
        assert not is_run()
        becomes("FAILED")
        for _ in range(4):
            assert is_run()
            becomes("FAILED")
        assert not is_run()  # five have failed
        done = FlowDone(FlowName.HOUSEKEEPING, "done")
        prefect.store.facts(world).append(Record(done, left.day, left.close, f"flow.housekeeping.{left.day}"))
        assert not is_run()
        looker.stdin.close()


def test_runs_whose_process_was_killed_say_so(prefect: Prefect) -> None:
    flow = prefect.post("flows/filter", {})[0]["id"]
    run = prefect.post("flow_runs/", {"flow_id": flow, "state": {"type": "RUNNING", "name": "Running"}})["id"]
    strangers = prefect.post("flows/", {"name": "somebody else's"})["id"]
    other = prefect.post("flow_runs/", {"flow_id": strangers, "state": {"type": "RUNNING", "name": "Running"}})["id"]
    code = "from tandem.operations.flows.deployed import end_stale_runs; end_stale_runs()"
    subprocess.run([sys.executable, "-c", code], env=prefect.environment, check=True, capture_output=True)
    assert prefect.ends(run) == ["CRASHED"]
    assert prefect.post("flow_runs/filter", {"flow_runs": {"id": {"any_": [other]}}})[0]["state_type"] == "RUNNING"
