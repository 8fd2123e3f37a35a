"""A formation window cut for judging: what was learned on its first block, and the samples of all three."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.config import ModelSettings, Settings
from tandem.forecast.features import Array, features, look_back, sequences
from tandem.forecast.labels import horizon_of, labels
from tandem.market import Refusal
from tandem.statistics import (
    Equilibrium,
    GarchFit,
    GarchPath,
    fit_equilibrium,
    fit_hedge,
    fit_spread,
    half_life,
    purged_blocks,
)

MIN_SAMPLES = 30
"""Fewer labelled bars than this in a block teach and judge nothing."""
MIN_TRAIN_BARS = 50
"""Fewer bars than this estimate no spread."""
EMBARGO_SHARE = 0.01
"""Bars left out before a block beside the purge, as a share of all."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled bars of one block.

    Attributes:
        names: of the features.
        bars: their positions in the window, shape [samples].
        rows: features of the sequence that ends at each, shape [samples, length, features].
        z: distance from the equilibrium in deviations, shape [samples].
        labels: 0 or 1, shape [samples].
    """

    names: tuple[str, ...]
    bars: np.ndarray[Any, np.dtype[np.intp]]
    rows: Array
    z: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def within(self, block: slice) -> "Samples":
        """Those at bars of a block."""
        inside = (self.bars >= block.start) & (self.bars < block.stop)
        return Samples(self.names, self.bars[inside], self.rows[inside], self.z[inside], self.labels[inside])


@dataclass(frozen=True, eq=False)
class Spread:
    """A spread over the whole window with everything estimated on its first bars.

    Attributes:
        values: log-price units, shape [bars].
        equilibrium: of the first bars.
        phi: AR(1) coefficient per bar, of the first bars.
        horizon: the half-life in bars, rounded.
        garch: fitted on the first bars.
        path: that fit, filtered over all.
    """

    values: Array
    equilibrium: Equilibrium
    phi: float
    horizon: int
    garch: GarchFit
    path: GarchPath

    @classmethod
    def estimate(cls, log_a: Array, log_b: Array, seen: int, settings: Settings) -> "Spread | Refusal":
        """Hedge, equilibrium, AR(1) and GARCH from the first `seen` bars alone."""
        if seen < MIN_TRAIN_BARS:
            return refused(f"{len(log_a)} bars leave {max(seen, 0)} to learn from, {MIN_TRAIN_BARS} are needed")
        values = fit_hedge(log_a[:seen], log_b[:seen]).spread(log_a, log_b)
        speed = half_life(values[:seen])
        if speed.bars is None:
            return refused(f"the spread does not revert over the train block: phi is {speed.phi:.3f}")
        garch = fit_spread(values[:seen], settings.garch)
        return cls(
            values, fit_equilibrium(values[:seen]), speed.phi, horizon_of(speed.bars), garch, garch.filter(values)
        )

    def samples(self, recipe: ModelSettings) -> Samples:
        """Every bar with a full sequence of features and a known label."""
        seen = features(self.values, self.path, recipe)
        asked = labels(self.values, self.equilibrium.mean, self.horizon, recipe)
        bars = np.flatnonzero(seen.complete_over(recipe.sequence_length) & np.isfinite(asked))
        rows = sequences(seen.values, recipe.sequence_length)[bars - recipe.sequence_length + 1]
        return Samples(seen.names, bars, rows, self.equilibrium.z(self.values)[bars], asked[bars])


@dataclass(frozen=True, eq=False)
class Window:
    """Three blocks in time order, none of which sees into another, and the spread as the first one knows it."""

    spread: Spread
    train: Samples
    validation: Samples
    test: Samples

    @classmethod
    def cut(cls, log_a: Array, log_b: Array, settings: Settings) -> "Window | Refusal":
        """Cut a window of aligned log prices; refused where a block is too small or the spread does not revert.

        The spread is estimated on exactly those bars that the train block's features and labels reach; a
        gap of the longest look-back, the horizon and an embargo of 1% lies before each later block.
        """
        recipe, bars = settings.model, len(log_a)
        later = round(bars * recipe.validation_split) + round(bars * recipe.test_split)
        spread = Spread.estimate(log_a, log_b, bars - later - look_back(recipe) - _embargo(bars), settings)
        return spread if isinstance(spread, Refusal) else cls.of(spread, recipe)

    @classmethod
    def of(cls, spread: Spread, recipe: ModelSettings) -> "Window | Refusal":
        """Cut a spread that is already estimated."""
        bars, purge = len(spread.values), look_back(recipe) + spread.horizon
        try:
            cut = purged_blocks(bars, recipe.validation_split, recipe.test_split, purge, _embargo(bars))
        except ValueError as error:
            return refused(str(error))
        samples = spread.samples(recipe)
        blocks = [samples.within(block) for block in (cut.train, cut.validation, cut.test)]
        if min(map(len, blocks)) < MIN_SAMPLES:
            sizes = ", ".join(str(len(block)) for block in blocks)
            return refused(f"blocks of {sizes} labelled bars, each needs {MIN_SAMPLES}")
        return cls(spread, *blocks)

    @property
    def blocks(self) -> dict[str, Samples]:
        """The blocks by name, oldest first."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def refused(why: str) -> Refusal:
    """No model, and why."""
    return Refusal("model", why, "forecast")


def _embargo(bars: int) -> int:
    return int(np.ceil(bars * EMBARGO_SHARE))
