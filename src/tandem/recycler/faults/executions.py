"""Executions that go wrong: short of the order, told three times or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Final

from tandem.market import OrderUpdate
from tandem.matching import Ticket
from tandem.recycler.faults.armed import Faults

TIMES: Final = 3
NOTHING: Final = Decimal(0)
ENDLESS: Final = Decimal("Infinity")
ONE: Final = Decimal(1)
NINE_PLACES: Final = Decimal("0.000000001")


@dataclass(slots=True)
class SpoiltEvents:
    """What becomes of order events on their way to the order stream.

    Attributes:
        story: everything that became of an order, by its client order id.
        surplus: events sent so far beyond those that happened; negative where more were lost.
    """

    faults: Faults
    story: Callable[[str], Sequence[OrderUpdate] | None]
    surplus: int = 0

    def after(self, updates: Sequence[OrderUpdate]) -> Sequence[OrderUpdate]:
        """What is told of what happened, in order."""
        if not self.faults.named("repeat-execution", "lose-execution"):
            return updates
        told = [said for update in updates for said in self._told(update)]
        self.surplus += len(told) - len(updates)
        return told

    def _told(self, update: OrderUpdate) -> Iterable[OrderUpdate]:
        if not update.event.is_execution:
            return (update,)
        if self.faults.strike("lose-execution", symbol=update.symbol, what=update.client_order_id):
            return ()
        if self.faults.strike("repeat-execution", symbol=update.symbol, what=update.client_order_id):
            return (update, *self._again(update))
        return (update,)

    def _again(self, update: OrderUpdate) -> list[OrderUpdate]:
        story = list(self.story(update.client_order_id) or [update])
        return story[: story.index(update) + 1] * (TIMES - 1)


@dataclass(slots=True)
class ShortFills:
    """Orders that fill in part and then no more."""

    faults: Faults
    _most: dict[str, Decimal] = field(default_factory=dict)

    def cap(self, ticket: Ticket, qty: Decimal) -> Decimal:
        """How many of the shares that would fill now do."""
        most = self._most.get(ticket.client_order_id)
        if most is None:
            most = self._decided(ticket, ticket.filled + qty)
        return min(qty, max(most - ticket.filled, NOTHING))

    def _decided(self, ticket: Ticket, whole: Decimal) -> Decimal:
        strike = self.faults.strike("partial-fill", symbol=ticket.symbol, what=ticket.client_order_id)
        whole = ticket.qty or whole
        most = ENDLESS if strike is None else _part(whole, strike.chance.uniform(0.2, 0.8))
        self._most[ticket.client_order_id] = most
        return most


def _part(qty: Decimal, share: float) -> Decimal:
    part = qty * Decimal(f"{share:.6f}")
    if qty % 1:
        return part.quantize(NINE_PLACES, ROUND_DOWN)
    return max(part.quantize(ONE, ROUND_DOWN), min(ONE, qty - ONE))
