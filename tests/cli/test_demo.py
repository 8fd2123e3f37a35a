"""`tandem demo` as a person runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

KEYS = {
    "bars_replayed", "decisions", "pairs_tested", "pairs_selected", "signals", "refusals", "orders", "fills",
    "gross_pnl", "net_pnl", "costs", "max_drawdown", "models_registered", "seconds", "parity",
}  # fmt: skip


def started(out: Path, mark: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tandem", "demo", "--out", str(out)],
        env={**os.environ, "MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def marked(mark: str) -> list[str]:
    """Command lines of the processes that descend from a demo."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def gone(mark: str, seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def whole(out: Path) -> dict[str, float]:
    demo = started(out, mark := uuid.uuid4().hex)
    said, _ = demo.communicate(timeout=600)
    assert demo.returncode == 0, said.decode()
    assert gone(mark, 10) == []
    return json.loads((out / "summary.json").read_text())


@pytest.mark.slow
def test_a_demo_trades_proves_parity_and_can_be_run_again(tmp_path):
    first = whole(tmp_path / "demo")
    assert first.keys() >= KEYS
    assert not [key for key in KEYS - {"parity"} if isinstance(first[key], str | bool)]
    assert first["parity"] is True
    assert first["fills"] > 0
    assert first["models_registered"] > 0
    assert first["bars_replayed"] == 6 * 390 * 4
    assert (
        "<svg" in (tmp_path / "demo" / "report.html").read_text()
        or "data:image" in (tmp_path / "demo" / "report.html").read_text()
    )
    again = whole(tmp_path / "demo")
    assert {key: again[key] for key in KEYS - {"seconds"}} == {key: first[key] for key in KEYS - {"seconds"}}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_demo_killed_at_any_moment_leaves_no_process_behind_and_the_next_one_works(tmp_path, how):
    out = tmp_path / "demo"
    for seconds in (0.5, 1.5, 3.0, 5.0, 8.0, 13.0, 21.0):
        demo = started(out, mark := uuid.uuid4().hex)
        time.sleep(seconds)
        demo.send_signal(how)
        demo.communicate(timeout=30)
        assert gone(mark, 15) == [], f"after {seconds} seconds"
    assert whole(out)["parity"] is True
