"""Champion, challenger and baseline on what all of them have: net P&L, log loss and QLIKE, day by day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np

from tandem.config import TrialSettings
from tandem.forecast.trial.bootstrap import are_same, confidence_set, superior
from tandem.forecast.trial.contender import BASELINE
from tandem.forecast.trial.grades import in_common
from tandem.forecast.trial.track import Track

MEASURES = 3
LEAST_DAYS = 10
"""Fewer days than this are no series; `trial.min_days` is never below it."""
SAME = "the same"
Daily = Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of all recipes on the days that they share.

    Attributes:
        name: `net_pnl`, `log_loss` or `qlike`.
        days: how many; a day's loss is the mean over what both forecast on it.
        losses: mean of each recipe; P&L counts negative, as a share of the capital.
        over_champion: p-value; the null hypothesis: the challenger does not lose less than the champion.
        over_baseline: the same of the baseline; None where the baseline has no such record.
        confidence_set: p-value of each recipe in the model confidence set: a small one says that another is better.
    """

    name: str
    days: int
    losses: Mapping[str, float]
    over_champion: float
    over_baseline: float | None
    confidence_set: Mapping[str, float]

    def is_won(self, pvalue: float) -> bool:
        """Whether the challenger is better than champion and baseline."""
        return self.over_baseline is not None and max(self.over_champion, self.over_baseline) < pvalue


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A measure that says nothing.

    Attributes:
        name: `net_pnl`, `log_loss` or `qlike`.
        why: in words; `SAME` where champion and challenger have the same losses.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger beside the champion and the baseline.

    Attributes:
        days: sessions that champion and challenger share.
        measures: those on which they differ.
        unmeasured: the others, and why they say nothing.
    """

    champion: str
    challenger: str
    days: int
    measures: tuple[Measured, ...]
    unmeasured: tuple[Unmeasured, ...] = ()

    @classmethod
    def of(cls, champion: str, challenger: str, days: int, found: Iterable[Measured | Unmeasured]) -> Self:
        """From what became of each measure."""
        each = list(found)
        measures = tuple(one for one in each if isinstance(one, Measured))
        return cls(champion, challenger, days, measures, tuple(one for one in each if isinstance(one, Unmeasured)))

    @property
    def alike(self) -> bool:
        """Whether the challenger did on every measure what the champion did."""
        return not self.measures and all(each.why == SAME for each in self.unmeasured)

    def won(self, pvalue: float) -> list[Measured]:
        """Measures on which the challenger is better, each held to a third of `pvalue` (Bonferroni)."""
        return [each for each in self.measures if each.is_won(pvalue / MEASURES)]

    def lost(self, pvalue: float) -> list[Measured]:
        """Measures on which another one is better: the challenger has left the model confidence set."""
        return [each for each in self.measures if each.confidence_set[self.challenger] < pvalue]

    @property
    def figures(self) -> dict[str, float]:
        """Every figure by name."""
        found = {"shared_days": float(self.days)}
        for each in self.measures:
            found |= {f"{each.name}_{recipe}": loss for recipe, loss in each.losses.items()}
            found |= {f"{each.name}_pvalue": each.over_champion, f"{each.name}_days": float(each.days)}
            found |= {f"{each.name}_set_{recipe}": value for recipe, value in each.confidence_set.items()}
            if each.over_baseline is not None:
                found[f"{each.name}_pvalue_{BASELINE}"] = each.over_baseline
        return found


def compare(champion: Track, challenger: Track, baseline: Track | None, settings: TrialSettings) -> Comparison:
    """Paired daily differences under the stationary block bootstrap (STATISTICS 6, 7).

    Args:
        baseline: the book of the AR(1) forecast on the same bars. Without one, nothing is said of its P&L; its
            forecasts are known anyhow. A champion that is the baseline is its own.
        settings: draws and seed.
    """
    if champion.recipe == BASELINE:
        baseline = champion
    found = (_measured(name, losses, settings) for name, losses in _losses(champion, challenger, baseline))
    days = len(champion.pnl.keys() & challenger.pnl.keys())
    return Comparison.of(champion.recipe, challenger.recipe, days, found)


def _losses(champion: Track, challenger: Track, baseline: Track | None) -> Iterator[tuple[str, dict[str, Daily]]]:
    yield "net_pnl", {track.recipe: _costs(track) for track in (champion, challenger, baseline) if track}
    plain = champion.grades.as_baseline() if baseline is None else baseline.grades
    shared = in_common(champion.grades, challenger.grades, plain)
    named = dict(zip((champion.recipe, challenger.recipe, BASELINE), shared, strict=True))
    yield "log_loss", {name: grades.daily(grades.log_losses) for name, grades in named.items()}
    yield "qlike", {name: grades.daily(grades.qlikes) for name, grades in named.items()}


def _costs(track: Track) -> Daily:
    return {day: -earned / track.capital for day, earned in track.pnl.items()}


def _measured(name: str, losses: dict[str, Daily], settings: TrialSettings) -> Measured | Unmeasured:
    champion, challenger = list(losses)[:2]
    days = sorted(set.intersection(*map(set, losses.values())))
    series = {recipe: np.array([daily[day] for day in days]) for recipe, daily in losses.items()}
    if len(days) < LEAST_DAYS:
        return Unmeasured(name, f"known of all of them on {len(days)} sessions, at least {LEAST_DAYS}")
    if are_same(series[champion], series[challenger]):
        return Unmeasured(name, SAME)
    asked = {"draws": settings.draws, "seed": settings.seed}
    over = {rival: superior(series[rival], series[challenger], **asked) for rival in series if rival != challenger}
    means = {recipe: float(values.mean()) for recipe, values in series.items()}
    return Measured(name, len(days), means, over[champion], over.get(BASELINE), confidence_set(series, **asked))
