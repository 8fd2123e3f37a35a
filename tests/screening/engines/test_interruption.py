"""Ctrl-C ends a cluster of one's own with nothing to read and nobody left, whatever it was doing."""

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from threading import Thread

import psutil
import pytest

from tandem.screening.engines.interruption import deaf, held

PROGRAM = """
import sys, time
from pathlib import Path
from tandem.screening.engines.dask import own_cluster

def work(_, block):
    time.sleep(0.05)
    return block

if __name__ == "__main__":
    try:
        print("begins", flush=True)
        with own_cluster(2, Path(sys.argv[1])) as engine:
            print("works", flush=True)
            list(engine.map(work, None, list(range(100_000))))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def alive(group):
    """Processes of a group that have not ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("begins", 1.5), ("begins", 2.5), ("works", 0.0), ("works", 0.5)],
    ids=["workers start", "workers load", "the first task", "many tasks"],
)
def test_ctrl_c_ends_a_cluster_without_a_word_and_with_all_its_workers(tmp_path, moment, seconds):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    running = subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "panels")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert running.stdout is not None
    while running.stdout.readline().strip() != moment:
        assert running.poll() is None
    time.sleep(seconds)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "")
    until = time.monotonic() + 5
    while alive(running.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive(running.pid) == []


@pytest.mark.parametrize(("times", "done"), [(0, True), (1, True), (2, False)])
def test_the_first_ctrl_c_waits_for_the_end_of_the_block_and_the_second_does_not(times, done):
    ended = []

    def work():
        with held():
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
            ended.append(True)

    with pytest.raises(KeyboardInterrupt) if times else nullcontext():
        work()
    assert bool(ended) is done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_listened_before_is_told():
    heard = []
    usual = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with held():
            signal.raise_signal(signal.SIGINT)
            assert not heard
        assert heard
    finally:
        signal.signal(signal.SIGINT, usual)


def test_only_the_thread_that_hears_it_holds_it():
    found = []

    def aside():
        with held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=aside)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_what_is_started_deaf_stays_so():
    found = []
    with deaf():
        thread = Thread(target=lambda: found.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        thread.start()
        thread.join()
    assert signal.SIGINT in found[0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
