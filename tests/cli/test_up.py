"""`tandem up`, `status` and `down`: what they say before anything is started."""

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import pytest

from tandem.cli import app as command
from tandem.cli.up import where_to_look, which_world
from tandem.config import Settings
from tandem.market import ConfigError, WorldKind
from tandem.operations import Roster
from tandem.operations.supervise.ports import check_ports, ports_of
from tandem.operations.supervise.roster import Entry, alone, itself, write
from tandem.risk import Standing, Switch
from tandem.store import Record, Store

Said = tuple[int, str]

SETTINGS = {
    "prefect": ("TANDEM_OPERATIONS__PREFECT_PORT", "operations.prefect_port"),
    "mlflow": ("TANDEM_OPERATIONS__MLFLOW_PORT", "operations.mlflow_port"),
    "dashboard": ("TANDEM_DASHBOARD__PORT", "dashboard.port"),
    "recycler": ("TANDEM_WEBSOCKET__RECYCLER__SERVER_URL", "websocket.recycler.server_url"),
}


@pytest.fixture
def free() -> dict[str, int]:
    """A free port for each process."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in SETTINGS]
    ports = dict(zip(SETTINGS, (probe.getsockname()[1] for probe in probes), strict=True))
    for probe in probes:
        probe.close()
    return ports


def variables(ports: dict[str, int]) -> dict[str, str]:
    return {
        SETTINGS[name][0]: f"ws://127.0.0.1:{port}" if name == "recycler" else str(port) for name, port in ports.items()
    }


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield stranger.getsockname()[1]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Exit status and words of a command that runs in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str) -> Said:
        status = command.run(arguments)
        return status, capsys.readouterr().out

    return run


def test_without_a_desk_status_says_how_to_start_one_and_fails(said: Callable[..., Said]) -> None:
    assert said("status") == (1, "The desk is not up; `tandem up` starts it.\n")
    status, words = said("status", "--json")
    assert (status, json.loads(words)) == (1, None)


def test_without_a_desk_down_has_nothing_to_do(said: Callable[..., Said]) -> None:
    assert said("down") == (0, "The desk is not up.\n")


@pytest.mark.parametrize(("state", "status"), [("well", 0), ("over", 0), ("unwell", 1), ("waiting", 1)])
def test_status_shows_each_process_and_fails_where_one_is_not_well(
    said: Callable[..., Said], tmp_path: Path, state: str, status: int
) -> None:
    entry = Entry("session", state, 7, datetime(2026, 11, 27, 15, tzinfo=UTC), 3, "")
    write(tmp_path / "home", Roster(itself(), "paper-1", (entry,)))
    came, words = said("status")
    assert came == status
    assert "The desk of paper-1" in words
    assert [word for word in words.splitlines()[-2].split() if word != "│"] == ["session", state, "10:00:00", "3"]
    came, words = said("status", "--json")
    assert (came, json.loads(words)["entries"][0]["state"]) == (status, state)


def test_down_forgets_a_desk_that_was_killed(said: Callable[..., Said], tmp_path: Path) -> None:
    write(tmp_path / "home", Roster((os.getpid(), 1.0), "paper-1", ()))
    assert said("down") == (0, "The desk is down.\n")
    assert said("down") == (0, "The desk is not up.\n")


def test_down_ends_what_a_killed_desk_has_left(said: Callable[..., Said], tmp_path: Path) -> None:
    with psutil.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as left:
        family = ((left.pid, left.create_time()),)
        entry = Entry("session", "well", left.pid, datetime(2026, 11, 27, 15, tzinfo=UTC), 0, "", family)
        write(tmp_path / "home", Roster((os.getpid(), 1.0), "paper-1", (entry,)))
        assert said("down") == (0, "The desk is down. What was left of it has ended: session.\n")
        assert left.wait(10) == -signal.SIGKILL


def test_a_recyclers_days_are_not_traded_without_saying_so(tandem: Callable, tmp_path) -> None:
    said = tandem("up", TANDEM_WEBSOCKET__MODE="recycler")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert "Run `tandem up --recycled`" in said.stderr
    assert not (tmp_path / "home").exists()


def test_real_money_is_not_traded_unattended(tandem: Callable, tmp_path) -> None:
    said = tandem("up", TANDEM_WEBSOCKET__MODE="alpaca", TANDEM_ALPACA__PAPER="false")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "tandem: real money is not traded unattended. Set alpaca.paper to true\n"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("up",), ("trade",), ("trade", "--dry-run"), ("positions",), ("stream",),
        ("data", "load", "alpaca", "--symbols", "AAPL", "--days", "5"),
    ],
)  # fmt: skip
def test_without_keys_each_command_says_what_to_set_where_they_are_and_what_needs_none(
    tandem: Callable, words: tuple[str, ...]
) -> None:
    said = tandem(*words, TANDEM_WEBSOCKET__MODE="alpaca")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert said.stderr.startswith("tandem: no keys for Alpaca. ")
    for part in ("`tandem init`", "TANDEM_ALPACA__SECRET_KEY", "https://app.alpaca.markets", "`tandem up --recycled`"):
        assert part in said.stderr
    assert "TANDEM_WEBSOCKET__MODE" not in said.stderr


@pytest.mark.parametrize("name", SETTINGS)
def test_a_port_that_is_taken_is_refused_with_its_setting(name: str, free: dict[str, int], taken: int) -> None:
    ports = {SETTINGS[each][1]: port for each, port in free.items()} | {SETTINGS[name][1]: taken}
    with pytest.raises(ConfigError) as error:
        check_ports(ports)
    assert str(error.value) == f"port {taken} is taken. End what listens there, or set {SETTINGS[name][1]} to another"


def test_two_processes_cannot_share_a_port_and_0_is_any(free: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"operations.prefect_port and dashboard.port are both port"):
        check_ports({"operations.prefect_port": free["prefect"], "dashboard.port": free["prefect"]})
    check_ports({"dashboard.port": 0, "websocket.recycler.server_url": 0})


def test_the_recyclers_port_is_looked_at_where_there_is_a_recycler() -> None:
    usual = Settings()
    recycled = usual.model_copy(update={"websocket": usual.websocket.model_copy(update={"mode": "recycler"})})
    alpaca = usual.model_copy(update={"websocket": usual.websocket.model_copy(update={"mode": "alpaca"})})
    assert ports_of(recycled) == {
        "operations.prefect_port": 4200, "operations.mlflow_port": 5000, "dashboard.port": 8080,
        "websocket.recycler.server_url": 8765,
    }  # fmt: skip
    assert "websocket.recycler.server_url" not in ports_of(alpaca)


def test_a_second_desk_is_refused_before_anything_is_said_or_made(said: Callable[..., Said], tmp_path: Path) -> None:
    with alone(tmp_path / "home"):
        assert said("up", "--recycled") == (2, "")
    assert list((tmp_path / "home").iterdir()) == [tmp_path / "home" / "up"]


@pytest.mark.parametrize(
    ("kind", "standing", "words"),
    [
        (WorldKind.PAPER, None, "a new account, the first of its kind"),
        (WorldKind.RECYCLER, None, "a new account, after {before}"),
        (WorldKind.RECYCLER, Standing.ARMED, "a new account, after {before}"),
        (WorldKind.RECYCLER, Standing.HALTED, "a new account; {before} stands halted (odd), which does not count here"),
    ],
)
def test_up_says_which_world_it_opened_and_whose_halt_does_not_count_there(
    store: Store, kind: WorldKind, standing: Standing | None, words: str
) -> None:
    before = store.new_world(kind)
    if standing:
        now = datetime(2023, 1, 25, 15, tzinfo=UTC)
        store.facts(before).append(Record(Switch(standing, "odd", "ann"), now.date(), now, "switch"))
    known = store.worlds()
    opened = store.new_world(WorldKind.RECYCLER)
    assert which_world(store, str(opened), known) == f"{opened}: {words.format(before=before)}"
    assert which_world(store, str(before), known) == f"{before}: this account goes on"


def test_after_a_week_each_command_that_is_named_is_one(tandem: Callable) -> None:
    lines = where_to_look("recycler-1", date(2023, 1, 24), 8080).splitlines()
    assert len(lines) == 3
    for words in re.findall(r"tandem (\w+(?: \w+)?)", "\n".join(lines)):
        assert tandem(*words.split()[: 2 if words.startswith("history") else 1], "--help").returncode == 0
    assert "--week 2023-01-24" in lines[0]
    assert "http://127.0.0.1:8080" in lines[2]


@pytest.mark.slow
def test_nothing_starts_where_a_port_is_taken_or_days_are_missing(
    tandem: Callable, tmp_path, free: dict[str, int], taken: int
) -> None:
    said = tandem("up", "--recycled", **variables(free | {"mlflow": taken}))
    assert said.returncode == 2
    assert said.stderr.startswith(f"tandem: port {taken} is taken. End what listens there, or set operations.mlflow")
    assert said.stderr.count("\n") == 1
    assert not list((tmp_path / "home" / "up").glob("*.log"))
    said = tandem("up", "--recycled", "--days", "400", **variables(free))
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("tandem: 1-minute bars of 19 sessions are stored. Give fewer --days")
    assert said.stderr.count("\n") == 1
