"""Alpaca's two JavaScript clients, unchanged but for their URLs; they come from the package index."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from tandem.recycler import Launched

CLIENTS = Path(__file__).parent / "clients"
SECONDS = 60
OPEN = "2023-01-04T14:30:00Z"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed on this machine"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    for file in CLIENTS.iterdir():
        shutil.copy(file, folder)
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        pytest.skip(f"the package index does not give the clients: {done.stderr.strip()[-200:]}")
    return folder


def control(recycler: Launched, verb: str, body: dict[str, Any], trusted: Path | None) -> None:
    answer = requests.post(
        f"{recycler.http}/control/{verb}", json=body, timeout=10, verify=str(trusted) if trusted else True
    )
    assert answer.ok, answer.text


def said(recycler: Launched, script: str, folder: Path, trusted: Path | None) -> Iterator[tuple[str, Any]]:
    """What a script says, line by line; the clock moves four minutes once it is ready."""
    trust = {"NODE_EXTRA_CA_CERTS": str(trusted)} if trusted else {}
    script_of = ["node", script, recycler.http, "AAPL", "3"]
    with subprocess.Popen(
        script_of, cwd=folder, stdout=subprocess.PIPE, text=True, env={**os.environ, **trust}
    ) as process:
        end = threading.Timer(SECONDS, process.kill)
        end.start()
        assert process.stdout
        for line in process.stdout:
            if line.startswith("{"):
                told = json.loads(line)
                if told["what"] == "ready":
                    control(recycler, "step", {"count": 4}, trusted)
                yield told["what"], told["value"]
        end.cancel()


def play(recycler: Launched, script: str, folder: Path, trusted: Path | None, bars: pd.DataFrame) -> None:
    control(recycler, "seek", {"to": OPEN}, trusted)
    told = list(said(recycler, script, folder, trusted))
    by_kind: dict[str, list[Any]] = {}
    for what, value in told:
        by_kind.setdefault(what, []).append(value)
    closes = bars[bars["symbol"] == "AAPL"]["close"].head(3).tolist()
    assert "error" not in by_kind, by_kind["error"]
    assert [bar[1] for bar in by_kind["bar"]] == closes
    assert [event for event, _ in by_kind["update"]] == ["new", "fill"]
    assert (by_kind["positions"], by_kind["history"]) == ([[["AAPL", "1"]]], [closes])
    assert by_kind["done"] == [True]


def test_the_javascript_client_4_needs_a_base_url_and_nothing_else(
    start: Callable[..., Launched], installed: Path, bars: pd.DataFrame
) -> None:
    play(start(), "node4.cjs", installed, None, bars)


def test_the_javascript_client_3_insists_on_tls_and_gets_it(
    start: Callable[..., Launched], installed: Path, bars: pd.DataFrame, tmp_path: Path
) -> None:
    recycler = start({"TANDEM_HOME": str(tmp_path)}, tls=True)
    play(recycler, "node3.cjs", installed, tmp_path / "tls" / "recycler.pem", bars)
