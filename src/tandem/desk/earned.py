"""What each pair earned in each session, as a fold over facts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tandem.book import Mark
from tandem.market import Fill, Leg, Pair
from tandem.signals import Signal
from tandem.store import Body, Facts, Record

B = TypeVar("B", bound=Body)

ZERO = Decimal(0)


class Holding:
    """Cash and shares of one pair, and what they are worth at the newest prices known."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._cash = ZERO
        self._shares = dict.fromkeys(Leg, ZERO)
        self._prices = dict.fromkeys(Leg, ZERO)

    def fill(self, fill: Fill) -> None:
        """Take an execution of either leg, its fees included."""
        leg, signed = self._leg(fill), fill.side.sign * fill.qty
        self._cash -= signed * fill.price + fill.fees
        self._shares[leg] += signed
        self._prices[leg] = fill.price

    def price(self, signal: Signal) -> None:
        """Take the prices of a decision."""
        self._prices = {Leg.A: Decimal(str(signal.price_a)), Leg.B: Decimal(str(signal.price_b))}

    def is_open_after(self, fills: Iterable[Fill]) -> bool:
        """Whether shares of either leg are left after these executions."""
        shares = dict(self._shares)
        for fill in fills:
            shares[self._leg(fill)] += fill.side.sign * fill.qty
        return any(shares.values())

    @property
    def value(self) -> Decimal:
        """Dollars earned so far."""
        return self._cash + sum((qty * self._prices[leg] for leg, qty in self._shares.items()), ZERO)

    def _leg(self, fill: Fill) -> Leg:
        return Leg.A if fill.symbol == self._pair.a else Leg.B


def earned(facts: Facts) -> dict[str, dict[date, float]]:
    """Net P&L of each pair that was ever traded, by session, dollars: both legs, after costs.

    Shares that are held over night are valued at the prices of the session's last judgement of the pair. Every
    session that was decided in is there, also where nothing was earned.
    """
    sessions = sorted({record.session for record in facts.read(Mark)})
    fills = _grouped(facts.read(Fill))
    pairs = sorted({pair for _, pair in fills})
    holdings = {pair: Holding(Pair.parse(pair)) for pair in pairs}
    found: dict[str, dict[date, float]] = {pair: {} for pair in pairs}
    for day in sessions:
        for pair, holding in holdings.items():
            before = holding.value
            own = list({record.body.execution_id: record for record in fills.get((day, pair), [])}.values())
            # A decision's prices matter to shares that are open when the session ends, and to nothing else.
            is_open = holding.is_open_after(record.body for record in own)
            _live_through(holding, own, facts.read(Signal, session=day, pair=pair) if is_open else [])
            found[pair][day] = float(holding.value - before)
    return found


def _live_through(holding: Holding, fills: list[Record[Fill]], signals: list[Record[Signal]]) -> None:
    happened: list[Record[Fill] | Record[Signal]] = [*fills, *signals]
    for record in sorted(happened, key=lambda record: record.at):
        if isinstance(record.body, Fill):
            holding.fill(record.body)
        elif isinstance(record.body, Signal):
            holding.price(record.body)


def _grouped(records: Iterable[Record[B]]) -> dict[tuple[date, str], list[Record[B]]]:
    groups: dict[tuple[date, str], list[Record[B]]] = defaultdict(list)
    for record in records:
        groups[record.session, record.pair or ""].append(record)
    return groups
