"""Equity over time, thinned where it grows long."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tandem.book import Mark
from tandem.store import Record

MOST: Final = 6000
RECENT: Final = 2000


class Point(NamedTuple):
    """The account at one decision: dollars, and the share by which it stands below its best so far."""

    at: datetime
    equity: Decimal
    drawdown: float


class EquityCurve:
    """Marks in order of time. Beyond `MOST` points every second of the older ones goes, the shallower of two.

    Attributes:
        newest: the last mark; None before the first decision.
        deepest: largest drawdown of any decision, a share; also of those that were thinned out.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._points: list[Point] = []
        self._peak = Decimal(0)
        self.newest: Record[Mark] | None = None
        self.deepest = 0.0

    def start(self, capital: Decimal) -> None:
        """What the world began with: its first peak."""
        self._peak = max(self._peak, capital)

    def take(self, record: Record[Mark]) -> None:
        """Take a mark; one of an earlier time than the newest is left out."""
        if self.newest is not None and record.at < self.newest.at:
            return
        self.newest = record
        self._peak = max(self._peak, record.body.equity)
        drawdown = float(1 - record.body.equity / self._peak) if self._peak > 0 else 0.0
        self.deepest = max(self.deepest, drawdown)
        self._points.append(Point(record.at, record.body.equity, drawdown))
        if len(self._points) > self._most:
            self._points = _thinned(self._points)

    @property
    def points(self) -> Sequence[Point]:
        """Oldest first."""
        return self._points

    @property
    def drawdown(self) -> float:
        """Share by which equity stands below its best so far."""
        return self._points[-1].drawdown if self._points else 0.0


def _thinned(points: list[Point]) -> list[Point]:
    old, recent = points[:-RECENT], points[-RECENT:]
    pairs = zip(old[::2], old[1::2], strict=False)
    kept = [max(pair, key=lambda point: point.drawdown) for pair in pairs]
    return kept + (old[-1:] if len(old) % 2 else []) + recent
