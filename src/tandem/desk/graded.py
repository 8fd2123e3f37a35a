"""What a world's forecasts said and what came of them, as a fold over its facts and the bars that followed."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from math import ceil, nan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tandem.book import Mark
from tandem.forecast import Grades, horizon_of
from tandem.market import Calendar, Pair, Session, Timeframe, resample
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.statistics import reversion_probability
from tandem.store import Blobs, Facts, Record

if TYPE_CHECKING:
    import pandas as pd

Minutes = Callable[[Sequence[str], datetime, datetime], "pd.DataFrame"]
SAME = 1e-9
"""Log units: a signal's spread that is this near to a passport's is that passport's."""


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast: the signal, when it was made, and the passport that it lived by."""

    signal: Signal
    at: datetime
    session: Session
    passport: Passport

    @property
    def bar_end(self) -> datetime:
        """When the model bar ends that it was made at; on daily bars it is made just before."""
        return self.session.close if self.passport.timeframe is Timeframe.DAY_1 else self.at

    @property
    def reach(self) -> Session:
        """The session in which its horizon is over for certain, whatever half days lie between."""
        bars = ceil(horizon_of(self.passport.half_life) / self.passport.timeframe.per_session)
        return _after(self.session.day, bars + 1)


@dataclass(frozen=True, slots=True)
class Graded:
    """What the forecasts of one session came to: the last of their horizons is over.

    Attributes:
        grades: digest of the `Grades` in the store.
    """

    kind: ClassVar = "graded"

    grades: str


@dataclass(frozen=True, slots=True)
class Ungraded:
    """A session whose forecasts wait to be graded, and the session in whose evening the last of their horizons is over.

    Attributes:
        session: in which they were made.
        due: trading date.
    """

    session: date
    due: date


def graded(facts: Facts, minutes: Minutes, days: Iterable[date] | None = None, blobs: Blobs | None = None) -> Grades:
    """Grade what a world's signals forecast: one forecast for each pair and each bar of its model that was completed.

    The label is that of STATISTICS 6, on the hedge and the equilibrium that the signal lived by: 1 where the spread is
    closer to the equilibrium a horizon later. A variance forecast is graded by the innovation that came, both as the
    signals have them. Signals between two completed bars repeat a forecast and are left out.

    Args:
        minutes: 1-minute bars of symbols from one moment to another.
        days: trading dates; all that the world has signals of where None.
        blobs: where grades on record are read from; without them every session is graded anew.
    """
    wanted = sorted({record.session for record in facts.read(Signal)} if days is None else days)
    known = _on_record(facts) if blobs else {}
    fresh = _Sessions(facts, minutes, [day for day in wanted if day not in known])
    old = [Grades.from_bytes(blobs.get(known[day])) for day in wanted if blobs and day in known]
    return Grades.joined([*old, fresh.grades(fresh.made)])


def keep_grades(facts: Facts, minutes: Minutes, blobs: Blobs, until: Session) -> None:
    """Put on record what a world's forecasts came to, each session once: as soon as its last horizon is over.

    Args:
        until: the newest session that is over.
    """
    known = _on_record(facts)
    days = sorted({record.session for record in facts.read(Mark)} - known.keys())
    new = _Sessions(facts, minutes, [day for day in days if day < until.day])
    by_day = {day: [each for each in new.made if each.session.day == day] for day in new.days}
    records = [
        Record(Graded(blobs.put(new.grades(made).to_bytes())), day, until.close, f"graded.{day}")
        for day, made in by_day.items()
        if all(each.reach.day <= until.day for each in made)
    ]
    with facts.alone("grades") as own:
        quicker = _on_record(own)
        own.append(*(record for record in records if record.session not in quicker))


def ungraded(facts: Facts) -> list[Ungraded]:
    """The sessions of a world with forecasts that nobody has graded yet, oldest first."""
    days = sorted({record.session for record in facts.read(Mark)} - _on_record(facts).keys())
    made = {day: list(_made(facts, Calendar().session(day))) for day in days}
    return [Ungraded(day, max(each.reach.day for each in own)) for day, own in made.items() if own]


def _on_record(facts: Facts) -> dict[date, str]:
    return {record.session: record.body.grades for record in facts.read(Graded)}


class _Sessions:
    """Sessions that are graded together."""

    def __init__(self, facts: Facts, minutes: Minutes, days: Sequence[date]) -> None:
        calendar = Calendar()
        self.days = days
        self.made = [each for day in days for each in _made(facts, calendar.session(day))]
        self._closes = _Closes(self.made, calendar, minutes)

    def grades(self, made: Iterable[Made]) -> Grades:
        rows = [_row(each, self._closes.label(each)) for each in sorted(made, key=lambda e: (e.at, e.signal.pair))]
        columns = zip(*rows, strict=True) if rows else ([] for _ in fields(Grades))
        return Grades.of(dict(zip([field.name for field in fields(Grades)], columns, strict=True)))


def _made(facts: Facts, session: Session | None) -> Iterator[Made]:
    if session is None:
        return
    known = _Passports(facts, session)
    moments = lru_cache(maxsize=None)(lambda timeframe: _moments(session, timeframe))
    for record in facts.read(Signal, session=session.day):
        passport = known.lived_by(record.body)
        if passport is not None and record.at in moments(passport.timeframe):
            yield Made(record.body, record.at, session, passport)


class _Passports:
    """The passports of a day, and earlier ones of pairs whose trades were open over night."""

    def __init__(self, facts: Facts, session: Session) -> None:
        self._facts, self._session = facts, session
        self._today = [record.body for record in reversed(facts.read(Passport, session=session.day))]
        self._earlier: dict[Pair, list[Passport]] = {}

    def lived_by(self, signal: Signal) -> Passport | None:
        """The one whose hedge gives the signal's spread at its prices."""
        today = [each for each in self._today if each.pair == signal.pair]
        return _fitting(signal, today) or _fitting(signal, self._before(signal.pair))

    def _before(self, pair: Pair) -> list[Passport]:
        if pair not in self._earlier:
            found = reversed(self._facts.read(Passport, pair=str(pair)))
            self._earlier[pair] = [each.body for each in found if each.session < self._session.day]
        return self._earlier[pair]


