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
from tandem.statistics import SimulatedMarkets, SimulatedNull


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
        expected_by_chance: of the tested pairs, were no two cointegrated and p-values uniform.
        simulated_null: the same from independent walks with the pairs' volatilities and lengths.
        symbols: symbols considered.
        symbols_refused: those that no pair may use.
        level: a tested pair passes below it.
        simulated_markets: passing pairs in whole markets of this shape in which no two symbols are cointegrated, and
            whose returns correlate as the median tested pair's do. None in older records.
        selected_by_luck: selected pairs that are luck. Of the best k of them the k-th Benjamini-Hochberg q-value, of
            the others the simulated markets' mean over `passing`, with the k that gives least. Supposes that the gates
            after the test turn away lucky pairs as often as others. None in older records.
    """

    kind: ClassVar = "funnel"

    steps: tuple[Step, ...]
    tested: int
    passing: int
    expected_by_chance: float
    simulated_null: SimulatedNull
    symbols: int = 0
    symbols_refused: int = 0
    level: float = 0.05
    simulated_markets: SimulatedMarkets | None = None
    selected_by_luck: float | None = None

    @property
    def chance(self) -> str:
        """What passed the test beside what luck alone gives, in plain words; empty where nothing was tested."""
        return _chance(self) if self.tested else ""

    @property
    def luck(self) -> str:
        """How many of the selected pairs are luck, in plain words; empty where nobody knows or none is selected."""
        selected = self.steps[-1].left
        return "" if self.selected_by_luck is None or not selected else _luck(self.selected_by_luck, selected)


def _chance(funnel: Funnel) -> str:
    markets, pairs = funnel.simulated_markets, "pair has" if funnel.tested == 1 else "pairs have"
    counts = f"{funnel.passing:,} of {funnel.tested:,} tested {pairs} p < {funnel.level:g}"
    if markets is None:
        return f"{counts}; luck alone gives about {_number(funnel.simulated_null.passing)}."
    found = f"{markets.low:,.0f} to {markets.high:,.0f} in a market of this size (mean {_number(markets.mean)})"
    return f"{counts}; luck alone gives {found}. {_verdict(funnel.passing, markets.high)}"


def _verdict(passing: int, high: float) -> str:
    if not passing:
        return "None passes, not even by luck."
    if passing <= round(high):
        return "So many pass by luck: the test by itself says nothing here, and the later gates have to."
    return "Nineteen markets in twenty have fewer by luck."


def _luck(lucky: float, selected: int) -> str:
    if selected == 1:
        return f"The selected pair is luck with a chance of about {lucky:.0%}."
    if round(lucky) == selected:
        return f"All {selected:,} selected pairs may be luck."
    return f"Of the {selected:,} selected pairs expect about {_number(lucky)} to be luck."


def _number(count: float) -> str:
    return f"{count:,.0f}" if count >= 9.95 else f"{count:,.1f}"


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
