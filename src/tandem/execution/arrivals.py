"""Bars that have arrived and wait to be taken, each symbol's in their order."""

import threading
from datetime import datetime

from tandem.market import Bar


class Arrivals:
    """Where a stream's thread puts bars and a desk takes them; a bar that was taken, or an older one, is dropped."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: dict[tuple[datetime, str], Bar] = {}
        self._newest: dict[str, datetime] = {}
        self._taken: dict[str, datetime] = {}

    def put(self, bar: Bar) -> None:
        """Take in a bar; the first of its minute stays."""
        with self._arrived:
            if bar.symbol not in self._taken or bar.start > self._taken[bar.symbol]:
                self._waiting.setdefault((bar.start, bar.symbol), bar)
                self._newest[bar.symbol] = max(bar.start, self._newest.get(bar.symbol, bar.start))
                self._arrived.notify_all()

    def wait_for(self, starts: dict[str, datetime], timeout: float) -> list[str]:
        """Wait until each symbol's bar that starts then, or a later one, has arrived; the symbols without it."""
        with self._arrived:
            self._arrived.wait_for(lambda: not self._behind(starts), timeout)
            return self._behind(starts)

    def taken(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that have arrived and were not taken before, ordered by start and symbol."""
        with self._arrived:
            due = sorted(key for key, bar in self._waiting.items() if bar.end <= until)
            bars = [self._waiting.pop(key) for key in due]
            self._taken.update((symbol, start) for start, symbol in due)
        return bars

    def start_over(self) -> None:
        """Time went back: what was taken counts no more."""
        with self._arrived:
            self._waiting.clear()
            self._newest.clear()
            self._taken.clear()

    def _behind(self, starts: dict[str, datetime]) -> list[str]:
        return [
            symbol for symbol, start in starts.items() if symbol not in self._newest or self._newest[symbol] < start
        ]
