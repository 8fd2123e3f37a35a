"""PostgreSQL's binary COPY format, made and read whole arrays at a time.

Every row is a field count and then each field's length and bytes, big-endian; rows of one width are
therefore a NumPy structured array. Reading asks for one row of arrays per symbol, because the client
library hands out rows one by one. Format: PostgreSQL documentation, COPY, "Binary Format".
"""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.store.bars.sift import Sound

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
EPOCH: Final = np.datetime64("2000-01-01", "us")
PRICES: Final = ("open", "high", "low", "close")

Part = tuple[str, str]


def stored_columns(bars: Sound) -> list[str]:
    """The columns that `rows` writes, in order."""
    return ["symbol", "timestamp", *PRICES, "volume", *bars.extras]


def rows(bars: Sound) -> list[bytes]:
    """The whole COPY stream of these bars, in pieces."""
    return [SIGNATURE, *(_rows_of(bars, chosen) for chosen in _of_one_width(bars)), TRAILER]


def _of_one_width(bars: Sound) -> list[NDArray[np.bool_]]:
    """Which bars have symbols of one length and the same extras unknown: their rows are equally long."""
    widths = np.array([len(name.encode()) for name in bars.names], dtype=np.int64)
    shape = widths[bars.codes] if len(bars) else np.zeros(0, dtype=np.int64)
    for values in bars.extras.values():
        shape = shape * 2 + np.isnan(values)
    return [shape == one for one in np.unique(shape)]


def _rows_of(bars: Sound, chosen: NDArray[np.bool_]) -> bytes:
    some = bars if chosen.all() else bars.where(chosen)
    known = {name: values for name, values in some.extras.items() if not np.isnan(values[0])}
    names = np.array([name.encode() for name in some.names])
    width = len(some.names[some.codes[0]].encode())
    fields: list[Part] = [("symbol", f"S{width}"), ("timestamp", ">i8"), *((name, ">f8") for name in PRICES)]
    fields += [("volume", ">i8")]
    fields += [(name, _type(name) if name in known else "") for name in some.extras]
    block = np.zeros(len(some), dtype=_row(fields))
    _set_lengths(block, fields)
    block["symbol"] = names[some.codes]
    block["timestamp"] = (some.start - EPOCH).astype(np.int64)
    for name, values in zip(PRICES, some.prices, strict=True):
        block[name] = values
    block["volume"] = some.volume
    for name, values in known.items():
        block[name] = values
    return block.tobytes()


def _type(extra: str) -> str:
    return ">i8" if extra == "trade_count" else ">f8"


def _row(fields: list[Part]) -> np.dtype[np.void]:
    parts: list[Part] = [("fields", ">i2")]
    for name, kind in fields:
        parts += [(f"length of {name}", ">i4")] + ([(name, kind)] if kind else [])
    return np.dtype(parts)


def _set_lengths(block: NDArray[np.void], fields: list[Part]) -> None:
    block["fields"] = len(fields)
    for name, kind in fields:
        block[f"length of {name}"] = np.dtype(kind).itemsize if kind else -1


def columns(stream: bytes, count: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rows of a group's number and `count` equally long arrays of 8-byte values, joined.

    Returns:
        The group of each value, shape (values,), and the bits of the values, shape (count, values):
        `.view(float64)` where they are floats.
    """
    groups, pieces = [], [np.empty((count, 0), dtype=">i8")]
    at = len(SIGNATURE)
    while stream[at : at + 2] != TRAILER:
        (group,) = _GROUP.unpack_from(stream, at)
        width = _ARRAY.unpack_from(stream, at + _GROUP.size)[0] + 4
        values = _arrays(stream, at + _GROUP.size, count, width)
        groups.append(np.full(values.shape[1], group, dtype=np.int32))
        pieces.append(values)
        at += _GROUP.size + count * width
    return np.concatenate([np.empty(0, dtype=np.int32), *groups]), np.concatenate(pieces, axis=1, dtype=np.int64)


def labelled(stream: bytes, texts: int, count: int) -> Iterator[tuple[int, list[str], NDArray[np.int64]]]:
    """Rows of a group's number, some texts and `count` equally long arrays of 8-byte values.

    Yields:
        The group, its texts, and the bits of its values, shape (count, values).
    """
    at = len(SIGNATURE)
    while stream[at : at + 2] != TRAILER:
        (group,) = _GROUP.unpack_from(stream, at)
        at += _GROUP.size
        words = []
        for _ in range(texts):
            (length,) = _ARRAY.unpack_from(stream, at)
            words.append(stream[at + 4 : at + 4 + length].decode())
            at += 4 + length
        width = _ARRAY.unpack_from(stream, at)[0] + 4
        yield group, words, _arrays(stream, at, count, width).astype(np.int64)
        at += count * width


def _arrays(stream: bytes, at: int, count: int, width: int) -> NDArray[np.int64]:
    whole = np.frombuffer(stream, np.uint8, count * width, at).reshape(count, width)
    return np.ascontiguousarray(whole[:, ARRAY_HEADER:].reshape(count, -1, 12)[:, :, 4:]).view(">i8")[:, :, 0]


_GROUP: Final = struct.Struct(">6xi")
_ARRAY: Final = struct.Struct(">i")
ARRAY_HEADER: Final = 4 + 20
