"""`tandem mlflow ui`: its server ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVER = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(inner.pid, flush=True)
time.sleep(60)
"""
SERVES = "import os, sys; from tandem.cli.mlflow import _serve; sys.exit(_serve(sys.argv[1:], dict(os.environ)))"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_of_the_server_is_left_when_it_is_told_to_end(number):
    command = [sys.executable, "-c", SERVES, sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        inner = int(serving.stdout.readline())
        os.kill(serving.pid, number)
        assert serving.wait(20) != 0
    ended_by = time.monotonic() + 10
    while is_alive(inner) and time.monotonic() < ended_by:
        time.sleep(0.02)
    assert not is_alive(inner)
