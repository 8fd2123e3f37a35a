"""One order at the broker and all that became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tandem.market import Order, OrderUpdate


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order that the broker took.

    Attributes:
        order: as it was sent.
        accepted: market time, UTC.
        updates: everything that happened, oldest first; the first is NEW.
        position: signed shares of the symbol right after the last execution.
    """

    order: Order
    accepted: datetime
    updates: tuple[OrderUpdate, ...] = ()
    position: Decimal | None = None

    def then(self, update: OrderUpdate, position: Decimal | None = None) -> "Ticket":
        """The ticket with one more thing that happened to it."""
        return replace(self, updates=(*self.updates, update), position=position)

    @property
    def last(self) -> OrderUpdate:
        """The newest thing that happened."""
        return self.updates[-1]

    @property
    def is_open(self) -> bool:
        """Whether something may still happen."""
        return not self.last.event.is_final

    @property
    def filled(self) -> Decimal:
        """Shares that changed hands so far."""
        return sum((update.qty or Decimal(0) for update in self.updates), Decimal(0))

    @property
    def average_price(self) -> Decimal | None:
        """Dollars per share over all executions, None before the first."""
        spent = sum(((u.qty or Decimal(0)) * (u.price or Decimal(0)) for u in self.updates), Decimal(0))
        return spent / self.filled if self.filled else None
