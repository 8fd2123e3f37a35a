"""`tandem monitor`: what follows from a session that is over."""

from datetime import date
from typing import TYPE_CHECKING

from tandem.cli.opening import open_store, world_of

if TYPE_CHECKING:
    from tandem.market import Session
    from tandem.store import Facts


def monitor(*, day: date | None = None, world: str = "") -> None:
    """Grade a session's forecasts, keep the shadow books, watch the champions, try the challengers, write the report.

    What was done before is not done again.

    Parameters
    ----------
    day
        The trading date; without it the newest that was traded.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    """
    from tandem.config import load
    from tandem.desk import registry_of
    from tandem.operations import FlowName, Work, do_flow

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        session = _session(facts, day)
        work = Work(store, facts, session, settings, registry_of(store, settings))
        print(f"{facts.world}, {session.day}: {do_flow(work, FlowName.MONITORING).why}")


def _session(facts: "Facts", day: date | None) -> "Session":
    from tandem.book import Mark
    from tandem.market import Calendar, DataError

    traded = sorted({record.session for record in facts.read(Mark)})
    if not traded or (day is not None and day not in traded):
        newest = f"The newest it has is {traded[-1]}" if traded else "`tandem trade` trades one"
        raise DataError(f"{facts.world} has not traded{f' on {day}' if day else ''}", newest)
    session = Calendar().session(day or traded[-1])
    assert session is not None
    return session
