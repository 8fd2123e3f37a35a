"""Bars as the stream sends them: columns in, websocket messages out, each made once for all who want it."""

import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from struct import pack
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tandem.matching import Columns, MinuteBars

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
UNKNOWN: Final = -1
INTEGERS: Final = 1e15
BARS_PER_FRAME: Final = 2_000
WINDOW_BITS: Final = 15
DEFLATE_LEVEL: Final = 1
SMALL: Final = 125
MIDDLE: Final = 0xFFFF
TEXT, BINARY, COMPRESSED = 0x81, 0x82, 0x40
ALL: Final = "*"
PLACEHOLDER: Final = "FAKEPACA"
DERIVED: Final = "DERIVED"
NOWHERE: Final = "-"
ROUND_LOTS: Final = 1

Wanted = frozenset[str] | None


class Frame:
    """One message, ready for any number of connections.

    Attributes:
        payload: what it says.
        binary: whether it goes out as a binary message.
    """

    __slots__ = ("_deflated", "_plain", "binary", "payload")

    def __init__(self, payload: bytes, binary: bool) -> None:
        self.payload = payload
        self.binary = binary
        self._plain: bytes | None = None
        self._deflated: bytes | None = None

    def __len__(self) -> int:
        return len(self.payload)

    @property
    def plain(self) -> bytes:
        """With the websocket's header, for a connection without compression."""
        if self._plain is None:
            self._plain = _head(self._opcode, len(self.payload)) + self.payload
        return self._plain

    @property
    def deflated(self) -> bytes:
        """With the websocket's header, for a connection whose compression remembers nothing between messages."""
        if self._deflated is None:
            squeezed = zlib.compressobj(DEFLATE_LEVEL, wbits=-WINDOW_BITS)
            data = (squeezed.compress(self.payload) + squeezed.flush(zlib.Z_SYNC_FLUSH))[:-4]
            self._deflated = _head(self._opcode | COMPRESSED, len(data)) + data
        return self._deflated

    @property
    def _opcode(self) -> int:
        return BINARY if self.binary else TEXT


BAR_FIELDS: Final = {
    "symbol": "S",
    "open": "o",
    "high": "h",
    "low": "l",
    "close": "c",
    "volume": "v",
    "start": "t",
    "count": "n",
    "vwap": "vw",
}


class BarMessage(msgspec.Struct, tag_field="T", tag="b", rename=BAR_FIELDS, gc=False):
    """A bar; what it does not know is there and null."""

    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: int
    start: datetime
    count: int | None
    vwap: float | None


class UpdatedBarMessage(BarMessage, tag="u", rename=BAR_FIELDS, gc=False):
    """A bar that late trades have changed."""


class DailyBarMessage(BarMessage, tag="d", rename=BAR_FIELDS, gc=False):
    """The session so far."""


TRADE_FIELDS: Final = {
    "symbol": "S",
    "id": "i",
    "exchange": "x",
    "price": "p",
    "size": "s",
    "conditions": "c",
    "time": "t",
    "tape": "z",
}


class TradeMessage(msgspec.Struct, tag_field="T", tag="t", rename=TRADE_FIELDS, gc=False):
    """A trade; one with the condition `DERIVED` never was: it is a bar's close and volume."""

    symbol: str
    id: int
    exchange: str
    price: float
    size: int
    conditions: tuple[str, ...]
    time: datetime
    tape: str


QUOTE_FIELDS: Final = {
    "symbol": "S",
    "bid_exchange": "bx",
    "bid": "bp",
    "bid_size": "bs",
    "ask_exchange": "ax",
    "ask": "ap",
    "ask_size": "as",
    "conditions": "c",
    "time": "t",
    "tape": "z",
}


