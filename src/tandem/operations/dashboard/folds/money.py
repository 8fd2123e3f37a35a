"""What is held, what it is worth, and what each pair earned in the newest session."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from tandem.book import Trade
from tandem.market import Fill, Leg, Pair
from tandem.risk import Intent
from tandem.signals import Signal
from tandem.store import Record

ZERO: Final = Decimal(0)
MOST_CLOSED: Final = 3000
# A broker repeats an execution within minutes; older ones need not be remembered.
MOST_EXECUTIONS: Final = 20_000


@dataclass(frozen=True, slots=True)
class LegHeld:
    """One leg of an open trade: signed shares, dollars per share paid and now; None where no price is known."""

    symbol: str
    qty: Decimal
    entry_price: Decimal | None
    price: Decimal | None

    @property
    def value(self) -> Decimal:
        """Dollars, negative when short; 0 where no price is known."""
        return self.qty * self.price if self.price is not None else ZERO


@dataclass(frozen=True, slots=True)
class Position:
    """An open trade, valued at the newest prices known.

    Attributes:
        legs: a, then b.
        gross, costs, net: dollars since its entry, both legs.
        naked: dollars by which one leg stands further than the other, of what was meant.
        leaving: an exit is under way.
    """

    pair: Pair
    direction: int
    opened_at: datetime
    entry_z: float
    why: str
    legs: tuple[LegHeld, LegHeld]
    gross: Decimal
    costs: Decimal
    net: Decimal
    naked: Decimal
    leaving: bool

    @property
    def exposure(self) -> Decimal:
        """Dollars long plus dollars short."""
        return sum((abs(leg.value) for leg in self.legs), ZERO)


@dataclass(frozen=True, slots=True)
class Earned:
    """What a pair earned in one session: dollars, both legs; open trades count at the newest prices known."""

    pair: Pair
    gross: Decimal
    costs: Decimal
    net: Decimal
    is_open: bool


@dataclass
class _Account:
    """Cash and shares of one pair since the world began."""

    cash: Decimal = ZERO
    costs: Decimal = ZERO
    shares: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    before: tuple[Decimal, Decimal] = (ZERO, ZERO)
    moved: bool = False

    @property
    def value(self) -> Decimal:
        return self.cash + sum((qty * self.prices[symbol] for symbol, qty in self.shares.items() if qty), ZERO)

    def fill(self, fill: Fill) -> None:
        signed = fill.side.sign * fill.qty
        self.cash -= signed * fill.price + fill.fees
        self.costs += fill.cost
        self.shares[fill.symbol] = self.shares.get(fill.symbol, ZERO) + signed
        self.prices[fill.symbol] = fill.reference
        self.moved = True


class Money:
    """Trades, positions and P&L as a fold over intents, fills and signals, as `book.Book` has them.

    Attributes:
        session: the newest trading day of any of those; None before the first.
        closed: trades that are over, oldest first.
    """

    def __init__(self) -> None:
        self.session: date | None = None
        self.closed: deque[Trade] = deque(maxlen=MOST_CLOSED)
        self._open: dict[Pair, Trade] = {}
        self._fills: dict[Pair, list[Fill]] = {}
        self._entries: dict[Pair, tuple[Intent, datetime]] = {}
        self._accounts: dict[Pair, _Account] = {}
        self._executions: dict[str, None] = {}

    def begin(self, session: date) -> None:
        """A fact of a later trading day than before: what was earned counts from here."""
        if self.session is None or session > self.session:
            self.session = session
            for account in self._accounts.values():
                account.before, account.moved = (account.value, account.costs), False

    def price(self, record: Record[Signal]) -> None:
        """Take the prices of a decision."""
        self.begin(record.session)
        signal = record.body
        account = self._accounts.get(signal.pair)
        if account is not None:
            prices = (Decimal(repr(signal.price_a)), Decimal(repr(signal.price_b)))
            account.prices.update(zip(signal.pair.symbols, prices, strict=True))

    def mean(self, record: Record[Intent]) -> None:
        """Take what the desk means to do."""
        self.begin(record.session)
        intent = record.body
        if intent.purpose == "enter":
            self._entries[intent.pair] = (intent, record.at)
        elif (trade := self._open.get(intent.pair)) is not None:
            self._open[intent.pair] = replace(trade, exit=intent)

    def fill(self, record: Record[Fill]) -> None:
        """Take an execution; one that is repeated counts once, one that no intent explains opens nothing."""
        self.begin(record.session)
        fill, pair = record.body, Pair.parse(record.pair or "")
        if fill.execution_id in self._executions:
            return
        self._executions[fill.execution_id] = None
        if len(self._executions) > MOST_EXECUTIONS:
            del self._executions[next(iter(self._executions))]
        self._accounts.setdefault(pair, _Account()).fill(fill)
        trade = self._open.get(pair) or self._opened(pair)
        if trade is None:
            return
        trade = trade.filled(fill)
        self._fills.setdefault(pair, []).append(fill)
        self._open.pop(pair, None)
        if trade.closed_at is None:
            self._open[pair] = trade
        else:
            self._fills.pop(pair)
            self.closed.append(trade)

    def positions(self) -> list[Position]:
        """Open trades by pair."""
        return [self._position(trade) for _, trade in sorted(self._open.items())]

    def earned(self) -> list[Earned]:
        """Of every pair that held or traded something in the newest session, by pair."""
        return list(self._earned())

    def total(self, pair: Pair) -> Earned | None:
        """What a pair earned since the world began; None where it was never traded."""
        account = self._accounts.get(pair)
        if account is None:
            return None
        return Earned(pair, account.value + account.costs, account.costs, account.value, pair in self._open)

    def trades_of(self, pair: Pair) -> list[Trade]:
        """Trades of a pair, the open one last."""
        found = [trade for trade in self.closed if trade.pair == pair]
        return found + ([self._open[pair]] if pair in self._open else [])

    def position(self, pair: Pair) -> Position | None:
        """The open trade of a pair."""
        trade = self._open.get(pair)
        return None if trade is None else self._position(trade)

    def _earned(self) -> Iterator[Earned]:
        for pair, account in sorted(self._accounts.items()):
            if account.moved or pair in self._open:
                costs = account.costs - account.before[1]
                net = account.value - account.before[0]
                yield Earned(pair, net + costs, costs, net, pair in self._open)

    def _opened(self, pair: Pair) -> Trade | None:
        meant = self._entries.get(pair)
        return None if meant is None else Trade(*meant)

    def _position(self, trade: Trade) -> Position:
        pair, entry = trade.pair, trade.entry
        account = self._accounts[pair]
        legs = (
            LegHeld(pair.a, trade.qty_a, self._entry_price(pair, Leg.A, trade), account.prices.get(pair.a)),
            LegHeld(pair.b, trade.qty_b, self._entry_price(pair, Leg.B, trade), account.prices.get(pair.b)),
        )
        net = trade.cash + legs[0].value + legs[1].value
        naked = _naked(entry, legs)
        return Position(
            pair, entry.direction, trade.opened_at, entry.z, entry.why, legs, net + trade.costs, trade.costs, net,
            naked, trade.exit is not None,
        )  # fmt: skip

    def _entry_price(self, pair: Pair, leg: Leg, trade: Trade) -> Decimal | None:
        side = trade.entry.side_a if leg is Leg.A else trade.entry.side_b
        own = [fill for fill in self._fills[pair] if fill.symbol == pair.symbol(leg) and fill.side is side]
        shares = sum((fill.qty for fill in own), ZERO)
        return sum((fill.qty * fill.price for fill in own), ZERO) / shares if shares else None


def _naked(entry: Intent, legs: tuple[LegHeld, LegHeld]) -> Decimal:
    """Of each leg the share of what was meant that is held; the difference, in dollars of the leg that is further."""
    meant = (entry.qty_a, entry.qty_b)
    held = [abs(leg.qty) / qty if qty else ZERO for leg, qty in zip(legs, meant, strict=True)]
    further = 0 if held[0] >= held[1] else 1
    price = legs[further].price or legs[further].entry_price or ZERO
    return abs(held[0] - held[1]) * meant[further] * price
