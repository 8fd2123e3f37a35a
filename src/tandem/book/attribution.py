"""What a trade's P&L is made of: the spread's move, the hedge's error, costs and borrowing.

For a trade with the hedge ratio `h` of its entry (dollars of b per dollar of a, STATISTICS 1), signed shares `A` and
`B`, and prices that go from `p` to `p + dp`, from one decision to the next:

    spread_move += A * dp_a - A * h * (p_a / p_b) * dp_b    what a perfect hedge of leg a would have earned
    hedge_drift += (B + A * h * (p_a / p_b)) * dp_b         what leg b earned beyond that hedge

so that their sum is `A * dp_a + B * dp_b`, the gross P&L, exactly. The drift comes from rounding to whole shares, from
a leg that stands alone while orders fill, and from prices that moved since the legs were sized. Shares fill at the
reference price of their fill; what was paid beyond it is `slippage` (spread and impact), what was charged beside it is
`fees`, and what was charged for shares held short over night is `borrow`.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import ClassVar, Final, TypeVar

from tandem.market import Fill, Pair, cents, costs_in_cents

K = TypeVar("K", bound=Hashable)
ZERO: Final = Decimal(0)
STEP: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Parts:
    """Dollars of P&L by where they come from; `slippage`, `fees` and `borrow` are positive where they were paid."""

    spread_move: Decimal = ZERO
    hedge_drift: Decimal = ZERO
    slippage: Decimal = ZERO
    fees: Decimal = ZERO
    borrow: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        """Before costs and borrowing."""
        return self.spread_move + self.hedge_drift

    @property
    def costs(self) -> Decimal:
        """Spread, impact and fees."""
        return self.slippage + self.fees

    @property
    def net(self) -> Decimal:
        """After everything."""
        return self.gross - self.costs - self.borrow

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(
            self.spread_move + other.spread_move,
            self.hedge_drift + other.hedge_drift,
            self.slippage + other.slippage,
            self.fees + other.fees,
            self.borrow + other.borrow,
        )

    @property
    def in_cents(self) -> "Parts":
        """Each part as people read it: gross and net are the cents nearest to them, as everywhere.

        The hedge's drift takes what rounding leaves of the gross, and slippage what it leaves of what was paid, so that
        the parts sum to both; where nothing was paid for trading it is the borrowing.
        """
        spread, paid = cents(self.spread_move), costs_in_cents(self.gross, self.net)
        borrow = cents(self.borrow) if self.costs else paid
        fees = cents(self.fees) if self.slippage else paid - borrow
        return Parts(spread, cents(self.gross) - spread, paid - borrow - fees, fees, borrow)


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of both legs, dollars per share, at a time, UTC."""

    at: datetime
    price_a: Decimal
    price_b: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """A trade as it stands.

    Attributes:
        pair: the pair traded.
        hedge_ratio: of the passport it was entered with.
        qty_a, qty_b: signed shares.
        price_a, price_b: that they are valued at; None before the first is known.
        parts: P&L up to there.
    """

    pair: Pair
    hedge_ratio: Decimal
    qty_a: Decimal = ZERO
    qty_b: Decimal = ZERO
    price_a: Decimal | None = None
    price_b: Decimal | None = None
    parts: Parts = Parts()

    @property
    def is_flat(self) -> bool:
        """Whether no share of either leg is held."""
        return self.qty_a == 0 and self.qty_b == 0

    def moved(self, prices: Mapping[str, Decimal]) -> "Held":
        """The trade after the prices of its legs moved, both at once; a symbol without one stays where it was."""
        price_a, price_b = prices.get(self.pair.a, self.price_a), prices.get(self.pair.b, self.price_b)
        move_a, move_b = _move(self.price_a, price_a), _move(self.price_b, price_b)
        hedge = ZERO
        if move_b and self.price_a is not None and self.price_b is not None:
            hedge = (self.qty_a * self.hedge_ratio * self.price_a / self.price_b * move_b).quantize(STEP)
        earned = Parts(spread_move=self.qty_a * move_a - hedge, hedge_drift=self.qty_b * move_b + hedge)
        return replace(self, price_a=price_a, price_b=price_b, parts=self.parts + earned)

    def filled(self, fill: Fill) -> "Held":
        """The trade after shares changed hands at the fill's reference, its costs apart."""
        signed = fill.side.sign * fill.qty
        held = self.moved({fill.symbol: fill.reference})
        parts = held.parts + Parts(slippage=fill.cost - fill.fees, fees=fill.fees)
        if fill.symbol == self.pair.a:
            return replace(held, qty_a=held.qty_a + signed, parts=parts)
        return replace(held, qty_b=held.qty_b + signed, parts=parts)

    def charged(self, dollars: Decimal) -> "Held":
        """The trade after dollars were charged for shares held short."""
        return replace(self, parts=self.parts + Parts(borrow=dollars))


