"""How long a week of the unattended desk takes, and how soon what dies is noticed and back.

    python benchmarks/unattended.py [--full] [--json]

`tandem up --recycled --speed max` plays five trading days that ship with Tandem, with every process that a desk has,
in a home and on ports of its own; while it plays, each process is killed once with -9. `--full` plays ten days. With
`--json` each line is a row of {name, value, unit, goal, met}.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from figures import Figure, at_least, at_most, line, row
from tandem.market import Stopwatch
from tandem.operations import FlowDone, FlowName, ProcessChanged
from tandem.store import Store

VICTIMS = ("dashboard", "alerts", "mlflow", "session", "flows", "prefect", "recycler", "postgresql")
NOTICED_SECONDS, WEEK_SECONDS, PATIENCE_SECONDS = 10.0, 900.0, 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        for figure in measure(Path(home), 10 if asked.full else 5):
            print(row(figure) if asked.json else line(figure), flush=True)


def measure(home: Path, days: int) -> Iterator[Figure]:
    watch, command = Stopwatch(), [sys.executable, "-m", "tandem", "up", "--recycled", "--speed", "max", "--until-end"]
    with (home / "up.txt").open("w") as words:
        desk = subprocess.Popen([*command, "--days", str(days)], env=environment(home), stdout=words, stderr=words)
    roster = until(lambda: all_well(home), "the desk is up")
    yield Figure("from `tandem up` to every process well", watch.seconds, "s")
    for name in VICTIMS:
        noticed, back = killed(home, name)
        yield at_most(f"kill -9 of {name}: until it is noticed", noticed, "s", NOTICED_SECONDS)
        yield Figure(f"kill -9 of {name}: until it is well again", back, "s")
    status = desk.wait(WEEK_SECONDS * days / 5)
    yield at_most(
        f"{days} trading days unattended, every process killed once", watch.seconds, "s", WEEK_SECONDS * days / 5
    )
    yield at_least("exit status 0", float(status == 0), "", 1.0)
    with Store.open(home) as store:
        facts = store.facts(next(world for world in store.worlds() if str(world) == roster["world"]))
        done = [(record.session, record.body.flow) for record in facts.read(FlowDone)]
        died = {record.body.name for record in facts.read(ProcessChanged) if record.body.event == "died"}
    yield at_least("flows done, of each once a trading date", float(len(set(done)) == len(done)), "", 1.0)
    yield at_least("trading dates with all their flows", len(done) / len(FlowName), "days", float(days))
    yield at_least(
        "deaths on record, of those that were killed", float(len(died & set(VICTIMS))), "", float(len(VICTIMS))
    )


def killed(home: Path, name: str) -> tuple[float, float]:
    """Seconds until the roster says that a process is gone, and until it is well again."""
    before = until(lambda: all_well(home), f"{name} is well")
    pid = entry(before, name)["pid"]
    os.kill(pid, signal.SIGKILL)
    watch = Stopwatch()
    until(lambda: entry(read(home), name)["pid"] != pid, f"{name} is noticed")
    noticed = watch.seconds
    until(lambda: all_well(home), f"{name} is back")
    return noticed, watch.seconds


def all_well(home: Path) -> dict[str, Any] | None:
    """The roster where every process is well."""
    roster = read(home)
    names = {each["name"] for each in roster["entries"] if each["state"] == "well"}
    return roster if set(VICTIMS) <= names else None


def read(home: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((home / "up" / "roster.json").read_bytes())
    except FileNotFoundError:
        return {"entries": []}
    return found


def entry(roster: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(each for each in roster["entries"] if each["name"] == name)
    return found


def until(true: Any, what: str) -> Any:
    watch = Stopwatch()
    while not (found := true()):
        if watch.seconds > PATIENCE_SECONDS:
            raise SystemExit(f"waited in vain: {what}")
        time.sleep(0.05)
    return found


def environment(home: Path) -> dict[str, str]:
    ports = free_ports(4)
    return {
        **os.environ,
        "TANDEM_HOME": str(home),
        "TANDEM_OPERATIONS__PREFECT_PORT": str(ports[0]),
        "TANDEM_OPERATIONS__MLFLOW_PORT": str(ports[1]),
        "TANDEM_DASHBOARD__PORT": str(ports[2]),
        "TANDEM_WEBSOCKET__RECYCLER__SERVER_URL": f"ws://localhost:{ports[3]}",
    }


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


if __name__ == "__main__":
    main()
