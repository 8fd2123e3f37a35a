"""The process that trades: every session, from what its morning left, through every trouble that passes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Final

from tandem.book import Book, Mark
from tandem.config import Settings
from tandem.desk import Desk, plan_of, prepare, run_session
from tandem.market import (
    NEW_YORK,
    BrokerError,
    Calendar,
    Clock,
    DataError,
    Pair,
    RecyclerError,
    Session,
    StoreError,
    TandemError,
)
from tandem.operations.facts.session_held import SessionBegan, SessionEnded, has_begun
from tandem.operations.run.wording import counted
from tandem.store import Facts, Record, Store

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry

EARLY: Final = timedelta(minutes=15)
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Venue:
    """Where sessions are traded: at Alpaca, or at a recycler.

    Attributes:
        clock: market time for whoever waits for a session.
        desk: a desk for the symbols of a session, for the length of a block.
        is_over: whether no session comes any more: the end of a reel.
        leave: called where no session is under way: a clock that waits for this desk shall go on.
    """

    clock: Clock
    desk: Callable[[Sequence[str], Facts], AbstractContextManager[Desk]]
    is_over: Callable[[], bool] = lambda: False
    leave: Callable[[], None] = lambda: None


def trade_days(
    store: Store,
    facts: Facts,
    settings: Settings,
    venue: Venue,
    registry: "MlflowRegistry | None",
    said: Callable[[str], None],
) -> None:
    """Trade one session after another, until no more come.

    Whatever passes - a recycler that starts again, a database that is away - is waited for, and the session is taken
    up again from its facts.

    Args:
        facts: of the world; a sink that also tells is one.
        said: told what happens, one line at a time.

    Raises:
        TandemError: trading cannot go on before somebody mends something.
    """
    troubles = 0
    while True:
        try:
            session = session_to_trade(facts, venue.clock.now())
            if not has_begun(facts, session.day):
                venue.leave()
                if venue.is_over():
                    return
            trade_session(store, facts, session, settings, venue, registry, said)
            troubles = 0
        except TandemError as error:
            if isinstance(error, DataError) and venue.is_over():
                return
            if not passes(error):
                raise
            said(f"waiting: {error}")
            Event().wait(PATIENCE_SECONDS[min(troubles, len(PATIENCE_SECONDS) - 1)])
            troubles += 1


def passes(error: TandemError) -> bool:
    """Whether a trouble may pass without anybody's doing: the outside world was away."""
    return isinstance(error, BrokerError | RecyclerError) or (isinstance(error, StoreError) and error.after == "retry")


def trade_session(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    venue: Venue,
    registry: "MlflowRegistry | None",
    said: Callable[[str], None],
) -> None:
    """Wait for a session, or take it up where it was left, and trade it to its end.

    A plan that comes only after the open is traded from then on: the session is taken up again, with its symbols.
    """
    venue.clock.wait_until(session.open - EARLY)
    _wait_for_plan(facts, session, venue.clock)
    if plan_of(facts, session.day) is None and settings.operations.missed_morning == "identify":
        said(f"{session.day}: the morning has left no plan, so the session makes it")
        prepare(store, facts, session, settings, registry)
    while not _traded_to_its_end(facts, session, settings, venue):
        said(f"{session.day}: the plan has come, the session goes on with it")
    decisions = len({mark.at for mark in facts.read(Mark, session=session.day)})
    facts.append(Record(SessionEnded(decisions), session.day, session.close, f"session.ended.{session.day}"))
    said(f"{session.day} is over: {decisions} decision times")


def session_to_trade(facts: Facts, now: datetime) -> Session:
    """The session that was begun and not ended; else the one that goes on or comes next."""
    ended = {record.session for record in facts.read(SessionEnded)}
    left = sorted({record.session for record in facts.read(SessionBegan)} - ended)
    calendar, today = Calendar(), now.astimezone(NEW_YORK).date()
    session = calendar.session(left[0] if left else today)
    if session is not None and (left or (now < session.close and session.day not in ended)):
        return session
    return calendar.after(today)


def symbols_of_session(facts: Facts, session: Session, settings: Settings) -> list[str]:
    """What a desk listens to: legs of the day's pairs and of open trades, else the settings' symbols."""
    plan = plan_of(facts, session.day)
    pairs = {*(Pair.parse(pair) for pair in (plan.models if plan else {})), *Book.from_facts(facts).open}
    return sorted({symbol for pair in pairs for symbol in pair.symbols}) or settings.websocket.symbols


def _wait_for_plan(facts: Facts, session: Session, clock: Clock) -> None:
    while plan_of(facts, session.day) is None and clock.now() < session.open:
        Event().wait(LOOK_SECONDS)


def _traded_to_its_end(facts: Facts, session: Session, settings: Settings, venue: Venue) -> bool:
    """Whether it was traded to the close; not where a desk without a plan has left it because there is one by now."""
    with venue.desk(symbols_of_session(facts, session, settings), facts) as desk:
        if not has_begun(facts, session.day):
            facts.append(_began(facts, session))
        is_planned = plan_of(facts, session.day) is not None
        clock = desk.clock if is_planned else _UntilPlanned(desk.clock, facts, session)
        try:
            run_session(replace(desk, clock=clock), session)
        except _PlanCame:
            return False
    return True


class _PlanCame(Exception):
    """A desk that began without a plan is to begin again."""


@dataclass(frozen=True, slots=True)
class _UntilPlanned:
    """A clock that goes on only while there is no plan."""

    clock: Clock
    facts: Facts
    session: Session

    def now(self) -> datetime:
        return self.clock.now()

    def wait_until(self, moment: datetime) -> None:
        if plan_of(self.facts, self.session.day) is not None:
            raise _PlanCame
        self.clock.wait_until(moment)


def _began(facts: Facts, session: Session) -> Record[SessionBegan]:
    plan = plan_of(facts, session.day)
    pairs = len(plan.models) if plan else 0
    why = f"{counted(pairs, 'pair')} may be entered" if plan else "exits only: the morning has left no plan"
    return Record(SessionBegan(pairs, why), session.day, session.open, f"session.began.{session.day}")
