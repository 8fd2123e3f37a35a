"""How many connections a feed takes at once."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

HALF_DEAD_SECONDS: Final = 90.0


@dataclass(slots=True)
class Slots:
    """One count per feed. A client that goes without a word keeps its slot for a while, as on Alpaca.

    Attributes:
        limit: connections per feed; None for any number.
        half_dead_seconds: how long a slot is kept for a client that went without a word.
    """

    limit: int | None = None
    half_dead_seconds: float = HALF_DEAD_SECONDS
    _taken: Counter[str] = field(default_factory=Counter, repr=False)

    def take(self, feed: str) -> bool:
        """Whether there was one left."""
        if self.limit is not None and self._taken[feed] >= self.limit:
            return False
        self._taken[feed] += 1
        return True

    def give_back(self, feed: str, politely: bool) -> None:
        """The connection that took one is gone."""
        if politely:
            self._taken[feed] -= 1
        else:
            asyncio.get_running_loop().call_later(self.half_dead_seconds, self.give_back, feed, True)
