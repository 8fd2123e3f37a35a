"""What a morning's identification found, and what it turned away."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from tandem.market import Pair, Refusal
from tandem.screening.passport import Passport
from tandem.statistics import SimulatedNull


@dataclass(frozen=True, slots=True)
class RefusedPair:
    """A pair with the first gate that turned it away."""

    pair: Pair
    refusal: Refusal


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
    """

    kind: ClassVar = "funnel"

    steps: tuple[Step, ...]
    tested: int
    passing: int
    expected_by_chance: float
    simulated_null: SimulatedNull


@dataclass(frozen=True, slots=True)
class Screen:
    """One morning's identification; the same bars and settings give the same one.

    Attributes:
        session: the trading day it serves.
        passports: selected pairs, best score first.
        refusals: every other pair, by name.
        funnel: the counts.
    """

    session: date
    passports: tuple[Passport, ...]
    refusals: tuple[RefusedPair, ...]
    funnel: Funnel
