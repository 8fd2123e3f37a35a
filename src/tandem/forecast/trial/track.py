"""What one recipe's forecasts and book came to: the concatenated record of its refits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from tandem.forecast.features import Array
from tandem.forecast.trial.grades import Grades


@dataclass(frozen=True, eq=False)
class Track:
    """The record of a recipe.

    Attributes:
        recipe: its name.
        grades: its forecasts and what came of them.
        pnl: net P&L of each session, both legs, after costs, dollars.
        capital: dollars at the start.
        of_pairs: the same P&L by pair, mean of a session; empty where nobody asked.
    """

    recipe: str
    grades: Grades
    pnl: Mapping[date, float]
    capital: float
    of_pairs: Mapping[str, float] | None = None

    @property
    def days(self) -> list[date]:
        """Its sessions, oldest first."""
        return sorted(self.pnl)

    @property
    def equity(self) -> Array:
        """Dollars at the start and at the end of each session, shape [days + 1]."""
        return self.capital + np.concatenate([[0.0], np.cumsum([self.pnl[day] for day in self.days])])

    @property
    def returns(self) -> Array:
        """Net P&L of each session over the equity before it, shape [days]."""
        equity = self.equity
        returns: Array = np.diff(equity) / equity[:-1]
        return returns
