"""One trading date's work in a world, and doing a part of it once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Final

from tandem.book import Mark
from tandem.config import Settings
from tandem.market import DataError, FactConflict, Session, Step, Stopwatch, WallClock, WorldKind, at_once
from tandem.operations.facts.flow_done import FlowDone, FlowName, done_of
from tandem.operations.facts.session_held import has_begun, has_ended
from tandem.store import Facts, Record, Store, turn_if_free

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry

LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """What the flows of one trading date work on.

    Attributes:
        registry: MLflow; None tells it nothing.
        step: does each stage.
        run: Prefect's id of the run; empty without Prefect.
        patience: seconds that it waits for what comes before it: schedules do not wait for each other.
    """

    store: Store
    facts: Facts
    session: Session
    settings: Settings
    registry: "MlflowRegistry | None" = None
    step: Step = at_once
    run: str = ""
    patience: float = 0.0

    def waited_for(self, true: Callable[[], bool]) -> bool:
        """Whether something is true, or becomes so while there is patience."""
        watch = Stopwatch()
        while not (found := true()) and watch.seconds < self.patience:
            Event().wait(LOOK_SECONDS)
        return found


def check_over(work: Work) -> None:
    """See that a session is over: what follows from it is done once, and of the whole of it.

    A desk that trades by itself says when it has ended; another one has made its last decision, or, at the exchange,
    there is none and the time is over.

    Raises:
        DataError: it is still to come, or goes on.
    """
    facts, session = work.facts, work.session
    if not _is_over(facts, session):
        raise DataError(f"the session of {session.day} is not over in {facts.world}", "Wait for its end")


def _is_over(facts: Facts, session: Session) -> bool:
    if has_begun(facts, session.day):
        return has_ended(facts, session.day)
    marks = {record.at for record in facts.read(Mark, session=session.day)}
    if marks or facts.world.kind not in (WorldKind.PAPER, WorldKind.LIVE):
        return session.decisions[-1] in marks
    return WallClock().now() >= session.close


@dataclass(frozen=True, slots=True)
class Came:
    """What a flow came to.

    Attributes:
        why: in words.
        data_version: of the bars that it read; empty where it read none.
    """

    why: str
    data_version: str = ""


Body = Callable[[Work], Came]


def once(work: Work, flow: FlowName, body: Body) -> FlowDone:
    """Do a flow's work for its trading date, once: whoever comes second is given what the first came to.

    Of two that start at the same time the second waits for the first. One that was killed is begun again: a body does
    no harm when it is repeated.

    Raises:
        TandemError: the body failed; nothing says that it is done.
    """
    day, facts = work.session.day, work.facts
    while (known := done_of(facts, day, flow)) is None:
        with turn_if_free(work.store.url, f"{flow} of {facts.world} on {day}") as is_ours:
            if is_ours and done_of(facts, day, flow) is None:
                came = body(work)
                done = FlowDone(flow, came.why, came.data_version, work.run)
                _record(work, flow, done)
        Event().wait(0 if is_ours else LOOK_SECONDS)
    return known


def _record(work: Work, flow: FlowName, done: FlowDone) -> None:
    """A turn can be lost in the middle, with the database; whoever was quicker counts."""
    day = work.session.day
    with suppress(FactConflict):
        work.facts.append(Record(done, day, moment_of(work.session, flow), f"flow.{flow}.{day}"))


def moment_of(session: Session, flow: FlowName) -> datetime:
    """When a flow is due, in market time."""
    return session.morning if flow in (FlowName.IDENTIFICATION, FlowName.TRAINING) else session.close
