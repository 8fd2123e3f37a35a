"""What one session came to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tandem.book import Book, Mark, merge
from tandem.market import Pair, Refusal
from tandem.operations.run.chronicle import Chronicle, grouped
from tandem.operations.run.roundtrip import newest_prices
from tandem.signals import Signal
from tandem.store import Record


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
    kinds = (grouped(chronicle.signals), grouped(chronicle.refusals), grouped(chronicle.intents))
    counts = tuple(Counter(r.session for r in kind) for kind in (chronicle.marks, chronicle.orders, chronicle.fills))
    lines = []
    before = Book.starting_with(chronicle.capital).mark({})
    for day, end in closing_marks(chronicle):
        signals, refusals, intents = kinds[0][day], kinds[1][day], kinds[2][day]
        decisions, orders, fills = (count[day] for count in counts)
        plan = chronicle.plans.get(day)
        selected = tuple(Pair.parse(pair) for pair in plan.models) if plan else ()
        purposes = Counter(record.body.purpose for record in intents)
        lines.append(
            DayLine(
                day=day,
                tested=plan.tested if plan else 0,
                selected=selected,
                decisions=decisions,
                signals=len(signals),
                refusals=len(refusals),
                orders=orders,
                fills=fills,
                entries=purposes["enter"],
                exits=purposes["exit"],
                largest_z=max((abs(record.body.z) for record in signals), default=None),
                gross=end.gross_pnl - before.gross_pnl,
                costs=end.costs - before.costs,
                net=end.net_pnl - before.net_pnl,
                equity=end.equity,
                without_trade="" if purposes else _without_trade(selected, signals, refusals),
            )
        )
        before = end
    return tuple(lines)


def closing_marks(chronicle: Chronicle) -> Iterator[tuple[date, Mark]]:
    """The book at the end of each session, with the fills after its last decision."""
    signals, intents, fills = grouped(chronicle.signals), grouped(chronicle.intents), grouped(chronicle.fills)
    book, prices = Book.starting_with(chronicle.capital), dict[str, Decimal]()
    for day in chronicle.days:
        prices |= newest_prices(signals[day], fills[day])
        book = book.after(merge(intents[day], fills[day]))
        yield day, book.mark(prices)


def _without_trade(
    selected: Sequence[Pair], signals: Sequence[Record[Signal]], refusals: Sequence[Record[Refusal]]
) -> str:
    if not selected:
        return "no pair passed every gate"
    if not signals:
        return "no signal: a leg without bars, or the session was not traded"
    said = [record.body for record in signals]
    if not any(signal.action.is_entry for signal in said):
        return f"no entry: at its widest, {max(said, key=lambda signal: abs(signal.z)).why}"
    reasons = Counter(record.body.reason for record in refusals if record.body.by in ("risk", "execution"))
    return "entries refused: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
