"""Positions, cash and P&L as a fold over facts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from tandem.market import Fill, Pair
from tandem.risk import Intent
from tandem.store import Facts, Record

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Capital:
    """What a world started with, in dollars."""

    kind: ClassVar = "capital"

    cash: Decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """The book valued at one decision, in dollars.

    Attributes:
        equity: cash plus positions at the newest closes.
        gross_pnl: since the world began, before costs.
        net_pnl: after costs: `gross_pnl - costs`.
        costs: spread, impact and fees paid so far.
        exposure: dollars long plus dollars short.
    """

    kind: ClassVar = "mark"

    equity: Decimal
    gross_pnl: Decimal
    net_pnl: Decimal
    costs: Decimal
    exposure: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """One stay in a pair, from the first fill of its entry to the last fill of its exit.

    Attributes:
        entry: the intent it began with; its passport and model rule until the end.
        opened_at: the decision, UTC.
        qty_a, qty_b: signed shares held now.
        cash: dollars that flowed, negative when shares were bought.
        costs: dollars of spread, impact and fees within that.
        exit: the intent that closes it, once there is one.
        closed_at: time of the fill that left nothing, UTC.
    """

    entry: Intent
    opened_at: datetime
    qty_a: Decimal = ZERO
    qty_b: Decimal = ZERO
    cash: Decimal = ZERO
    costs: Decimal = ZERO
    exit: Intent | None = None
    closed_at: datetime | None = None

    @property
    def pair(self) -> Pair:
        """The pair traded."""
        return self.entry.pair

    @property
    def net(self) -> Decimal:
        """P&L of a closed trade, both legs, after costs."""
        return self.cash

    @property
    def gross(self) -> Decimal:
        """P&L of a closed trade, both legs, before costs."""
        return self.cash + self.costs

    def filled(self, fill: Fill) -> "Trade":
        """The trade after a fill."""
        signed = fill.side.sign * fill.qty
        qty_a = self.qty_a + (signed if fill.symbol == self.pair.a else ZERO)
        qty_b = self.qty_b + (signed if fill.symbol == self.pair.b else ZERO)
        flat = qty_a == 0 and qty_b == 0
        return replace(
            self,
            qty_a=qty_a,
            qty_b=qty_b,
            cash=self.cash - signed * fill.price - fill.fees,
            costs=self.costs + fill.cost,
            closed_at=fill.at if flat else None,
        )


@dataclass(frozen=True, slots=True)
class Book:
    """What Tandem holds in one world. Repeated executions count once.

    Attributes:
        capital: dollars at the start.
        cash: dollars now.
        open: trades with shares in them, by pair.
        entries: the newest entry meant for each pair, and when; its fills open a trade.
        closed: trades that are over, in the order of their ends.
    """

    capital: Decimal
    cash: Decimal
    costs: Decimal = ZERO
    open: Mapping[Pair, Trade] = field(default_factory=dict)
    closed: tuple[Trade, ...] = ()
    executions: frozenset[str] = frozenset()
    entries: Mapping[Pair, tuple[Intent, datetime]] = field(default_factory=dict)

    @classmethod
    def starting_with(cls, capital: Decimal) -> Self:
        """An empty book."""
        return cls(capital, capital)

    @classmethod
    def from_facts(cls, facts: Facts) -> Self:
        """The book as a world's facts give it."""
        capital = facts.read(Capital)
        book = cls.starting_with(capital[0].body.cash if capital else ZERO)
        return book.after(merge(facts.read(Intent), facts.read(Fill)))

    def after(self, records: Iterable[Record]) -> Self:
        """The book after more facts, in their order; other kinds are passed over."""
        book = self
        for record in records:
            if isinstance(record.body, Intent):
                book = book._meant(record.body, record.at)
            elif isinstance(record.body, Fill) and record.body.execution_id not in book.executions:
                book = book._filled(record.body, Pair.parse(record.pair or ""))
        return book

    def shares(self) -> dict[str, Decimal]:
        """Signed shares by symbol, over all open trades."""
        held: dict[str, Decimal] = {}
        for trade in self.open.values():
            for symbol, qty in ((trade.pair.a, trade.qty_a), (trade.pair.b, trade.qty_b)):
                held[symbol] = held.get(symbol, ZERO) + qty
        return {symbol: qty for symbol, qty in held.items() if qty}

    def mark(self, prices: Mapping[str, Decimal]) -> Mark:
        """Value the book at these prices (dollars per share, one for every symbol held)."""
        values = [qty * prices[symbol] for symbol, qty in self.shares().items()]
        equity = self.cash + sum(values, ZERO)
        net = equity - self.capital
        return Mark(equity, net + self.costs, net, self.costs, sum(map(abs, values), ZERO))

    def _meant(self, intent: Intent, at: datetime) -> Self:
        if intent.purpose == "enter":
            return replace(self, entries={**self.entries, intent.pair: (intent, at)})
        trade = self.open.get(intent.pair)
        return self if trade is None else self._with(replace(trade, exit=intent))

    def _filled(self, fill: Fill, pair: Pair) -> Self:
        trade = self.open.get(pair)
        if trade is None:
            entry, at = self.entries[pair]
            trade = Trade(entry, at)
        book = replace(
            self,
            cash=self.cash - fill.side.sign * fill.qty * fill.price - fill.fees,
            costs=self.costs + fill.cost,
            executions=self.executions | {fill.execution_id},
        )
        return book._with(trade.filled(fill))

    def _with(self, trade: Trade) -> Self:
        others = {pair: held for pair, held in self.open.items() if pair != trade.pair}
        if trade.closed_at is None:
            return replace(self, open={**others, trade.pair: trade})
        return replace(self, open=others, closed=(*self.closed, trade))


def merge(*streams: Iterable[Record]) -> list[Record]:
    """Facts of several kinds in the order in which they happened; intents come before fills of their time."""
    ranked = [(record.at, isinstance(record.body, Fill), record) for stream in streams for record in stream]
    return [record for _, _, record in sorted(ranked, key=lambda entry: entry[:2])]
