"""What becomes of the processes, as facts of their desk's world."""

from collections.abc import Callable
from datetime import datetime

from tandem.market import NEW_YORK, StoreError, TandemError, WallClock, World
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.store import Record, Store


class Diary:
    """Puts each change on record, at market time.

    Args:
        now: market time; where it cannot be had, the time before counts.

    Attributes:
        world: where it is put on record; None until that is known.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self.world: World | None = None
        self._store = store
        self._now = now
        self._newest: datetime | None = None

    def tell(self, change: ProcessChanged) -> None:
        """Put a change on record.

        Raises:
            StoreError: it cannot be, yet.
        """
        if self.world is None:
            raise StoreError("whose desk it is has still to be found out")
        key = f"process.{change.name}.{change.event}.{WallClock().now().isoformat()}"
        at = self._market_time()
        self._store.facts(self.world).append(Record(change, at.astimezone(NEW_YORK).date(), at, key))

    def _market_time(self) -> datetime:
        try:
            self._newest = self._now()
        except TandemError:
            self._newest = self._newest or WallClock().now()
        return self._newest
