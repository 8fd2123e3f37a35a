"""Workers that end with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tandem.market import follow_parent

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ProcessPoolExecutor(1, get_context("spawn"), follow_parent) as aside:
            aside.submit(len, "").result()
            print("ready", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        print("stopped")
"""


def test_a_worker_says_nothing_at_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        os.killpg(parent.pid, signal.SIGINT)
        out, said = parent.communicate(timeout=30)
    assert (out, said) == ("stopped\n", "")
