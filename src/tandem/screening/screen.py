"""What a morning's identification found, and what it turned away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, overload

import numpy as np

from tandem.market import Pair, Refusal
from tandem.screening.eligible.quality import SymbolRefused
from tandem.screening.gates import SELECTED
from tandem.screening.passport import Passport
from tandem.screening.table import PairTable
from tandem.statistics import SimulatedNull


@dataclass(frozen=True, slots=True)
class RefusedPair:
    """A pair with the first gate that turned it away."""

    pair: Pair
    refusal: Refusal


class Refusals(Sequence[RefusedPair]):
    """The refused pairs of a table by name; each is put into words when it is asked for."""

    def __init__(self, table: PairTable) -> None:
        self._table = table
        self._rows = np.flatnonzero(table.gate != SELECTED)

    def __len__(self) -> int:
        return self._rows.size

    @overload
    def __getitem__(self, index: int) -> RefusedPair: ...
    @overload
    def __getitem__(self, index: slice) -> list[RefusedPair]: ...
    def __getitem__(self, index: int | slice) -> RefusedPair | list[RefusedPair]:
        if isinstance(index, slice):
            return [self._refused(row) for row in self._rows[index].tolist()]
        return self._refused(int(self._rows[index]))

    def _refused(self, row: int) -> RefusedPair:
        refusal = self._table.why(row)
        assert refusal is not None
        return RefusedPair(self._table.pair(row), refusal)


@dataclass(frozen=True, slots=True)
class Step:
    """Pairs left after one gate."""

    gate: str
    left: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many pairs each gate left, and how many are luck (STATISTICS 3).

    Attributes:
        steps: `pairs` first, then each gate in order.
        tested: eligible pairs, every one tested for cointegration: the false-discovery family.
        passing: tested pairs below the level, before any other gate.
        expected_by_chance: of the tested pairs, were no two cointegrated.
        simulated_null: the same from independent walks with the pairs' volatilities and lengths.
        symbols: symbols considered.
        symbols_refused: those that no pair may use.
    """

    kind: ClassVar = "funnel"

    steps: tuple[Step, ...]
    tested: int
    passing: int
    expected_by_chance: float
    simulated_null: SimulatedNull
    symbols: int = 0
    symbols_refused: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """One morning's identification; the same bars and settings give the same one.

    Attributes:
        session: the trading day it serves.
        passports: selected pairs, best score first.
        funnel: the counts.
        table: every pair considered, with its figures and the gate at which it ended.
    """

    session: date
    passports: tuple[Passport, ...]
    funnel: Funnel
    table: PairTable

    @property
    def refusals(self) -> Refusals:
        """Every pair that was not selected, by name, each with its reason."""
        return Refusals(self.table)

    @property
    def symbols_refused(self) -> tuple[SymbolRefused, ...]:
        """Symbols that no pair may use, by name, each with its reason."""
        return self.table.symbols_refused
