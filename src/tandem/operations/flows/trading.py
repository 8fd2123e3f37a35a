"""The flow of a trading session: it sees that a desk takes it up, and to its end. It does not trade."""

from threading import Event
from typing import Final

from tandem.market import TandemError
from tandem.operations.facts.session_held import SessionBegan, SessionEnded, has_begun, has_ended
from tandem.operations.flows.work import Came, Work

LOOK_SECONDS: Final = 0.2


def trading(work: Work) -> Came:
    """Wait until a desk has taken up the session, then until it is over.

    Raises:
        TandemError: nobody takes it up.
    """
    facts, day = work.facts, work.session.day
    work.step("ensure the session", lambda: _ensure(work))
    work.step("observe the session", lambda: _observe(work))
    began, ended = facts.read(SessionBegan, session=day)[0].body, facts.read(SessionEnded, session=day)[0].body
    return Came(f"{ended.decisions} decision times; {began.why}")


def _ensure(work: Work) -> None:
    if not work.waited_for(lambda: has_begun(work.facts, work.session.day)):
        raise TandemError(f"nobody has taken up the session of {work.session.day}", "Run `tandem trade --unattended`")


def _observe(work: Work) -> None:
    while not has_ended(work.facts, work.session.day):
        Event().wait(LOOK_SECONDS)
