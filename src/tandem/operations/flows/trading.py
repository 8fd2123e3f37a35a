"""The flow of a trading session: it sees that a desk takes it up, and to its end. It does not trade."""

from collections.abc import Callable
from threading import Event
from typing import Final

from tandem.market import Stopwatch, TandemError
from tandem.operations.flows.work import Came, Work
from tandem.operations.unattended.held import SessionBegan, SessionEnded, has_begun, has_ended

LOOK_SECONDS: Final = 0.2
SECONDS_TO_BEGIN: Final = 1800.0


def trading(work: Work) -> Came:
    """Wait until a desk has taken up the session, then until it is over.

    Raises:
        TandemError: nobody takes it up.
    """
    facts, day = work.facts, work.session.day
    work.step("ensure the session", lambda: _ensure(work))
    work.step("observe the session", lambda: _until(lambda: has_ended(facts, day)))
    began, ended = facts.read(SessionBegan, session=day)[0].body, facts.read(SessionEnded, session=day)[0].body
    return Came(f"{ended.decisions} decisions; {began.why}")


def _ensure(work: Work) -> None:
    if not _until(lambda: has_begun(work.facts, work.session.day), SECONDS_TO_BEGIN):
        raise TandemError(f"nobody has taken up the session of {work.session.day}", "Run `tandem trade --unattended`")


def _until(true: Callable[[], bool], seconds: float = float("inf")) -> bool:
    watch = Stopwatch()
    while not true():
        if watch.seconds > seconds:
            return False
        Event().wait(LOOK_SECONDS)
    return True
