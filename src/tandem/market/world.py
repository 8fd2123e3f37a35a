"""One account on one timeline."""

from dataclasses import dataclass
from enum import StrEnum


class WorldKind(StrEnum):
    """Where a world's time and fills come from."""

    LIVE = "live"
    PAPER = "paper"
    RECYCLER = "recycler"
    BACKTEST = "backtest"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class World:
    """What every fact, order id, recycled bar, lease and book is keyed by; worlds never mix.

    Attributes:
        kind: where time and fills come from.
        run: the run's number, given by the store.
        loop: how often the reel has started over.
    """

    kind: WorldKind
    run: int
    loop: int = 0

    @property
    def is_hypothetical(self) -> bool:
        """Whether no account is behind it: a backtest, or a book of what would have been."""
        return self.kind in (WorldKind.BACKTEST, WorldKind.SHADOW)

    def __str__(self) -> str:
        return f"{self.kind}-{self.run}" + (f"-{self.loop}" if self.loop else "")