class QuoteMessage(msgspec.Struct, tag_field="T", tag="q", rename=QUOTE_FIELDS, gc=False):
    """A quote; one with the condition `DERIVED` never was: it is half a spread on both sides of a bar's close."""

    symbol: str
    bid_exchange: str
    bid: float
    bid_size: int
    ask_exchange: str
    ask: float
    ask_size: int
    conditions: tuple[str, ...]
    time: datetime
    tape: str


STATUS_FIELDS: Final = {
    "symbol": "S",
    "status": "sc",
    "status_text": "sm",
    "reason": "rc",
    "reason_text": "rm",
    "time": "t",
    "tape": "z",
}


class StatusMessage(msgspec.Struct, tag_field="T", tag="s", rename=STATUS_FIELDS):
    """A halt or its end, with the exchange's codes."""

    symbol: str
    status: str
    status_text: str
    reason: str
    reason_text: str
    time: datetime
    tape: str = "C"


KINDS: Final = {"bars": BarMessage, "updatedBars": UpdatedBarMessage, "dailyBars": DailyBarMessage}


class Edition:
    """One minute as it goes out: whatever several clients want is encoded once.

    Args:
        bars: those of the minute.
        daily: the session so far, for the symbols of this minute.
        revised: older bars that have changed.
        spread: dollars of spread per dollar of price; where given, trades and quotes are made up from the bars.
        placeholder: whose bars the symbol FAKEPACA plays.

    Attributes:
        printed: how often something has been encoded.
    """

    def __init__(
        self,
        bars: MinuteBars,
        daily: MinuteBars | None = None,
        revised: MinuteBars | None = None,
        *,
        spread: float | None = None,
        placeholder: str = "",
    ) -> None:
        self._rows = {"bars": bars, "updatedBars": revised, "dailyBars": daily}
        if spread is not None:
            self._rows |= {"trades": bars, "quotes": bars}
        self._spread = spread or 0.0
        self._placeholder = placeholder
        self.printed = 0
        self._made: dict[tuple[bool, str, Wanted], list[Frame]] = {}

    def frames(self, binary: bool, channel: str, wanted: Wanted) -> list[Frame]:
        """The messages of one channel.

        Args:
            binary: MessagePack or JSON.
            channel: by its name in a subscription.
            wanted: symbols, with `*` for all; None is all but the placeholder.
        """
        key = (binary, channel, wanted)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._print(*key)
            self.printed += 1
        return made

    def _print(self, binary: bool, channel: str, wanted: Wanted) -> list[Frame]:
        bars = self._rows.get(channel)
        if not bars:
            return []
        messages = self._messages(channel, bars, _rows(bars, wanted), "", binary)
        if wanted is not None and PLACEHOLDER in wanted:
            own = _rows(bars, frozenset([self._placeholder]))
            messages += self._messages(channel, bars, own, PLACEHOLDER, binary)
        return [
            frame(messages[first : first + BARS_PER_FRAME], binary) for first in range(0, len(messages), BARS_PER_FRAME)
        ]

    def _messages(self, channel: str, bars: MinuteBars, rows: Any, name: str, binary: bool) -> list[Any]:
        columns = bars.columns
        names = [name] * len(columns.code[rows]) if name else _names(columns, rows)
        if channel == "trades":
            return trades(columns, rows, names)
        if channel == "quotes":
            return quotes(columns, rows, names, self._spread)
        return bar_messages(KINDS[channel], columns, rows, names, binary)


def frame(messages: object, binary: bool) -> Frame:
    """Messages as one frame."""
    return Frame(_PACKED.encode(messages) if binary else _JSON.encode(messages), binary)


def bar_messages(
    kind: type[BarMessage], columns: Columns, rows: Any, names: Sequence[str], binary: bool
) -> list[BarMessage]:
    """Rows of columns as messages under these names."""
    numbers = _reals if binary else _shortest
    return list(
        map(
            kind,
            names,
            numbers(columns.open[rows]),
            numbers(columns.high[rows]),
            numbers(columns.low[rows]),
            numbers(columns.close[rows]),
            columns.volume[rows].tolist(),
            _times(columns.start[rows]),
            _counts(columns.trade_count[rows]),
            _vwaps(columns.vwap[rows], numbers),
        )
    )


