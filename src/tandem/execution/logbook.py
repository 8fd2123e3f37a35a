"""What a stream brings, on its way into the store."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tandem.market import Bar, InvalidBar, Timeframe, World
from tandem.store import Store

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

RAW: Final = "raw"
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
FIELDS: Final = {
    "symbol": "S", "start": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v",
    "trade_count": "n", "vwap": "vw",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """What has come so far.

    Attributes:
        heard: first bars of their minutes.
        repeated: bars that had come before.
        filled: of `heard`, those that history brought after a gap.
        revised: bars that differ from the one in their place, kept as its next revision.
        malformed: what is no bar; it is in the quarantine with its reason.
        stored: bars that were not in the store before.
    """

    heard: int = 0
    repeated: int = 0
    filled: int = 0
    revised: int = 0
    malformed: int = 0
    stored: int = 0


class Logbook:
    """The first bar of every minute, the revisions after it, and what is no bar, kept in the store.

    One thread may take bars in while another writes; what the store does not take now stays for the next time.

    Args:
        source, feed: what the bars are marked with; they are raw, as every live bar is.
    """

    def __init__(self, store: Store, source: str, feed: str) -> None:
        self.tally = Tally()
        self.world: World | None = None
        self._store = store
        self._marks = {"source": source, "feed": feed, "adjustment": RAW}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._seen: set[tuple[str, datetime]] = set()
        self._newest: dict[str, datetime] = {}
        self._bars: list[tuple[World | None, Row]] = []
        self._revisions: list[tuple[World | None, Row]] = []

    @property
    def waiting(self) -> int:
        """Rows that are not in the store yet."""
        return len(self._bars) + len(self._revisions)

    @property
    def newest(self) -> datetime | None:
        """Start of the newest bar of any symbol."""
        return max(self._newest.values(), default=None)

    def recall(self, symbols: Sequence[str], first: datetime, last: datetime) -> None:
        """What the store has of these symbols counts as heard."""
        held = self._read(symbols, first, last)
        for symbol, start in zip(held["symbol"], held["start"], strict=True):
            self._remember(symbol, start.to_pydatetime())

    def start_over(self, world: World | None) -> None:
        """From here on bars are of that world, and nothing has been heard of it."""
        with self._lock:
            self.world = world
            self._seen.clear()
            self._newest.clear()

    def gap(self, symbols: Sequence[str], since: datetime) -> datetime:
        """The first start that may be missing, not before `since`: after the newest bar of the last symbol."""
        return max(
            since, min((self._newest[symbol] + MINUTE if symbol in self._newest else since) for symbol in symbols)
        )

    def take_in(self, messages: Iterable[dict[str, Any]]) -> tuple[list[Bar], list[datetime | None]]:
        """Keep first bars and revisions as a stream tells them.

        Returns:
            The bars not heard before, and the starts of messages that are no bars (None where it is not known).
        """
        news: list[Bar] = []
        broken: list[datetime | None] = []
        for message in messages:
            bar = bar_of(message)
            if bar is None:
                broken.append(self._set_aside(message))
            elif message.get("T") == "u":
                self._revise(bar)
            elif self._is_first(bar):
                news.append(bar)
        return news, broken

    def fill(self, bars: "pd.DataFrame") -> list[Bar]:
        """Keep what history has and the stream did not bring; a bars frame in, the bars not heard before out."""
        names = {FIELDS[name]: bars[name].tolist() for name in FIELDS if name in bars}
        rows = [dict(zip(names, values, strict=True)) for values in zip(*names.values(), strict=True)]
        news, _ = self.take_in(rows)
        self.tally = replace(self.tally, filled=self.tally.filled + len(news))
        return sorted(news, key=lambda bar: (bar.start, bar.symbol))

    def write(self) -> None:
        """Store what waits.

        Raises:
            StoreError: the store is away; what waits stays.
        """
        with self._writing:
            while self._bars:
                self._write(self._bars, revise=False)
            while self._revisions:
                self._write(self._revisions, revise=True)

    def _write(self, waiting: list[tuple[World | None, Row]], *, revise: bool) -> None:
        import pandas as pd

        world = waiting[0][0]
        rows = _alike(waiting, world, once=revise)
        frame = pd.DataFrame(rows, columns=list(FIELDS)).astype({"start": object})
        done = self._store.bars.load(frame, timeframe=Timeframe.MIN_1, world=world, revise=revise, **self._marks)
        with self._lock:
            del waiting[: len(rows)]
        self.tally = replace(
            self.tally, stored=self.tally.stored + done.added, revised=self.tally.revised + done.revised
        )

    def _is_first(self, bar: Bar) -> bool:
        with self._lock:
            if (bar.symbol, bar.start) in self._seen:
                self.tally = replace(self.tally, repeated=self.tally.repeated + 1)
                return False
            self._remember(bar.symbol, bar.start)
            self._bars.append((self.world, _row(bar)))
        self.tally = replace(self.tally, heard=self.tally.heard + 1)
        return True

    def _revise(self, bar: Bar) -> None:
        with self._lock:
            self._seen.add((bar.symbol, bar.start))
            self._revisions.append((self.world, _row(bar)))

    def _set_aside(self, message: dict[str, Any]) -> datetime | None:
        row = {name: _plain(message.get(field)) for name, field in FIELDS.items()}
        row["symbol"] = row["symbol"] if isinstance(row["symbol"], str) else None
        with self._lock:
            self._bars.append((self.world, row))
        self.tally = replace(self.tally, malformed=self.tally.malformed + 1)
        return row["start"] if isinstance(row["start"], datetime) and row["start"].tzinfo else None

    def _remember(self, symbol: str, start: datetime) -> None:
        if self._newest and start - max(self._newest.values()) > DAY / 2:
            self._seen.clear()  # another day: its bars cannot repeat those of the last
        self._seen.add((symbol, start))
        self._newest[symbol] = max(start, self._newest.get(symbol, start))

    def _read(self, symbols: Sequence[str], first: datetime, last: datetime) -> "pd.DataFrame":
        marks: dict[str, Any] = self._marks
        return self._store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, world=self.world, **marks)


def bar_of(message: dict[str, Any]) -> Bar | None:
    """The bar that a message tells; None where it tells none."""
    try:
        count, average = (_known(message.get(field)) for field in ("n", "vw"))
        return Bar(
            symbol=_name(message["S"]),
            start=_start(message["t"]),
            open=float(message["o"]),
            high=float(message["h"]),
            low=float(message["l"]),
            close=float(message["c"]),
            volume=_whole(message["v"]),
            trade_count=None if count is None else int(count),
            vwap=average,
        )
    except (InvalidBar, KeyError, TypeError, ValueError, OverflowError):
        return None


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise TypeError("no symbol")
    return given


def _start(given: Any) -> datetime:
    moment = msgspec.convert(given, datetime) if isinstance(given, str) else given
    if hasattr(moment, "to_pydatetime"):
        moment = moment.to_pydatetime()
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise TypeError("no start")
    return moment.astimezone(UTC)


def _known(given: Any) -> float | None:
    return float(given) if isinstance(given, int | float) and isfinite(given) and given >= 0 else None


def _plain(given: Any) -> Any:
    return given if given is None or isinstance(given, str | int | float | datetime) else str(given)


def _whole(given: Any) -> int:
    if isinstance(given, bool) or given != int(given):
        raise ValueError("a volume is a number of shares")
    return int(given)


def _row(bar: Bar) -> Row:
    return {name: getattr(bar, name) for name in FIELDS}


def _alike(waiting: list[tuple[World | None, Row]], world: World | None, *, once: bool) -> list[Row]:
    """The first rows, as long as they are of one world and, where asked, no two of the same bar."""
    rows: list[Row] = []
    places: set[Any] = set()
    for of, row in list(waiting):
        place = (row["symbol"], row["start"]) if once else None
        if of != world or place in places:
            break
        places |= {place} if once else set()
        rows.append(row)
    return rows
