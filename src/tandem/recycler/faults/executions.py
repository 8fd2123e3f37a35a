"""Orders and executions that go wrong: refused, filled in part, told three times or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Final

from tandem.market import OrderUpdate
from tandem.recycler.faults.armed import Faults

TIMES: Final = 3
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
class SpoiltOrders:
    """What becomes of orders at the broker."""

    faults: Faults
    _most: dict[str, Decimal] = field(default_factory=dict)

    def is_rejected(self, symbol: str, client_order_id: str) -> bool:
        """Whether an order is refused, whatever it asks for."""
        return self.faults.strike("reject-order", symbol=symbol, what=client_order_id) is not None

    def most(self, symbol: str, client_order_id: str, qty: Decimal) -> Decimal:
        """How many of an order's shares may ever fill."""
        if client_order_id in self._most:
            return self._most[client_order_id]
        if not self.faults.named("partial-fill"):
            return qty
        strike = self.faults.strike("partial-fill", symbol=symbol, what=client_order_id)
        most = qty if strike is None else _part(qty, strike.chance.uniform(0.2, 0.8))
        self._most[client_order_id] = most
        return most


def _part(qty: Decimal, share: float) -> Decimal:
    part = qty * Decimal(f"{share:.6f}")
    if qty % 1:
        return part.quantize(NINE_PLACES, ROUND_DOWN)
    return max(part.quantize(ONE, ROUND_DOWN), min(ONE, qty - ONE))
