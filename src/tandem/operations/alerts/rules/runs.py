"""Work that should have been done by now: decisions, flows, processes."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Final

from tandem.market import NEW_YORK, Calendar, Session, WorldKind
from tandem.operations.alerts.known import Happened, Known
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.run.wording import clock_time, counted, weekday
from tandem.store import Record

AN_HOUR: Final = timedelta(hours=1)
A_WEEK: Final = timedelta(days=7)
TRAINED: Final = time(9, 15)
EVENING: Final = time(16, 10)
EVENING_TAKES: Final = 3


def stale_feed(known: Known, moment: datetime, minutes: float) -> Iterator[Finding]:
    """A session is open and has made no decision for so long, or a pair was refused as long for stale bars."""
    session, mark, wait = _session(moment), known.mark, timedelta(minutes=minutes)
    if session is None or not session.contains(moment) or mark is None or mark.session != session.day:
        return
    if moment - mark.at > wait:
        text = f"The session is open and made its last decision at {clock_time(mark.at)}."
        yield Finding("decisions", f"No decision since {clock_time(mark.at)}", text)
    for pair, (since, record) in sorted(known.stale.items()):
        if record.at == mark.at and record.at - since >= wait:
            text = f"{record.body.why}, at every decision since {clock_time(since)}."
            yield Finding(pair, f"{pair} has a leg without fresh bars", text, pair)


def missed_run(known: Known, moment: datetime, minutes: float) -> Iterator[Finding]:
    """A flow or a session was not done by the time that it should have been; `minutes` is how long it may be late."""
    wait = timedelta(minutes=minutes)
    if (session := _session(moment)) is not None:
        yield from _missed_today(known, session, moment, wait)
    ended = _last(known, moment, lambda each: _monitored_by(known, each, wait))
    if ended and not known.has_done(ended.day, FlowName.MONITORING):
        text = f"The session of {weekday(ended.day)} closed at {clock_time(ended.close)} and was not looked at since."
        yield Finding(f"monitoring {ended.day}", "The session was not monitored", text)
    night = _last(known, moment, lambda each: _tidied_by(known, each, wait)) if known.done else None
    if night and not known.has_done(night.day, FlowName.HOUSEKEEPING):
        text = f"The night after {weekday(night.day)} left no housekeeping: gaps may be open, and no backup made."
        yield Finding(f"housekeeping {night.day}", "The night's housekeeping was not done", text)


def process_died(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A process died, or does not answer; told even where it runs again by now."""
    for each in known.happened:
        record: Record = each.record
        if not isinstance(record.body, ProcessChanged):
            continue
        name, at = record.body.name, record.at.astimezone(NEW_YORK)
        subject = f"{name} {at:%Y-%m-%d %H:%M:%S} (start {record.body.attempt + 1})"
        if known.down.get(name) is record or _untold(known, each, "process_died", subject):
            what = "died" if record.body.event == "died" else "does not answer"
            yield Finding(subject, f"{name} {what}", f"At {at:%H:%M:%S}: {record.body.why or 'nobody knows why'}.")


def process_restarts(known: Known, moment: datetime, often: float) -> Iterator[Finding]:
    """A process died more than so often within an hour."""
    deaths: dict[str, list[datetime]] = {}
    for record in (each.record for each in known.happened):
        if isinstance(record.body, ProcessChanged) and record.body.event == "died" and moment - record.at < AN_HOUR:
            deaths.setdefault(record.body.name, []).append(record.at)
    for name, times in deaths.items():
        if len(times) > often:
            text = f"{name} died {counted(len(times), 'time')} since {clock_time(times[0])}: see its log."
            yield Finding(name, f"{name} keeps dying", text)


def store_away(known: Known, moment: datetime, looks: float) -> Iterator[Finding]:
    """The store did not answer at so many looks in a row."""
    missed, said = known.store_away
    if missed >= max(looks, 1):
        yield Finding("store", "The store is away", f"{said}. Nothing can be put on record, so no entries are made.")


def unsupervised(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """`tandem up` was killed: what it started runs on by itself."""
    if known.unsupervised:
        text = "What it started runs on, but what dies now is not started again. `tandem up` starts the desk anew."
        yield Finding("tandem up", "`tandem up` was killed", text)


def _session(moment: datetime) -> Session | None:
    return Calendar().session(moment.astimezone(NEW_YORK).date())


def _missed_today(known: Known, session: Session, moment: datetime, wait: timedelta) -> Iterator[Finding]:
    day, mode = session.day, known.settings.operations.missed_morning
    then = "the session does it itself" if mode == "identify" else "the session is exits-only"
    deadline = _deadline(known, session, _at(session, known.settings.operations.deadline), wait)
    if moment >= deadline and not known.has_done(day, FlowName.IDENTIFICATION):
        text = f"The identification of {weekday(day)} was due by {clock_time(deadline)}; {then}."
        yield Finding(f"identification {day}", "No pairs were identified this morning", text)
    deadline = _deadline(known, session, _at(session, TRAINED), wait)
    if moment >= deadline and known.done and (known.plan is None or known.plan.session < day):
        text = f"The training of {weekday(day)} has left no plan by {clock_time(deadline)}; {then}."
        yield Finding(f"training {day}", "No models were trained this morning", text)
    begun = known.mark is not None and known.mark.session >= day
    if session.contains(moment) and moment >= session.open + wait and not begun:
        text = f"It opened at {clock_time(session.open)} and has made no decision."
        yield Finding(f"session {day}", "The session has not begun", text)


def _at(session: Session, clock: time) -> datetime:
    return datetime.combine(session.day, clock, NEW_YORK)


def _deadline(known: Known, session: Session, due: datetime, wait: timedelta) -> datetime:
    """A replay has no mornings: its clock jumps from a close to the next open, and goes on when the pairs are there."""
    return session.open + wait if known.world.kind is WorldKind.RECYCLER else due


def _monitored_by(known: Known, session: Session, wait: timedelta) -> datetime:
    """At the exchange a half day is monitored when every day is, and an evening takes longer than a start."""
    if known.world.kind is WorldKind.RECYCLER:
        return session.close + wait
    return max(session.close, _at(session, EVENING)) + EVENING_TAKES * wait


def _tidied_by(known: Known, session: Session, wait: timedelta) -> datetime:
    following = Calendar().after(session.day)
    return _deadline(known, following, following.morning, wait)


def _last(known: Known, moment: datetime, due: Callable[[Session], datetime]) -> Session | None:
    """The last session of this world for which something was due by a moment."""
    day = moment.astimezone(NEW_YORK).date()
    past = [each for each in Calendar().sessions(day - A_WEEK, day) if due(each) <= moment]
    return past[-1] if past and known.began is not None and past[-1].day >= known.began else None


def _untold(known: Known, happened: Happened, rule: str, subject: str) -> bool:
    return happened.number >= known.sessions - 1 and (rule, subject) not in known.told
