"""Bars that go wrong on their way out: repeated, out of order, missing, or spoilt."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tandem.market import Bar, InvalidBar
from tandem.matching import Columns, MinuteBars
from tandem.recycler.faults.armed import Armed, Faults

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[Any]

FAMILY: Final = ("drop-bars", "corrupt-nan", "corrupt-negative", "corrupt-range", "duplicate", "reorder")


@dataclass(slots=True)
class SpoiltBars:
    """What becomes of each minute's bars before anybody sees them; it remembers those that come late."""

    faults: Faults
    _held: list[MinuteBars] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether a late bar is still to come."""
        return bool(self._held)

    def forget(self) -> None:
        """Nothing comes late any more."""
        self._held = []

    def after(self, bars: MinuteBars) -> Sequence[MinuteBars]:
        """What is sent of a minute, in order: the minute itself, then repeated bars, then late ones."""
        armed = self.faults.named(*FAMILY)
        if not armed and not self._held:
            return (bars,)
        late, self._held = self._held, []
        repeated: list[MinuteBars] = []
        for one in armed:
            struck = self._struck(one, bars)
            if not struck:
                continue
            if one.fault.name.startswith("corrupt"):
                bars = _spoilt(bars, struck, CORRUPTIONS[one.fault.name])
                continue
            if one.fault.name == "duplicate":
                repeated.append(_only(bars, struck))
                continue
            if one.fault.name == "reorder":
                self._held.append(_only(bars, struck))
            bars = _without(bars, struck)
        return [minute for minute in (bars, *repeated, *late) if len(minute)]

    def _struck(self, one: Armed, bars: MinuteBars) -> list[int]:
        names = _names(bars)
        wanted = one.fault.symbol
        return [
            row
            for row, symbol in enumerate(names)
            if wanted in (None, symbol) and self.faults.strike_of(one, symbol=symbol)
        ]


@dataclass(slots=True)
class Sent:
    """The newest bar of each symbol that was sent and is a bar: symbol to its start."""

    newest: dict[str, datetime]

    def note(self, minutes: Sequence[MinuteBars], whole: MinuteBars) -> None:
        """Take in what is sent of a whole minute."""
        for bars in minutes:
            if bars is whole and len(bars):
                self.newest.update(dict.fromkeys(_names(bars), bars[0].start))
                continue
            for bar in _sound(bars):
                self.newest[bar.symbol] = max(bar.start, self.newest.get(bar.symbol, bar.start))


def _names(bars: MinuteBars) -> list[str]:
    return [bars.columns.symbols[code] for code in bars.columns.code[bars.first : bars.last].tolist()]


def _sound(bars: MinuteBars) -> Iterator[Bar]:
    for at in range(len(bars)):
        with suppress(InvalidBar):
            yield bars[at]


def _only(bars: MinuteBars, rows: Sequence[int]) -> MinuteBars:
    columns = bars.columns
    taken = [bars.first + row for row in rows]
    arrays = {name: getattr(columns, name)[taken] for name in ARRAYS}
    return MinuteBars(replace(columns, **arrays), 0, len(taken))


def _without(bars: MinuteBars, rows: Sequence[int]) -> MinuteBars:
    gone = set(rows)
    return _only(bars, [row for row in range(len(bars)) if row not in gone]) if gone else bars


def _spoilt(bars: MinuteBars, rows: Sequence[int], spoil: Callable[[Columns, Sequence[int]], None]) -> MinuteBars:
    copied = _only(bars, range(len(bars)))
    spoil(copied.columns, rows)
    return copied


def _without_close(columns: Columns, rows: Sequence[int]) -> None:
    columns.close[list(rows)] = float("nan")


def _negative(columns: Columns, rows: Sequence[int]) -> None:
    columns.low[list(rows)] *= -1.0


def _crossed(columns: Columns, rows: Sequence[int]) -> None:
    columns.high[list(rows)] = columns.low[list(rows)] * 0.99


ARRAYS: Final = ("code", "start", "open", "high", "low", "close", "volume", "trade_count", "vwap")
CORRUPTIONS: Final[dict[str, Callable[[Columns, Sequence[int]], None]]] = {
    "corrupt-nan": _without_close,
    "corrupt-negative": _negative,
    "corrupt-range": _crossed,
}
