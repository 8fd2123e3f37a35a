"""One month of bars as a Parquet file that can tell whether it is whole.

The file is an ordinary Parquet table (symbol, source, feed, adjustment and the columns of `market_data`), a row
group per block. What it claims to be stands in its metadata, with a checksum of those words; every column of every
row group has a checksum of its decoded values. Nothing is believed that does not agree.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, cast
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tandem.store.bars.block import COLUMNS, Block, Column, Of

LABELS: Final = ("symbol", "source", "feed", "adjustment")
REALS: Final = tuple(name for name in COLUMNS if name not in ("timestamp", "volume"))
SCHEMA: Final = pa.schema(
    [
        *((name, pa.dictionary(pa.int32(), pa.string())) for name in LABELS),
        ("timestamp", pa.timestamp("us", "UTC")),
        *((name, pa.int64() if name == "volume" else pa.float64()) for name in COLUMNS[1:]),
    ]
)
ENCODING: Final[Mapping[str, Any]] = {
    "compression": "lz4",
    "use_dictionary": [*LABELS, "timestamp"],
    "use_byte_stream_split": list(COLUMNS[1:]),
    "write_statistics": False,
    "write_page_checksum": True,
}
FORM: Final = 1


class Broken(Exception):
    """The file is not what was written; build it again."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a row group holds."""

    series: Of
    counts: Mapping[str, int]
    checks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Title:
    """What a file says it holds: the bars of a database's month that start before `until`, in a state of them."""

    database: str
    timeframe: str
    month: str
    until: str
    state: str
    parts: tuple[Part, ...] = ()
    form: int = FORM

    @property
    def end(self) -> datetime:
        """`until` as a time."""
        return datetime.fromisoformat(self.until)

    @property
    def bars(self) -> int:
        """How many it holds."""
        return sum(sum(part.counts.values()) for part in self.parts)

    def metadata(self) -> dict[str, str]:
        """The title in words, and their checksum."""
        words = json.dumps(asdict(self), separators=(",", ":"))
        return {"tandem": words, "tandem.check": str(zlib.crc32(words.encode()))}

    @classmethod
    def of(cls, metadata: Mapping[bytes, bytes]) -> Self:
        """The title that these words are.

        Raises:
            Broken: there is none, or one of another form.
        """
        words = metadata.get(b"tandem", b"")
        if metadata.get(b"tandem.check") != str(zlib.crc32(words)).encode():
            raise Broken("no title")
        known = json.loads(words)
        if known["form"] != FORM:
            raise Broken("another form")
        parts = tuple(Part(tuple(part["series"]), part["counts"], part["checks"]) for part in known.pop("parts"))
        return cls(**known, parts=parts)


@dataclass(frozen=True, slots=True)
class MonthFile:
    """A file, what it says it holds, and its very words."""

    path: Path
    title: Title
    words: Mapping[bytes, bytes]

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file at this path.

        Raises:
            Broken: there is none, or it has no title.
        """
        with _distrust(), _opened(path) as (_, metadata):
            words = metadata.metadata or {}
            return cls(path, Title.of(words), words)

    def parts(self, names: set[str]) -> list[int]:
        """The row groups with bars of any of these symbols."""
        return [n for n, part in enumerate(self.title.parts) if not names.isdisjoint(part.counts)]

    def read(self, part: int, columns: Sequence[str]) -> Block:
        """The block that is a row group.

        Raises:
            Broken: the file is not what was written.
        """
        with _distrust(), _opened(self.path) as (file, metadata):
            if metadata.metadata != self.words:
                raise Broken("another file took its place")
            table = pq.ParquetFile(file, metadata=metadata).read_row_group(part, list(columns), use_threads=False)
            of = self.title.parts[part]
            found = {name: _values(table[name]) for name in columns}
            if any(_check(values) != of.checks[name] for name, values in found.items()):
                raise Broken("not what was written")
        return Block(of.series, of.counts, found)


def write(path: Path, title: Title, blocks: Iterable[Block]) -> None:
    """Write a file; readers see the whole of it or what was there before.

    Raises:
        OSError: there is no place or no permission.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(path.parent)
    written = path.parent / f"{path.stem}.{uuid4().hex}.part"
    try:
        with written.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _fill(file, title, blocks)
            file.flush()
            written.replace(path)
    finally:
        written.unlink(missing_ok=True)


def _fill(file: Any, title: Title, blocks: Iterable[Block]) -> None:
    parts = []
    with pq.ParquetWriter(file, SCHEMA, **ENCODING) as writer:
        for block in filter(len, blocks):
            writer.write_table(_table(block), row_group_size=len(block))
            checks = {name: _check(block.columns[name]) for name in COLUMNS}
            parts.append(Part(block.series, dict(block.counts), checks))
        writer.add_key_value_metadata(replace(title, parts=tuple(parts)).metadata())


def _table(block: Block) -> pa.Table:
    counts = np.fromiter(block.counts.values(), np.int64, len(block.counts))
    codes = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    symbol = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(block.counts), pa.string()))
    labels = [pa.DictionaryArray.from_arrays(pa.array(codes * 0), pa.array([word])) for word in block.series]
    columns = [pa.array(block.columns[name]).cast(SCHEMA.field(name).type) for name in COLUMNS]
    return pa.table([symbol, *labels, *columns], schema=SCHEMA)


def _values(column: pa.ChunkedArray) -> Column:
    return cast(Column, column.combine_chunks().to_numpy(zero_copy_only=False))


def _check(values: Column) -> int:
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data)


def _sweep(folder: Path) -> None:
    """Remove what killed builders left: a living one holds the lock of its file."""
    for left in folder.glob("*.part"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, pq.FileMetaData]]:
    with pa.OSFile(os.fspath(path)) as file:
        yield file, pq.read_metadata(file)


@contextmanager
def _distrust() -> Iterator[None]:
    """Whatever goes wrong while a file is read, the file is to blame."""
    try:
        yield
    except Exception as error:
        raise error if isinstance(error, Broken) else Broken(str(error)) from error
