"""Every pair of a morning with what was measured of it and the gate at which it ended."""

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from tandem.config import ScreenSettings
from tandem.market import Pair, Refusal
from tandem.screening.eligible.origin import why_one
from tandem.screening.eligible.quality import SymbolRefused
from tandem.screening.examination.examined import Examined
from tandem.screening.gates import CORRELATION, ELIGIBILITY, FAMILY_GATES, SELECTED, SPREAD_GATES, STEPS
from tandem.statistics import Unfit

if TYPE_CHECKING:
    from tandem.screening.family import Measured

Column = NDArray[np.float64]

# In one piece of a file: few enough to be small beside the table.
ROWS: Final = 262_144
MEASURED: Final = ("correlation_prices", "correlation_returns", "statistic", "pvalue", "q_bh", "q_by")
WHOLE: Final = {
    "first": np.int32,
    "second": np.int32,
    "gate": np.int8,
    "bars": np.int32,
    "lags": np.int16,
    "unfit": np.int8,
}


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """Columns over the pairs considered, by name of leg a, then of leg b; shape (n_pairs,) each.

    Attributes:
        symbols: of the panel, sorted.
        sources: the symbol whose bars each symbol's bars really are.
        symbols_refused: symbols that no pair may use.
        settings: the gates' limits.
        first, second: legs a and b as positions in `symbols`.
        gate: position in `gates.STEPS` of the gate that refused the pair; `gates.SELECTED` where none did.
        bars: common bars; 0 where the pair was not measured.
        correlation_prices, correlation_returns: of logs (STATISTICS 2); NaN where not measured.
        statistic, pvalue, lags: of the cointegration test, deciding order (STATISTICS 3); NaN and 0 likewise.
        unfit: a `statistics.Unfit` where no test could be made, 0 elsewhere.
        q_bh, q_by: q-values within the family of tested pairs; NaN outside.
        examined: the spreads of the pairs that passed the family's gates.
    """

    symbols: tuple[str, ...]
    sources: tuple[str, ...]
    symbols_refused: tuple[SymbolRefused, ...]
    settings: ScreenSettings
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    gate: NDArray[np.int8]
    bars: NDArray[np.int32]
    correlation_prices: Column
    correlation_returns: Column
    statistic: Column
    pvalue: Column
    lags: NDArray[np.int16]
    unfit: NDArray[np.int8]
    q_bh: Column
    q_by: Column
    examined: Examined

    def __len__(self) -> int:
        return self.first.size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PairTable) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]

    @property
    def tested(self) -> NDArray[np.bool_]:
        """The family: pairs that were tested for cointegration."""
        return self.gate >= len(ELIGIBILITY)

    @property
    def selected(self) -> NDArray[np.intp]:
        """Rows of the pairs that passed every gate."""
        return np.flatnonzero(self.gate == SELECTED)

    @property
    def correlated(self) -> NDArray[np.intp]:
        """Rows of the pairs that passed the correlation gate, the strongest correlation first."""
        rows = np.flatnonzero(self.gate > STEPS.index(CORRELATION.name))
        prices = self.settings.correlation_on == "prices"
        strength = (self.correlation_prices if prices else self.correlation_returns)[rows]
        return rows[np.argsort(-strength, kind="stable")]

    def pair(self, row: int) -> Pair:
        """The pair of a row."""
        return Pair(self.symbols[self.first[row]], self.symbols[self.second[row]])

    def legs(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Rows of the panel of both legs, shape (len(rows), 2)."""
        return np.column_stack((self.first[rows], self.second[rows])).astype(np.int64)

    def write(self, rows: NDArray[np.intp], measured: "Measured") -> None:
        """Put what was measured of some pairs in their columns."""
        for field in fields(measured):
            getattr(self, field.name)[rows] = getattr(measured, field.name)

    def left(self) -> tuple[int, ...]:
        """Pairs left after each of `gates.STEPS`."""
        refused = np.bincount(self.gate, minlength=SELECTED + 1)[:SELECTED]
        return tuple((len(self) - np.cumsum(refused)).tolist())

    def why(self, row: int) -> Refusal | None:
        """Why a pair was refused, in words; None where it was selected."""
        gate = int(self.gate[row])
        if gate == SELECTED:
            return None
        if gate < len(ELIGIBILITY):
            return Refusal(STEPS[gate], self._ineligible(row, STEPS[gate]), "screening")
        if gate < len(ELIGIBILITY) + len(FAMILY_GATES):
            return FAMILY_GATES[gate - len(ELIGIBILITY)].refusal(self, row, self.settings)
        spread_gate = SPREAD_GATES[gate - len(ELIGIBILITY) - len(FAMILY_GATES)]
        return spread_gate.refusal(self.examined, self.spread(row), self.settings)

    def spread(self, row: int) -> int:
        """Position of a pair in `examined`."""
        return int(np.searchsorted(self.examined.row, row))

    def to_bytes(self) -> bytes:
        """The table as a Parquet file, for the store; the same table has the same bytes."""
        import pyarrow as pa
        from pyarrow import parquet

        sink = pa.BufferOutputStream()
        schema = self._slice(0, 0).schema.with_metadata({"screen": self._header()})
        with parquet.ParquetWriter(sink, schema) as writer:
            for start in range(0, len(self), ROWS):
                writer.write_table(self._slice(start, start + ROWS).cast(schema))
        return bytes(sink.getvalue().to_pybytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The table that `to_bytes` wrote."""
        import pyarrow as pa
        from pyarrow import parquet

        file = parquet.ParquetFile(pa.BufferReader(content))
        header = json.loads(file.schema_arrow.metadata[b"screen"])

        def column(name: str) -> NDArray[Any]:
            values: NDArray[Any] = file.read(columns=[name])[name].to_numpy()
            return values

        named = {name: column(name).astype(kind) for name, kind in WHOLE.items()}
        named |= {name: column(name) for name in MEASURED}
        row = np.flatnonzero(named["gate"] >= len(ELIGIBILITY) + len(FAMILY_GATES))
        spreads = {name: column(name)[row] for name in Examined.columns() if name != "bars"}
        return cls(
            symbols=tuple(header["symbols"]),
            sources=tuple(header["sources"]),
            symbols_refused=tuple(
                SymbolRefused(symbol, Refusal(reason, why, "screening"))
                for symbol, reason, why in header["symbols_refused"]
            ),
            settings=ScreenSettings.model_validate(header["settings"]),
            **named,
            examined=Examined(row=row, bars=named["bars"][row].astype(np.float64), **spreads),
        )

    def _ineligible(self, row: int, reason: str) -> str:
        a, b = self.first[row], self.second[row]
        refused = {one.symbol: one.refusal for one in self.symbols_refused}
        for symbol in (self.symbols[a], self.symbols[b]):
            if symbol in refused and refused[symbol].reason == reason:
                return f"{symbol}: {refused[symbol].why}"
        if reason == "same source":
            names = self.symbols[a], self.symbols[b]
            together = f"{names[0]} and {names[1]} move as one: each is a fixed multiple or power of the other"
            return why_one(*names, self.sources[a], self.sources[b]) or together
        if self.unfit[row] == Unfit.CONSTANT:
            return f"the price of a leg never moved on their {self.bars[row]} common bars"
        if self.unfit[row] in (Unfit.NO_HEDGE, Unfit.SINGULAR):
            return f"no regression of the legs has a single answer over their {self.bars[row]} common bars"
        return f"{self.bars[row]} common bars, {self.settings.min_bars} are needed"

    def _header(self) -> str:
        return json.dumps(
            {
                "symbols": self.symbols,
                "sources": self.sources,
                "symbols_refused": [(one.symbol, one.refusal.reason, one.refusal.why) for one in self.symbols_refused],
                "settings": self.settings.model_dump(mode="json"),
            }
        )

    def _slice(self, start: int, stop: int) -> Any:
        import pyarrow as pa

        columns = {name: pa.array(getattr(self, name)[start:stop]) for name in (*WHOLE, *MEASURED)}
        count = len(columns["first"])
        own = slice(*np.searchsorted(self.examined.row, (start, stop)))
        at = self.examined.row[own] - start
        for name in Examined.columns():
            if name != "bars":
                values, absent = np.zeros(count), np.ones(count, np.bool_)
                values[at], absent[at] = getattr(self.examined, name)[own], False
                columns[name] = pa.array(values, mask=absent)
        return pa.table(columns)
