"""How often a client may ask."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tandem.market import Clock, WallClock

USUAL: Final = 200
MINUTE: Final = timedelta(minutes=1)


class Rate:
    """A number of requests for each minute of the wall clock.

    Args:
        limit: requests a minute; None takes any number, and the headers name Alpaca's usual limit.
        clock: tells the time.
    """

    def __init__(self, limit: int | None = None, clock: Clock | None = None) -> None:
        self._limit = limit
        self._clock = clock or WallClock()
        self._ends = datetime.min.replace(tzinfo=UTC)
        self._left = 0

    def take(self) -> bool:
        """Count one request; False where it is one too many."""
        self._turn()
        if self._limit is None:
            return True
        allowed = self._left > 0
        self._left -= allowed
        return allowed

    def headers(self) -> dict[str, str]:
        """What is left of this minute, as Alpaca says it."""
        self._turn()
        return {
            "X-RateLimit-Limit": str(self._limit or USUAL),
            "X-RateLimit-Remaining": str(self._left),
            "X-RateLimit-Reset": str(int(self._ends.timestamp())),
        }

    def _turn(self) -> None:
        now = self._clock.now()
        if now >= self._ends:
            self._ends = now.replace(second=0, microsecond=0) + MINUTE
            self._left = self._limit or USUAL
