"""The flows of a recycled week: the recycler's clock stands while they work, and a day takes a minute."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Final

from tandem.execution import LockstepClock, RecyclerTime
from tandem.market import NEW_YORK, Calendar, DataError, Session, TandemError
from tandem.operations.facts.flow_done import FlowName, done_of
from tandem.operations.facts.session_held import has_begun
from tandem.operations.unattended.trading import passes
from tandem.store import Facts

LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 1.0
ATTEMPTS: Final = 5
CONDUCTOR: Final = "conductor"
MORNING: Final = (FlowName.IDENTIFICATION, FlowName.TRAINING)
EVENING: Final = (FlowName.MONITORING, FlowName.HOUSEKEEPING)

Run = Callable[[FlowName, Session], None]


class Conductor:
    """Runs each flow at its market time while a recycler plays.

    The clock stands at 6:00 while the morning's flows work, and at the open until a desk has taken up the session; then
    the desk holds the clock. After the close it stands again. Wherever this is cut off, it goes on from the facts.

    Args:
        facts: of the recycler's world.
        url, token: of the recycler.
        run: does a flow for a session; doing it again does nothing.
        said: told what happens, one line at a time.
    """

    def __init__(self, facts: Facts, url: str, token: str, run: Run, said: Callable[[str], None]) -> None:
        self._facts = facts
        self._url = url
        self._token = token
        self._run = run
        self._said = said
        self._time = RecyclerTime(url, token)

    def conduct(self) -> None:
        """Conduct every session that is left on the reel."""
        while True:
            try:
                for session in self._sessions():
                    self._day(session)
                return
            except DataError as error:
                self._said(f"the reel has ended: {error}")
                return
            except TandemError as error:
                if not passes(error):
                    raise
                self._said(f"waiting: {error}")
                Event().wait(PATIENCE_SECONDS)

    def _sessions(self) -> Iterator[Session]:
        day = self._time.now().astimezone(NEW_YORK).date()
        session = Calendar().session(day)
        while True:
            if session is not None:
                yield session
            session = Calendar().after(session.day if session else day)

    def _day(self, session: Session) -> None:
        if not has_begun(self._facts, session.day):
            self._begin(session)
        for name in (FlowName.SESSION, *EVENING):
            self._flow(name, session)

    def _begin(self, session: Session) -> None:
        clock = LockstepClock(self._url, CONDUCTOR, (), self._token)
        try:
            clock.wait_until(session.morning)
            for name in MORNING:
                self._flow(name, session)
            clock.wait_until(session.open)
            while not has_begun(self._facts, session.day):
                Event().wait(LOOK_SECONDS)
        finally:
            clock.close()

    def _flow(self, name: FlowName, session: Session) -> None:
        """A flow that fails is tried again; one that keeps failing is left, and the day goes on without."""
        for attempt in range(1, ATTEMPTS + 1):
            if done_of(self._facts, session.day, name):
                return
            try:
                self._run(name, session)
            except Exception as error:
                self._said(f"{session.day}: {name} failed, attempt {attempt}: {error}")
                Event().wait(PATIENCE_SECONDS * attempt)
