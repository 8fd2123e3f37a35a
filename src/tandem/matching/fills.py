"""Whether, how far and at which price an order fills on a bar."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final, Protocol
from uuid import UUID, uuid5

from tandem.config import CostSettings
from tandem.market import Bar, Side, price
from tandem.matching.costs import quoted, taken
from tandem.matching.form import SHARE_STEP
from tandem.matching.request import OrderType, TimeInForce
from tandem.matching.ticket import NOTHING, Ticket

DICE: Final = UUID("b0a0c6a4-3a53-5d43-8a63-1d3f2ff2b6c5")
PARTIAL_IN: Final = 10
ONE: Final = Decimal(1)
_STOPPED: Final = (OrderType.STOP, OrderType.TRAILING_STOP, OrderType.STOP_LIMIT)
_LIMITED: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)


@dataclass(frozen=True, slots=True)
class Touch:
    """Where a bar meets an order.

    Attributes:
        price: dollars per share, before costs.
        at_open: at the bar's first price rather than somewhere inside it.
        takes: the order crosses the spread; a resting limit order does not.
    """

    price: Decimal
    at_open: bool
    takes: bool


@dataclass(frozen=True, slots=True)
class Deal:
    """What an order trades on a bar.

    Attributes:
        qty: shares.
        price: dollars per share, costs included.
        complete: nothing of the order is left.
    """

    qty: Decimal
    price: Decimal
    complete: bool


class Room:
    """Shares of one bar that its orders may still take; None where there is no limit."""

    def __init__(self, left: Decimal | None = None) -> None:
        self.left = left

    def fit(self, wanted: Decimal) -> Decimal:
        """As many of the wanted shares as there is room for; a part of an order is whole shares."""
        if self.left is None or wanted <= self.left:
            return wanted
        return self.left.quantize(ONE, ROUND_DOWN)

    def take(self, qty: Decimal) -> None:
        """Use room up."""
        if self.left is not None:
            self.left -= qty


class Fills(Protocol):
    """How a bar fills the orders it meets."""

    def room(self, bar: Bar) -> Room:
        """What all orders together may take of a bar."""
        ...

    def deal(self, ticket: Ticket, touch: Touch, bar: Bar, room: Room, most: Decimal) -> Deal | None:
        """What the order trades where the bar meets it, at most `most` shares; None where nothing."""
        ...


@dataclass(frozen=True, slots=True)
class NextBarFills:
    """Half the spread, an impact that grows with the share of the bar's volume, and a cap on that share."""

    costs: CostSettings

    def room(self, bar: Bar) -> Room:
        """A share of the bar's volume."""
        return Room(Decimal(repr(self.costs.max_volume_share)) * bar.volume)

    def deal(self, ticket: Ticket, touch: Touch, bar: Bar, room: Room, most: Decimal) -> Deal | None:
        """As much as there is room for."""
        wanted = wants(ticket, touch.price, most)
        qty = room.fit(wanted)
        if not _may(ticket, qty, wanted):
            return None
        paid = self._paid(ticket, touch, bar, qty)
        afforded = min(qty, wants(ticket, paid, most))
        room.take(afforded)
        return Deal(afforded, paid, qty == wanted) if afforded else None

    def _paid(self, ticket: Ticket, touch: Touch, bar: Bar, qty: Decimal) -> Decimal:
        if not touch.takes:
            return touch.price
        return kept_inside(ticket, bar, taken(touch.price, ticket.side, qty, bar.volume, self.costs))


