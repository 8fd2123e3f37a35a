"""The command as a person runs it: a process of its own, in a folder of its own, without anybody's settings."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