@cache
def _after(day: date, sessions: int) -> Session:
    session = Calendar().after(day)
    return session if sessions == 1 else _after(session.day, sessions - 1)


def _fitting(signal: Signal, passports: Iterable[Passport]) -> Passport | None:
    for passport in passports:
        if abs(float(passport.spread(signal.price_a, signal.price_b)) - signal.spread) < SAME:
            return passport
    return None


def _moments(session: Session, timeframe: Timeframe) -> set[datetime]:
    return set(session.bar_ends(timeframe)) & set(session.decisions) or {session.decisions[-1]}


class _Closes:
    """Closes of both legs at the ends of the model's bars, as far as the last horizon reaches."""

    def __init__(self, made: Sequence[Made], calendar: Calendar, minutes: Minutes) -> None:
        self._calendar = calendar
        self._tables: dict[Timeframe, pd.DataFrame] = {}
        self._legs: dict[tuple[Pair, Timeframe], tuple[list[datetime], Any]] = {}
        if made:
            symbols = sorted({symbol for each in made for symbol in each.signal.pair.symbols})
            first = min(each.session.open for each in made)
            self._bars = minutes(symbols, first, max(each.reach.close for each in made))

    def label(self, made: Made) -> float:
        """1 where the spread came closer to its equilibrium, 0 where not, NaN where that is not known."""
        passport = made.passport
        ends, closes = self._of(passport.pair, passport.timeframe)
        place = bisect_right(ends, made.bar_end) - 1 + horizon_of(passport.half_life)
        if not 0 <= place < len(ends) or ends[place] > made.reach.close:
            return nan
        then = float(passport.spread(*closes[place]))
        return float(abs(then - passport.mean) < abs(made.signal.spread - passport.mean))

    def _of(self, pair: Pair, timeframe: Timeframe) -> tuple[list[datetime], Any]:
        if (pair, timeframe) not in self._legs:
            table = self._table(timeframe)
            both = table.reindex(columns=list(pair.symbols)).dropna()
            self._legs[pair, timeframe] = [each.to_pydatetime() for each in both.index], both.to_numpy()
        return self._legs[pair, timeframe]

    def _table(self, timeframe: Timeframe) -> "pd.DataFrame":
        if timeframe not in self._tables:
            longer = resample(self._bars, timeframe)
            longer["end"] = _ends(longer["start"], timeframe, self._calendar)
            self._tables[timeframe] = longer.pivot(index="end", columns="symbol", values="close").sort_index()
        return self._tables[timeframe]


def _ends(starts: "pd.Series", timeframe: Timeframe, calendar: Calendar) -> "pd.Series":
    import pandas as pd

    days = starts.dt.tz_convert("America/New_York").dt.date
    closes = {day: session.close for day in days.unique() if (session := calendar.session(day)) is not None}
    close = pd.to_datetime(days.map(closes), utc=True)
    return (starts + timeframe.length).where(starts + timeframe.length < close, close)


def _row(made: Made, label: float) -> tuple[Any, ...]:
    signal, passport = made.signal, made.passport
    horizon = horizon_of(passport.half_life)
    baseline = reversion_probability(np.array([signal.z]), passport.phi**horizon)
    return (
        str(signal.pair),
        made.at.astimezone(UTC).replace(tzinfo=None),
        made.session.day,
        signal.model,
        horizon,
        signal.probability,
        float(baseline[0]),
        label,
        signal.residual,
        signal.variance,
    )
