"""Trades as a person reads them: both legs, when and why, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tandem.book import Book, Trade, merge
from tandem.market import Calendar, Fill, Leg, Pair, Side, Timeframe
from tandem.operations.run.chronicle import Chronicle
from tandem.risk import Intent
from tandem.signals import Signal
from tandem.store import Record


@dataclass(frozen=True, slots=True)
class LegOfTrade:
    """One leg: the side it was entered with, shares filled, and average prices in dollars per share.

    Attributes:
        entry_price, exit_price: None where nothing filled.
    """

    symbol: str
    side: Side
    qty: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One stay in a pair.

    Attributes:
        day: session it was entered in, whose passport it lives by.
        direction: +1 long the spread (long a, short b), -1 short it.
        opened_at, closed_at: decisions, UTC; the latter None while it is open.
        entry_z, exit_z: z-score at those decisions.
        why_entered, why_left: the rule's or the limit's words.
        stopped: the exit was a stop.
        bars: bars of the model's timeframe that it was held; up to the last decision while open.
        gross, costs, net: dollars over both legs; an open trade is valued at the newest prices known.
    """

    pair: Pair
    day: date
    direction: int
    opened_at: datetime
    closed_at: datetime | None
    entry_z: float
    exit_z: float | None
    why_entered: str
    why_left: str
    stopped: bool
    bars: int
    legs: tuple[LegOfTrade, LegOfTrade]
    gross: Decimal
    costs: Decimal
    net: Decimal

    @property
    def is_open(self) -> bool:
        """Whether shares are still held."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class _Stay:
    trade: Trade
    fills: tuple[Fill, ...]
    left_at: datetime | None


def round_trips(chronicle: Chronicle) -> tuple[RoundTrip, ...]:
    """Every trade of a world, open ones included, in the order of their entries."""
    prices = newest_prices(chronicle.signals, chronicle.fills)
    stays = sorted(_stays(chronicle), key=lambda stay: (stay.trade.opened_at, stay.trade.pair))
    return tuple(_round_trip(stay, chronicle, prices) for stay in stays)


def newest_prices(signals: Iterable[Record[Signal]], fills: Iterable[Record[Fill]]) -> dict[str, Decimal]:
    """The last price on record of each symbol: of a signal, or the reference of a later fill."""
    known = [
        (record.at, symbol, price)
        for record in signals
        for symbol, price in zip(record.body.pair.symbols, (record.body.price_a, record.body.price_b), strict=True)
    ]
    known += [(record.at, record.body.symbol, float(record.body.reference)) for record in fills]
    return {symbol: Decimal(repr(price)) for _, symbol, price in sorted(known)}


def _stays(chronicle: Chronicle) -> Iterable[_Stay]:
    book = Book.starting_with(chronicle.capital)
    under_way: dict[Pair, list[Fill]] = {}
    left_at: dict[Pair, datetime] = {}
    for record in merge(chronicle.intents, chronicle.fills):
        book = book.after([record])
        pair = Pair.parse(record.pair or "")
        if isinstance(record.body, Intent) and record.body.purpose == "exit":
            left_at[pair] = record.at
        if not isinstance(record.body, Fill):
            continue
        under_way.setdefault(pair, []).append(record.body)
        if pair not in book.open:
            yield _Stay(book.closed[-1], tuple(under_way.pop(pair)), left_at.pop(pair, record.at))
    for pair, trade in book.open.items():
        yield _Stay(trade, tuple(under_way[pair]), None)


def _round_trip(stay: _Stay, chronicle: Chronicle, prices: Mapping[str, Decimal]) -> RoundTrip:
    trade, entry, leaving = stay.trade, stay.trade.entry, stay.trade.exit
    value = trade.qty_a * prices.get(trade.pair.a, Decimal(0)) + trade.qty_b * prices.get(trade.pair.b, Decimal(0))
    closed = stay.left_at is not None
    return RoundTrip(
        pair=trade.pair,
        day=entry.passport,
        direction=entry.direction,
        opened_at=trade.opened_at,
        closed_at=stay.left_at,
        entry_z=entry.z,
        exit_z=leaving.z if leaving is not None and closed else None,
        why_entered=entry.why,
        why_left=_why_left(leaving, closed=closed),
        stopped=closed and leaving is not None and leaving.stopped,
        bars=_bars(stay, chronicle),
        legs=(_leg(stay, Leg.A), _leg(stay, Leg.B)),
        gross=trade.cash + value + trade.costs,
        costs=trade.costs,
        net=trade.cash + value,
    )


def _why_left(leaving: Intent | None, *, closed: bool) -> str:
    if not closed:
        return "still open"
    return leaving.why if leaving is not None else "unwound: one leg was not filled"


def _bars(stay: _Stay, chronicle: Chronicle) -> int:
    passport = chronicle.passports.get((stay.trade.entry.passport, stay.trade.pair))
    until = stay.left_at or max([record.at for record in chronicle.marks], default=stay.trade.opened_at)
    timeframe = passport.timeframe if passport else Timeframe.MIN_5
    return Calendar().bars_between(timeframe, stay.trade.opened_at, until)


def _leg(stay: _Stay, leg: Leg) -> LegOfTrade:
    entry, symbol = stay.trade.entry, stay.trade.pair.symbol(leg)
    side = entry.side_a if leg is Leg.A else entry.side_b
    entered = [fill for fill in stay.fills if fill.symbol == symbol and fill.side is side]
    left = [fill for fill in stay.fills if fill.symbol == symbol and fill.side is not side]
    return LegOfTrade(symbol, side, _shares(entered), _average(entered), _average(left))


def _shares(fills: Iterable[Fill]) -> Decimal:
    return sum((fill.qty for fill in fills), Decimal(0))


def _average(fills: Sequence[Fill]) -> Decimal | None:
    return sum((fill.qty * fill.price for fill in fills), Decimal(0)) / _shares(fills) if fills else None
