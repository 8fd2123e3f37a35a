"""What one session came to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tandem.book import Book, Mark, merge
from tandem.market import Pair
from tandem.operations.chronicle import Chronicle
from tandem.operations.roundtrip import newest_prices
from tandem.store import Body, Record

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class DayLine:
    """One session in a line.

    Attributes:
        tested: pairs that the morning's screen tested.
        selected: pairs of the plan.
        entries, exits: intents.
        largest_z: greatest |z| of any signal; None without one.
        gross, costs, net: dollars of this session alone, open positions at the newest prices known.
        equity: dollars at its end.
        without_trade: why nothing was entered or left, in words; empty where something was.
    """

    day: date
    tested: int
    selected: tuple[Pair, ...]
    decisions: int
    signals: int
    refusals: int
    orders: int
    fills: int
    entries: int
    exits: int
    largest_z: float | None
    gross: Decimal
    costs: Decimal
    net: Decimal
    equity: Decimal
    without_trade: str


def day_lines(chronicle: Chronicle) -> tuple[DayLine, ...]:
    """Every session of a world, oldest first."""
    lines = []
    before = Book.starting_with(chronicle.capital).mark({})
    for day, end in closing_marks(chronicle):
        lines.append(_line(chronicle, day, before, end))
        before = end
    return tuple(lines)


def closing_marks(chronicle: Chronicle) -> Iterator[tuple[date, Mark]]:
    """The book at the end of each session, with the fills after its last decision."""
    book = Book.starting_with(chronicle.capital)
    for day in chronicle.days:
        book = book.after(merge(_of(chronicle.intents, day), _of(chronicle.fills, day)))
        yield day, book.mark(newest_prices(chronicle, day))


def _line(chronicle: Chronicle, day: date, before: Mark, end: Mark) -> DayLine:
    signals, refusals = _of(chronicle.signals, day), _of(chronicle.refusals, day)
    purposes = Counter(record.body.purpose for record in _of(chronicle.intents, day))
    plan = chronicle.plans.get(day)
    selected = tuple(Pair.parse(pair) for pair in plan.models) if plan else ()
    largest = max((abs(record.body.z) for record in signals), default=None)
    return DayLine(
        day=day,
        tested=plan.tested if plan else 0,
        selected=selected,
        decisions=len(_of(chronicle.marks, day)),
        signals=len(signals),
        refusals=len(refusals),
        orders=len(_of(chronicle.orders, day)),
        fills=len(_of(chronicle.fills, day)),
        entries=purposes["enter"],
        exits=purposes["exit"],
        largest_z=largest,
        gross=end.gross_pnl - before.gross_pnl,
        costs=end.costs - before.costs,
        net=end.net_pnl - before.net_pnl,
        equity=end.equity,
        without_trade="" if purposes else _without_trade(chronicle, day, selected),
    )


def _without_trade(chronicle: Chronicle, day: date, selected: tuple[Pair, ...]) -> str:
    if not selected:
        return "no pair passed every gate"
    signals = [record.body for record in _of(chronicle.signals, day)]
    if not signals:
        return "no signal: a leg without bars, or the session was not traded"
    if not any(signal.action.is_entry for signal in signals):
        return f"no entry: at its widest, {max(signals, key=lambda signal: abs(signal.z)).why}"
    reasons = Counter(r.body.reason for r in _of(chronicle.refusals, day) if r.body.by in ("risk", "execution"))
    return "entries refused: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())


def _of(records: Iterable[Record[B]], day: date) -> list[Record[B]]:
    return [record for record in records if record.session == day]
