"""The command as a person runs it, in a process of its own and in this one: a folder of its own, nobody's settings."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tandem.cli import opening
from tandem.market import Timeframe, resample
from tandem.store import Store

Tandem = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tandem(tmp_path: Path) -> Tandem:
    """Runs `tandem ARGUMENTS` in an empty folder; nothing of the machine's own settings leaks in."""

    def run(*arguments: str, answers: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
        return subprocess.run(
            [sys.executable, "-m", "tandem", *arguments],
            check=False,
            cwd=tmp_path,
            env={**clean, "TANDEM_HOME": str(tmp_path / "home"), "COLUMNS": "160", **environment},
            input=answers,
            stdin=subprocess.DEVNULL if answers is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="module")
def january(module_store: Store) -> Store:
    """A store with the shipped month as five-minute bars, and nothing else."""
    from tandem.sources import samples

    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    module_store.bars.load(bars, timeframe=Timeframe.MIN_5, source="sample")
    names = sorted(bars["symbol"].unique())
    module_store.sectors.load(pd.DataFrame({"symbol": names, "sector": "technology"}))
    return module_store


class Borrowed:
    """A store that somebody else closes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Store:
        return self.store

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def desk_in_january(january: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sits a person down in an empty folder, with an Alpaca paper account, five-minute bars of January and settings."""

    def sit_down(**settings: str) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(opening, "open_store", lambda: Borrowed(january))
        usual = {"HOME": str(tmp_path / "home"), "WEBSOCKET__MODE": "alpaca", "MODEL__TIMEFRAME": "5Min"}
        for name, value in (usual | settings).items():
            monkeypatch.setenv(f"TANDEM_{name}", value)
        monkeypatch.setenv("COLUMNS", "100")

    return sit_down
