"""The two seams to the outside: where bars come from and where orders go."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from tandem.market import Account, Bar, Order, OrderUpdate, Position


class Feed(Protocol):
    """Where 1-minute bars come from."""

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before, ordered by start and symbol."""
        ...

    def halted(self) -> Collection[str]:
        """Symbols in which trading is halted, as far as anybody said so."""
        ...


class Broker(Protocol):
    """Where orders go, and who knows what became of them."""

    def account(self) -> Account:
        """The broker's word on cash, equity and buying power."""
        ...

    def positions(self) -> dict[str, Position]:
        """What the account holds, by symbol; nothing that is flat."""
        ...

    def submit(self, order: Order) -> None:
        """Return when the broker has taken the order; one that was taken before counts as taken.

        Raises:
            BrokerError: it was refused, in the broker's words.
            OutcomeUnknown: nobody knows; ask with `find` before sending again.
        """
        ...

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, oldest first; None where the broker never saw it."""
        ...

    def cancel(self, client_order_id: str) -> None:
        """Ask for an open order back; what became of it comes with `updates`.

        Raises:
            BrokerError: the order is unknown, or nothing more can happen to it.
            OutcomeUnknown: nobody knows whether the request arrived.
        """
        ...

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """What happened to orders since the last call, in the broker's order; it may repeat itself.

        Where time is simulated this is exactly what had happened when the clock reached `until`: the
        answer to an order sent since then comes with the next minute.
        """
        ...