@dataclass(frozen=True, slots=True)
class AlpacaFills:
    """As Alpaca's paper account: at the quote, however many shares; one fill in ten is partial, at random.

    The dice are thrown with the order's id, so that the same orders meet the same luck.
    """

    costs: CostSettings
    seed: int

    def room(self, _: Bar) -> Room:
        """No limit."""
        return Room()

    def deal(self, ticket: Ticket, touch: Touch, bar: Bar, room: Room, most: Decimal) -> Deal | None:
        """All of it nine times in ten."""
        paid = touch.price
        if touch.takes:
            paid = kept_inside(ticket, bar, quoted(touch.price, ticket.side, self.costs))
        wanted = wants(ticket, paid, most)
        qty = self._thrown(ticket, wanted)
        return Deal(qty, paid, qty == wanted) if qty else None

    def _thrown(self, ticket: Ticket, wanted: Decimal) -> Decimal:
        dice = uuid5(DICE, f"{self.seed}/{ticket.id}/{len(ticket.updates)}").int
        parts = int(wanted.to_integral_value(ROUND_DOWN)) - (wanted == wanted.to_integral_value())
        if dice % PARTIAL_IN or parts < 1 or ticket.request.time_in_force is TimeInForce.FOK:
            return wanted
        return Decimal(1 + dice // PARTIAL_IN % parts)


def wants(ticket: Ticket, paid: Decimal, most: Decimal) -> Decimal:
    """Shares the order still wants when one costs `paid`, at most `most`."""
    if ticket.qty is not None:
        return min(ticket.qty - ticket.filled, most)
    left = (ticket.request.notional or NOTHING) - ticket.spent
    return min((left / paid).quantize(SHARE_STEP, ROUND_DOWN), most)


def kept_inside(ticket: Ticket, bar: Bar, paid: Decimal) -> Decimal:
    """No worse than the order's limit and, unless it is a market order, not outside the bar's range."""
    kind, limit = ticket.request.type, ticket.request.limit_price
    if kind is OrderType.MARKET:
        return paid
    if limit is not None:
        paid = min(paid, limit) if ticket.side is Side.BUY else max(paid, limit)
    return max(price(bar.low), min(price(bar.high), paid))


def reached(ticket: Ticket, bar: Bar) -> bool:
    """Whether the bar reaches the order's stop, where it has one that was not reached before."""
    if ticket.triggered or ticket.request.type not in _STOPPED:
        return False
    stop = ticket.stop_price
    if stop is None:
        return False
    return price(bar.high) >= stop if ticket.side is Side.BUY else price(bar.low) <= stop


def touch(ticket: Ticket, bar: Bar) -> Touch | None:
    """Where the bar first meets the order; None where it passes it by.

    What happens inside a bar happens in an unknown order: a stop-limit order whose limit is better than its
    stop waits for the next bar when the stop is reached inside this one.
    """
    opened = price(bar.open)
    if ticket.request.type not in _STOPPED or ticket.triggered:
        return _limited(ticket, bar, opened)
    stop = ticket.stop_price
    if stop is None or not reached(ticket, bar):
        return None
    if (opened - stop) * ticket.side.sign >= 0:
        return _limited(ticket, bar, opened)
    return Touch(stop, at_open=False, takes=True) if _within(ticket, stop) else None


def at_close(ticket: Ticket, bar: Bar) -> Touch | None:
    """The last price of the session, where it is within the order's limit."""
    closed = price(bar.close)
    return Touch(closed, at_open=True, takes=True) if _within(ticket, closed) else None


def _limited(ticket: Ticket, bar: Bar, opened: Decimal) -> Touch | None:
    if _within(ticket, opened):
        rests = ticket.rested and ticket.request.type in _LIMITED
        return Touch(opened, at_open=True, takes=not rests)
    limit = ticket.request.limit_price
    best = price(bar.low) if ticket.side is Side.BUY else price(bar.high)
    return Touch(limit, at_open=False, takes=False) if limit is not None and _within(ticket, best) else None


def _within(ticket: Ticket, at: Decimal) -> bool:
    limit = ticket.request.limit_price
    if limit is None or ticket.request.type not in _LIMITED:
        return True
    return (limit - at) * ticket.side.sign >= 0


def _may(ticket: Ticket, qty: Decimal, wanted: Decimal) -> bool:
    return qty > 0 and (qty == wanted or ticket.request.time_in_force is not TimeInForce.FOK)
