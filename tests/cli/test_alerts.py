"""`tandem alerts` as a person and a supervisor run it, against a real HTTP server."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tandem.cli.alerts import market_time
from tandem.config import Settings
from tandem.market import Stopwatch, World, WorldKind
from tandem.operations.alerts.rules.table import RULES
from tandem.operations.facts.alert import AlertDelivered, AlertOver, AlertRaised
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Standing, Switch
from tandem.store import Record, Store

PATIENCE = 60
# The wall clock is these tests' market time: whatever today is, nothing is due.
RULES_OF_TESTS = "{missed_run: {on: false}, stale_feed: {on: false}}"
SECRET = "hook-0123456789"


class Server:
    """Takes notifications; `stalled` keeps them waiting, `broken` refuses them."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.asked = 0
        self.open = threading.Event()
        self.open.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked += 1
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not outer.open.wait(30):
                    return
                try:
                    self.send_response(500 if "broken" in self.path else 200)
                    self.end_headers()
                except OSError:
                    return
                outer.heard.append(body)

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def titles(self) -> list[str]:
        return [body["title"] for body in self.heard]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.open.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def environment(store: Store, server: Server, tmp_path: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
    return {
        **clean,
        "TANDEM_HOME": str(tmp_path / "home"),
        "TANDEM_DATABASE_URL": store.url,
        "TANDEM_WEBSOCKET__MODE": "alpaca",
        "TANDEM_ALERTS__RULES": RULES_OF_TESTS,
        "TANDEM_ALERTS__TARGETS": f"desk=json://127.0.0.1:{server.port}/{SECRET}",
        "COLUMNS": "160",
    }


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def alerts(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tandem", "alerts", *arguments],
            check=False,
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


class Watching:
    """A process that watches, and its end."""

    def __init__(self, environment: dict[str, str], folder: Path, world: World) -> None:
        self.err = folder / "watch.err"
        with self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tandem", "alerts", "watch", "--world", str(world)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=err,
            )

    def __enter__(self) -> "Watching":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def until(self, holds: Callable[[], bool]) -> None:
        patience = Stopwatch()
        while not holds():
            assert patience.seconds < PATIENCE, self.err.read_text()
            assert self.process.poll() is None, self.err.read_text()
            threading.Event().wait(0.05)


def note(store: Store, world: World, body: Switch | ProcessChanged, name: str) -> None:
    now = datetime.now(UTC)
    store.facts(world).append(Record(body, now.date(), now, name))


def test_a_watch_killed_while_it_tells_is_followed_by_one_that_tells_once(
    store: Store, server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    world = store.new_world(WorldKind.PAPER)
    facts = store.facts(world)
    note(store, world, Switch(Standing.HALTED, "lost 2%", "risk"), "one")
    server.open.clear()
    with Watching(environment, tmp_path, world) as first:
        first.until(lambda: server.asked == 1)
        first.process.send_signal(signal.SIGKILL)
    assert [record.body.rule for record in facts.read(AlertRaised)] == ["halt"]
    assert [record.body for record in facts.read(AlertDelivered) if record.body.target == "desk"] == []

    server.open.set()
    with Watching(environment, tmp_path, world) as second:
        second.until(lambda: any(record.body.target == "desk" for record in facts.read(AlertDelivered)))
        second.process.send_signal(signal.SIGKILL)
    note(store, world, ProcessChanged("flows", "died", "signal 9"), "two")
    with Watching(environment, tmp_path, world) as third:
        third.until(lambda: len(facts.read(AlertDelivered)) == 4)
        note(store, world, Switch(Standing.ARMED, "back", "ann"), "three")
        third.until(lambda: bool(facts.read(AlertOver)))
        third.process.send_signal(signal.SIGTERM)
        assert third.process.wait(PATIENCE) == 0
    assert server.asked == 3, "one request was cut off, and each alert made one that was not"
    told = [(record.body.target, record.body.alert.split(".")[1]) for record in facts.read(AlertDelivered)]
    assert sorted(told) == [
        ("desk", "halt"),
        ("desk", "process_died"),
        ("file", "halt"),
        ("file", "process_died"),
    ]
    lines = [json.loads(line) for line in (tmp_path / "home" / "alerts.jsonl").read_text().splitlines()]
    assert [(line["rule"], line["world"]) for line in lines] == [("halt", str(world)), ("process_died", str(world))]
    shown = first.err.read_text()
    assert SECRET not in shown
    assert all(json.loads(line)["process"] == "alerts" for line in shown.splitlines())


def test_a_second_watch_of_the_same_home_is_refused_in_one_line(
    store: Store, environment: dict[str, str], tmp_path: Path, alerts: Run
) -> None:
    world = store.new_world(WorldKind.PAPER)
    with Watching(environment, tmp_path, world) as first:
        first.until(lambda: "watching" in first.err.read_text())
        done = alerts("watch", "--world", str(world))
    assert done.returncode == 2
    assert "another process watches the alerts of" in done.stderr


def test_a_watch_tells_that_the_store_is_away_before_it_ever_was_there(
    server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    away = {**environment, "TANDEM_DATABASE_URL": "postgresql://me@127.0.0.1:1/tandem"}
    with Watching(away, tmp_path, World(WorldKind.PAPER, 1)) as watching:
        watching.until(lambda: server.titles == ["Tandem, critical: The store is away"])


def test_a_message_is_tried_at_every_target_and_what_failed_is_said(
    server: Server, alerts: Run, tmp_path: Path
) -> None:
    good, bad, closed = (
        f"desk=json://127.0.0.1:{server.port}/{SECRET}",
        f"bad=json://127.0.0.1:{server.port}/broken",
        "shut=json://user:swordfish@127.0.0.1:1/",
    )
    done = alerts("test", TANDEM_ALERTS__TARGETS=",".join([good, bad, closed]))
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert lines[:2] == ["file: arrived", "desk: arrived"]
    assert lines[2].startswith("bad: did not arrive: ")
    assert "500" in lines[2]
    assert lines[3].startswith("shut: did not arrive: ")
    assert "swordfish" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert server.titles[0] == "Tandem, info: this is a test"
    assert json.loads((tmp_path / "home" / "alerts.jsonl").read_text())["rule"] == "test"


def test_one_target_is_tried_alone_and_an_unknown_one_is_refused_with_the_near_one(server: Server, alerts: Run) -> None:
    assert alerts("test", "--target", "desk").stdout == "desk: arrived\n"
    assert server.titles == ["Tandem, info: this is a test"]
    done = alerts("test", "--target", "dask")
    assert (done.returncode, done.stderr) == (2, "tandem: dask is no target. Did you mean desk?\n")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("desk", "TANDEM_ALERTS__TARGETS: target 1 has no form"),
        ("a=json://localhost/x-y-z, a=json://localhost", "TANDEM_ALERTS__TARGETS: a stands twice"),
        ("desk=nonsense://x-y-z", "TANDEM_ALERTS__TARGETS: the address of desk is none that apprise knows"),
    ],
)
def test_addresses_that_cannot_be_used_are_one_line_without_them(alerts: Run, given: str, said: str) -> None:
    done = alerts("test", TANDEM_ALERTS__TARGETS=given)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tandem: {said}")
    assert "x-y-z" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_names_that_are_no_targets_are_refused_with_the_near_one(alerts: Run) -> None:
    assert "dsk is no target. Did you mean desk?" in alerts("test", TANDEM_ALERTS__ESCALATION="dsk").stderr
    assert "dsk is no target. Did you mean desk?" in alerts("test", TANDEM_ALERTS__SEVERITIES="dsk=info").stderr


def test_the_list_has_what_stands_newest_first_and_with_all_what_is_over(store: Store, alerts: Run) -> None:
    world = store.new_world(WorldKind.PAPER)
    facts, noon = store.facts(world), datetime(2023, 1, 25, 17, tzinfo=UTC)

    def keep(body: AlertRaised | AlertOver | AlertDelivered, hour: int, key: str) -> None:
        facts.append(Record(body, noon.date(), noon.replace(hour=hour), key))

    keep(AlertRaised("halt", "critical", "entries", "New entries are halted", "lost 2%"), 17, "one")
    keep(AlertRaised("drift", "warning", "A/B", "A/B has drifted", "No entries."), 18, "two")
    keep(AlertRaised("drift", "warning", "C/D", "C/D has drifted", "No entries."), 19, "three")
    keep(AlertOver("drift", "A/B", "the next session has begun"), 20, "over.two")
    keep(AlertDelivered("one", "desk", True), 17, "four")
    keep(AlertDelivered("one", "phone", False, "no route"), 17, "five")
    standing = json.loads(alerts("list", "--json").stdout)
    assert [row["subject"] for row in standing] == ["C/D", "entries"]
    assert (standing[1]["told"], standing[1]["not told"]) == ("desk", "phone: no route")
    every = json.loads(alerts("list", "--all", "--json").stdout)
    assert [row["subject"] for row in every] == ["C/D", "A/B", "entries"]
    assert every[1]["why"] == "the next session has begun"
    assert "New entries are halted" in alerts("list").stdout
    assert "no world is called paper-9" in alerts("list", "--world", "paper-9").stderr


def test_eighty_columns_cut_nothing_that_a_person_needs(store: Store, alerts: Run) -> None:
    world = store.new_world(WorldKind.PAPER)
    facts, noon = store.facts(world), datetime(2023, 1, 25, 17, tzinfo=UTC)
    pair = "A" * 40 + "/BRK.B"
    facts.append(
        Record(
            AlertRaised("halted_by_person", "critical", pair, f"{pair} is halted", "lost 2%"), noon.date(), noon, "1"
        ),
        Record(AlertOver("halted_by_person", pair, "armed again"), noon.date(), noon.replace(hour=18), "over.1"),
        Record(AlertRaised("process_restarts", "warning", "flows", "flows dies", "4 deaths"), noon.date(), noon, "2"),
        Record(AlertDelivered("2", "phone", False, "no route to any host that takes it"), noon.date(), noon, "3"),
    )
    lines = alerts("list", "--all", COLUMNS="80").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = "".join("".join(lines).split())
    for word in ("2023-01-25 12:00 critical halted_by_person", "2023-01-25 12:00 warning  process_restarts"):
        assert any(line.startswith(word) for line in lines)
    for word in (pair, "lost2%", "over2023-01-2513:00:armedagain", "nottold:phone:noroutetoanyhostthattakesit"):
        assert word in text
    assert "\u2026" not in text


def test_an_empty_list_says_where_to_look_and_a_list_that_nobody_watches(
    alerts: Run, environment: dict[str, str]
) -> None:
    nothing = "No alert stands. `tandem alerts rules` says what is looked for.\n"
    unwatched = "Nobody watches now: `tandem up`, or `tandem alerts watch`, does.\n"
    assert alerts("list").stdout == nothing + unwatched
    with (Path(environment["TANDEM_HOME"]) / "alerts.lock").open("ab") as watch:
        fcntl.flock(watch, fcntl.LOCK_EX)
        assert alerts("list").stdout == nothing
    assert json.loads(alerts("list", "--json").stdout) == []


def test_the_rules_are_listed_as_the_settings_have_them(alerts: Run) -> None:
    given = "{drawdown: {threshold: 0.03}, halt: {on: false}}"
    rows = {row["rule"]: row for row in json.loads(alerts("rules", "--json", TANDEM_ALERTS__RULES=given).stdout)}
    assert list(rows) == [rule.name for rule in RULES]
    assert rows["drawdown"]["threshold"] == "0.03 share of the best mark"
    assert rows["halt"]["severity"] == "off"


def test_market_time_of_a_recycler_is_its_own_and_else_that_of_the_newest_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    from tandem.cli import control
    from tandem.market import RecyclerError

    recycler, newest = Settings(), datetime(2023, 1, 25, 17, tzinfo=UTC)
    seven, eight = World(WorldKind.RECYCLER, 7), World(WorldKind.RECYCLER, 8)
    monkeypatch.setattr(control, "ask", lambda url, seconds: {"time": "2023-01-25T18:00:00Z", "world": "recycler-7"})
    assert market_time(recycler, seven, newest) == datetime(2023, 1, 25, 18, tzinfo=UTC)
    assert market_time(recycler, eight, newest) == newest

    def away(url: str, seconds: float) -> dict[str, Any]:
        raise RecyclerError("none answers")

    monkeypatch.setattr(control, "ask", away)
    assert market_time(recycler, seven, newest) == newest
    alpaca = Settings.model_validate({"websocket": {"mode": "alpaca"}})
    assert market_time(alpaca, seven, newest) > newest