def trades(columns: Columns, rows: Any, names: Sequence[str]) -> list[TradeMessage]:
    """A trade made up from each bar: all its volume at its close, in its last microsecond."""
    last = _last_moments(columns, rows)
    ids = (last // 1_000_000 * 1_000 + columns.code[rows]).tolist()
    parts = zip(names, ids, _shortest(columns.close[rows]), columns.volume[rows].tolist(), _times(last), strict=False)
    return [TradeMessage(s, i, NOWHERE, p, v, (DERIVED,), t, NOWHERE) for s, i, p, v, t in parts]


def quotes(columns: Columns, rows: Any, names: Sequence[str], spread: float) -> list[QuoteMessage]:
    """A quote made up from each bar: a spread around its close, in its last microsecond."""
    import numpy as np

    close = columns.close[rows]
    bids = _shortest(np.floor(close * (1 - spread / 2) * 100) / 100)
    asks = _shortest(np.ceil(close * (1 + spread / 2) * 100) / 100)
    times = _times(_last_moments(columns, rows))
    lots, where = ROUND_LOTS, NOWHERE
    return [
        QuoteMessage(symbol, where, bid, lots, where, ask, lots, (DERIVED,), time, where)
        for symbol, bid, ask, time in zip(names, bids, asks, times, strict=False)
    ]


def _last_moments(columns: Columns, rows: Any) -> Any:
    return columns.start[rows] + (columns.timeframe.length // TICK - 1)


def _rows(bars: MinuteBars, wanted: Wanted) -> Any:
    if wanted is None or ALL in wanted:
        return slice(bars.first, bars.last)
    mask = _mask(bars.columns.symbols, wanted)
    return mask[bars.columns.code[bars.first : bars.last]].nonzero()[0] + bars.first


@lru_cache(256)
def _mask(symbols: tuple[str, ...], wanted: frozenset[str]) -> "NDArray[Any]":
    import numpy as np

    return np.array([symbol in wanted for symbol in symbols], dtype=bool)


def _names(columns: Columns, rows: Any) -> Sequence[str]:
    return list(map(columns.symbols.__getitem__, columns.code[rows].tolist()))


def _times(start: "NDArray[Any]") -> Any:
    if len(start) and start[0] == start[-1]:
        return repeat(EPOCH + int(start[0]) * TICK)
    return [EPOCH + ticks * TICK for ticks in start.tolist()]


def _counts(counts: "NDArray[Any]") -> list[int | None]:
    known: list[int | None] = counts.tolist()
    return [None if count == UNKNOWN else count for count in known] if UNKNOWN in counts else known


def _vwaps(vwaps: "NDArray[Any]", numbers: Callable[["NDArray[Any]"], list[Any]]) -> list[Any]:
    import numpy as np

    known = numbers(vwaps)
    for unknown in np.isnan(vwaps).nonzero()[0].tolist():
        known[unknown] = None
    return known


def _reals(values: "NDArray[Any]") -> list[Any]:
    listed: list[Any] = values.tolist()
    return listed


def _shortest(values: "NDArray[Any]") -> list[Any]:
    listed: list[Any] = values.tolist()  # JSON has 136 where Python has 136.0, as Alpaca writes it
    for whole in ((values.round() == values) & (values < INTEGERS)).nonzero()[0].tolist():
        listed[whole] = int(listed[whole])
    return listed


def _head(opcode: int, length: int) -> bytes:
    if length <= SMALL:
        return pack("!BB", opcode, length)
    return pack("!BBH", opcode, 126, length) if length <= MIDDLE else pack("!BBQ", opcode, 127, length)


_PACKED: Final = msgspec.msgpack.Encoder()
_JSON: Final = msgspec.json.Encoder()
