"""One pair in one session: all there is to draw of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tandem.market import DECISION_EVERY, NEW_YORK, Pair
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.roundtrip import RoundTrip
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.store import Record


@dataclass(frozen=True, slots=True)
class PairDay:
    """What happened to a pair in a session.

    Attributes:
        passport: of the session; of the trade held where the morning did not select the pair.
        signals: in order of time, at least one.
        trades: that were held at some time of the session.
    """

    pair: Pair
    day: date
    passport: Passport
    signals: tuple[Record[Signal], ...]
    trades: tuple[RoundTrip, ...]

    @property
    def name(self) -> str:
        """Fit for an anchor."""
        return f"{self.day}-{self.pair.a}-{self.pair.b}"

    @property
    def stretches(self) -> list[list[Record[Signal]]]:
        """Runs of signals with none lacking between them: a decision without one was refused."""
        runs: list[list[Record[Signal]]] = []
        for record in self.signals:
            if runs and record.at - runs[-1][-1].at <= DECISION_EVERY:
                runs[-1].append(record)
            else:
                runs.append([record])
        return runs

    def lives_by(self, moment: datetime) -> date:
        """The session whose passport measures z at a decision: an open trade keeps its own."""
        held = (t.day for t in self.trades if t.opened_at < moment and (t.closed_at is None or moment <= t.closed_at))
        return next(held, self.day)


def pair_days(chronicle: Chronicle, trades: tuple[RoundTrip, ...]) -> tuple[PairDay, ...]:
    """Every pair and session with signals, by pair and then by day."""
    return tuple(sorted(_pair_days(chronicle, trades), key=lambda found: (found.pair, found.day)))


def _pair_days(chronicle: Chronicle, trades: tuple[RoundTrip, ...]) -> Iterator[PairDay]:
    grouped: dict[tuple[date, Pair], list[Record[Signal]]] = {}
    for record in chronicle.signals:
        grouped.setdefault((record.session, record.body.pair), []).append(record)
    for (day, pair), signals in grouped.items():
        held = tuple(trade for trade in trades if trade.pair == pair and _touches(trade, day))
        passport = chronicle.passports.get((day, pair))
        if passport is None and held:
            passport = chronicle.passports.get((held[0].day, pair))
        if passport is not None:
            yield PairDay(pair, day, passport, tuple(sorted(signals, key=lambda record: record.at)), held)


def _touches(trade: RoundTrip, day: date) -> bool:
    first = trade.opened_at.astimezone(NEW_YORK).date()
    last = trade.closed_at.astimezone(NEW_YORK).date() if trade.closed_at else date.max
    return first <= day <= last