def attribute(held: Held, events: Iterable[Fill | Quote]) -> Held:
    """The trade after fills and prices, minute by minute.

    Within a minute quotes count first, then prices move to the references of the fills, which are that minute's opens,
    and then shares change hands: both legs of one order meet the same prices, whichever fills first.
    """
    for _, together in groupby(sorted(events, key=minute_of), minute_of):
        happened = list(together)
        for quote in happened:
            if isinstance(quote, Quote):
                held = held.moved({held.pair.a: quote.price_a, held.pair.b: quote.price_b})
        fills = [each for each in happened if isinstance(each, Fill)]
        held = held.moved({fill.symbol: fill.reference for fill in fills})
        for fill in fills:
            held = held.filled(fill)
    return held


def minute_of(event: Fill | Quote) -> datetime:
    """The minute in which something happened: a fill's reference is the price at its beginning."""
    return event.at.replace(second=0, microsecond=0)


def _move(before: Decimal | None, after: Decimal | None) -> Decimal:
    return ZERO if before is None or after is None else after - before


def shared(dollars: Decimal, shares: Mapping[K, Decimal]) -> dict[K, Decimal]:
    """Dollars charged for one symbol, shared among the trades that are short of it; to the last of them what is left.

    Args:
        shares: held short by each trade, positive, at least one.
    """
    total, left = sum(shares.values(), ZERO), dollars
    found: dict[K, Decimal] = {}
    for name, qty in list(shares.items())[:-1]:
        found[name] = (dollars * qty / total).quantize(STEP)
        left -= found[name]
    found[list(shares)[-1]] = left
    return found


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one trade came to in one session, and how it stood at its end; recorded once the session is over.

    Attributes:
        opened_at: the decision that it was entered at, UTC.
        direction: +1 long the spread, -1 short it.
        hedge_ratio: of its entry.
        spread_move, hedge_drift, slippage, fees, borrow: dollars of this session alone, see `Parts`.
        qty_a, qty_b: signed shares at the session's end; both 0 when it was closed.
        price_a, price_b: the last marks, dollars per share, that they are valued at.
    """

    kind: ClassVar = "attribution"

    pair: Pair
    opened_at: datetime
    direction: int
    hedge_ratio: Decimal
    spread_move: Decimal
    hedge_drift: Decimal
    slippage: Decimal
    fees: Decimal
    borrow: Decimal
    qty_a: Decimal
    qty_b: Decimal
    price_a: Decimal
    price_b: Decimal

    @classmethod
    def of(cls, held: Held, opened_at: datetime, direction: int) -> "Attribution":
        """The session of a trade that was attributed from its start to its end."""
        parts = held.parts
        return cls(
            held.pair, opened_at, direction, held.hedge_ratio, parts.spread_move, parts.hedge_drift, parts.slippage,
            parts.fees, parts.borrow, held.qty_a, held.qty_b, held.price_a or ZERO, held.price_b or ZERO,
        )  # fmt: skip

    def then(self, later: "Attribution") -> "Attribution":
        """Both, where an entry filled again after it had been flat."""
        sums = asdict(self.parts + later.parts)
        return replace(later, **sums)

    @property
    def parts(self) -> Parts:
        """Where the session's dollars come from."""
        return Parts(self.spread_move, self.hedge_drift, self.slippage, self.fees, self.borrow)

    @property
    def is_open(self) -> bool:
        """Whether shares were held at the session's end."""
        return bool(self.qty_a or self.qty_b)

    @property
    def carried(self) -> Held:
        """The trade as the next session finds it."""
        return Held(self.pair, self.hedge_ratio, self.qty_a, self.qty_b, self.price_a, self.price_b)
