"""The rows that every benchmark here prints."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        goal, met: None is a figure for comparison.
        standard_error, draws: of a figure that was simulated, in its own unit.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    met: bool | None = None
    standard_error: float | None = None
    draws: int | None = None


def at_least(name: str, value: float, unit: str, goal: float) -> Figure:
    return Figure(name, value, unit, goal, value >= goal)


def at_most(name: str, value: float, unit: str, goal: float) -> Figure:
    return Figure(name, value, unit, goal, value <= goal)


def mean(name: str, values: Sequence[float], unit: str = "") -> Figure:
    """Mean of simulated values, with its standard error."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Figure(name, float(np.mean(values)), unit, standard_error=error, draws=len(values))


def share(name: str, hits: Sequence[bool]) -> Figure:
    """Share of simulated cases that hit, in percent, with its standard error."""
    rate = float(np.mean(hits))
    error = float(np.sqrt(rate * (1 - rate) / len(hits)))
    return Figure(name, 100 * rate, "%", standard_error=100 * error, draws=len(hits))


def row(figure: Figure) -> str:
    """The figure as one line of JSON: {name, value, unit, goal, met}, simulated ones with {standard_error, draws}."""
    fields = asdict(figure)
    if figure.standard_error is None:
        del fields["standard_error"], fields["draws"]
    return json.dumps(fields)


def line(figure: Figure) -> str:
    """The figure as one line for people."""
    told = f"{figure.name:<90}{_amount(figure.value, figure.unit)} {figure.unit:<8}{_spread(figure)}{_verdict(figure)}"
    return told.rstrip()


def _amount(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:>14.1f}"
    return f"{value:>14,.0f}" if abs(value) >= 1000 else f"{value:>14.3f}"


def _spread(figure: Figure) -> str:
    if figure.standard_error is None:
        return ""
    return f" +- {_amount(figure.standard_error, figure.unit).strip()}, {figure.draws:,} draws"


def _verdict(figure: Figure) -> str:
    return "" if figure.met is None else f"  goal {figure.goal:,g}: {'met' if figure.met else 'NOT MET'}"
