"""A desk that hangs ends its process."""

import subprocess
import sys
from subprocess import CompletedProcess

import pytest

from tandem.operations.supervise.running import tells_of_a_hang

DESK = """
import sys, time
from contextlib import contextmanager, nullcontext
from tandem.desk import Desk
from tandem.operations import watched

class Slow:
    def now(self): ...
    def wait_until(self, moment): time.sleep(moment)

desk = Desk(None, None, None, Slow(), None, None, None, None, None)
@contextmanager
def slow(opening=0, closing=0):
    time.sleep(opening)
    yield desk
    time.sleep(closing)

with watched(OPENED, 0.5) as held:
    held.clock.wait_until(WAIT)
    print("waited", flush=True)
    time.sleep(WORK)
time.sleep(AFTER)
print("done", flush=True)
"""


def ran(wait: float, work: float, after: float = 0.0, opened: str = "nullcontext(desk)") -> CompletedProcess[str]:
    script = DESK.replace("WAIT", str(wait)).replace("WORK", str(work)).replace("AFTER", str(after))
    script = script.replace("OPENED", opened)
    return subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)


def test_a_desk_that_works_for_too_long_is_ended_and_its_log_says_where() -> None:
    hung = ran(0.0, 60.0)
    assert (hung.returncode, hung.stdout) == (1, "waited\n")
    assert tells_of_a_hang(hung.stderr.splitlines())
    assert 'File "<string>", line 21' in hung.stderr


@pytest.mark.parametrize("where", ["opening", "closing"])
def test_a_desk_that_hangs_while_it_opens_or_closes_is_ended_too(where: str) -> None:
    hung = ran(0.0, 0.0, opened=f"slow({where}=60)")
    assert hung.returncode == 1
    assert tells_of_a_hang(hung.stderr.splitlines())


def test_a_desk_may_wait_for_its_clock_as_long_as_it_likes_and_does_what_it_likes_once_it_is_over() -> None:
    fine = ran(1.0, 0.0, 1.0)
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, "waited\ndone\n", "")
