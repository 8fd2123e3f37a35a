"""Which flows were due and are not done: those whose process was killed, and those of a machine that was off."""

from collections.abc import Iterator
from datetime import datetime, time
from typing import Final

from tandem.market import NEW_YORK, Calendar, Session
from tandem.operations.facts.flow_done import FlowName, done_of
from tandem.operations.facts.session_held import has_begun
from tandem.store import Facts

DUE: Final = {
    FlowName.IDENTIFICATION: time(6, 0),
    FlowName.TRAINING: time(6, 5),
    FlowName.SESSION: time(9, 15),
    FlowName.MONITORING: time(16, 10),
    FlowName.HOUSEKEEPING: time(20, 30),
}
"""New York times, on the exchange's days."""
BEFORE: Final = (FlowName.IDENTIFICATION, FlowName.TRAINING)
"""What is of no use to anybody once the session is over."""


def lacking(facts: Facts, now: datetime) -> Iterator[tuple[FlowName, Session]]:
    """Flows of today, and of the session before where a desk took it up, that were due and are not done, in order.

    Args:
        now: wall clock.
    """
    calendar, today = Calendar(), now.astimezone(NEW_YORK).date()
    before = calendar.before(today, 1)
    sessions = [session for session in before if has_begun(facts, session.day)]
    for session in [*sessions, *calendar.sessions(today, today)]:
        for name, due in DUE.items():
            is_due = datetime.combine(session.day, due, NEW_YORK) <= now
            if is_due and not _is_late(facts, name, session, now) and done_of(facts, session.day, name) is None:
                yield name, session


def _is_late(facts: Facts, name: FlowName, session: Session, now: datetime) -> bool:
    """Whether nobody needs it any more; nobody has to see a session to its end that no desk took up."""
    is_missed = name is FlowName.SESSION and not has_begun(facts, session.day)
    return now >= session.close and (name in BEFORE or is_missed)
