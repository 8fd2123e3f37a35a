"""Bars of many symbols side by side."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from tandem.market import DataError, Timeframe

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

FIELDS: Final = ("opens", "closes", "volumes")


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of many symbols on one grid of times; NaN where a symbol has no bar.

    Attributes:
        symbols: sorted.
        timeframe: of the bars.
        starts: of the bars, UTC, datetime64[us], sorted, shape (n_bars,): every time at which any symbol has a bar.
        opens, closes: dollars per share, shape (n_symbols, n_bars).
        volumes: shares, shape (n_symbols, n_bars).
        version: SHA-256 of all of it (`data_version`): the same bars have the same one, wherever they were read from.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    starts: "NDArray[np.datetime64]"
    opens: "Matrix"
    closes: "Matrix"
    volumes: "Matrix"
    version: str

    @classmethod
    def of(cls, bars: "pd.DataFrame", timeframe: Timeframe) -> Self:
        """The panel that a bars frame holds.

        Raises:
            ValueError: two bars of one symbol have the same start.
        """
        import numpy as np
        import pandas as pd

        codes, names = pd.factorize(bars["symbol"], sort=True)
        starts = bars["start"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        fields = [bars[name].to_numpy(np.float64) for name in ("open", "close", "volume")]
        return cls.spread(list(map(str, names)), timeframe, codes, starts, *fields)

    @classmethod
    def spread(
        cls,
        symbols: Sequence[str],
        timeframe: Timeframe,
        codes: "NDArray[Any]",
        starts: "NDArray[np.datetime64]",
        *fields: "NDArray[Any]",
    ) -> Self:
        """The panel of bars that come as columns.

        Args:
            symbols: sorted; each has a bar.
            timeframe: of the bars.
            codes: which of `symbols` each bar has, shape (bars,).
            starts: of the bars, UTC, datetime64[us], shape (bars,).
            fields: opens, closes and volumes, each of shape (bars,).

        Raises:
            ValueError: two bars of one symbol have the same start.
        """
        import numpy as np

        from tandem.store.bars.grid import align

        grid, places = align([starts] if len(starts) else [])
        cells = codes.astype(np.int64) * len(grid) + (places[0] if places else 0)
        _refuse_repeats(cells, len(symbols) * len(grid))
        matrices = [np.full((len(symbols), len(grid)), np.nan) for _ in fields]
        for matrix, values in zip(matrices, fields, strict=True):
            matrix.ravel()[cells] = values
        return cls.whole(symbols, timeframe, grid, *matrices)

    @classmethod
    def whole(
        cls, symbols: Sequence[str], timeframe: Timeframe, starts: "NDArray[np.datetime64]", *fields: "Matrix"
    ) -> Self:
        """The panel of these matrices (opens, closes, volumes), with its version."""
        opens, closes, volumes = fields
        version = _digest(symbols, timeframe, starts, *fields)
        return cls(tuple(symbols), timeframe, starts, opens, closes, volumes, version)

    def __len__(self) -> int:
        return len(self.symbols)

    def save(self, path: Path) -> None:
        """Write it as one Arrow file, one row per symbol; a reader sees the whole file or none."""
        import pyarrow as pa

        schema = pa.schema(
            [("symbol", pa.string()), *((name, pa.large_list(pa.float64())) for name in FIELDS)],
            {"timeframe": str(self.timeframe), "starts": self.starts.tobytes(), "version": self.version},
        )
        table = pa.table([list(self.symbols), *(_rows(getattr(self, name)) for name in FIELDS)], schema=schema)
        written = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with pa.ipc.new_file(written, schema) as file:
                file.write_table(table)
            written.replace(path)
        finally:
            written.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The panel that `save` wrote; its matrices lie in the file and are read-only.

        Raises:
            DataError: there is no panel, or not what was written.
        """
        import pyarrow as pa

        try:
            panel = cls._of_file(path)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise DataError(f"{path} holds no panel: {type(error).__name__}") from error
        return panel

    @classmethod
    def _of_file(cls, path: Path) -> Self:
        import numpy as np
        import pyarrow as pa

        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all().combine_chunks()
        known = {key.decode(): value for key, value in table.schema.metadata.items()}
        starts = np.frombuffer(known["starts"], "datetime64[us]")
        matrices = [_matrix(table[name], table.num_rows, len(starts)) for name in FIELDS]
        panel = cls.whole(table["symbol"].to_pylist(), Timeframe(known["timeframe"].decode()), starts, *matrices)
        if panel.version != known["version"].decode():
            raise ValueError("not what was written")
        return panel


def _rows(matrix: "Matrix") -> Any:
    import numpy as np
    import pyarrow as pa

    ends = np.arange(matrix.shape[0] + 1, dtype=np.int64) * matrix.shape[1]
    return pa.LargeListArray.from_arrays(pa.array(ends), pa.array(np.ascontiguousarray(matrix).ravel()))


def _matrix(column: Any, rows: int, bars: int) -> "Matrix":
    values: Matrix = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(rows, bars)


def _refuse_repeats(cells: "NDArray[np.int64]", count: int) -> None:
    import numpy as np

    filled = np.zeros(count, dtype=bool)
    filled[cells] = True
    if np.count_nonzero(filled) != len(cells):
        raise ValueError("two bars of one symbol have the same start")


def _digest(symbols: Sequence[str], timeframe: Timeframe, starts: "NDArray[np.datetime64]", *fields: "Matrix") -> str:
    """A digest of digests, so that two processors can share the work."""
    import numpy as np

    with ThreadPoolExecutor(len(fields)) as threads:
        parts = threads.map(lambda array: sha256(np.ascontiguousarray(array).view(np.uint8).data), (starts, *fields))
        whole = sha256(json.dumps([str(timeframe), list(symbols), [part.hexdigest() for part in parts]]).encode())
    return whole.hexdigest()
