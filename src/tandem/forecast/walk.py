"""One pair's walk forward over what lies before its test block: blocks to judge settings of the model on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from tandem.config import ModelSettings, Settings
from tandem.forecast.baselines import AlwaysOne, Baseline, HalfLifeForecast, LogisticOnDistance, NextMoveForecast
from tandem.forecast.features import Array, look_back
from tandem.forecast.gru import Lesson
from tandem.forecast.judgement import fit_scaler
from tandem.forecast.lessons import Assignment
from tandem.forecast.pair_bars import PairBars
from tandem.forecast.skill import Skill
from tandem.forecast.window import EMBARGO_SHARE, MIN_SAMPLES, Samples, Spread, refused
from tandem.market import Pair, Refusal
from tandem.statistics import WalkStep, purged_walk_forward

SCORES = ("log_loss", "mcc", "f1_score", "brier", "roc_auc")


@dataclass(frozen=True, eq=False)
class Stage:
    """One step of one pair: a spread as its train block knows it, and the blocks.

    Attributes:
        pair: the pair.
        spread: up to the end of the validation block; nothing later is in it.
        step: positions of the blocks.
    """

    pair: Pair
    spread: Spread
    step: WalkStep

    def blocks(self, recipe: ModelSettings) -> tuple[Samples, Samples, Samples]:
        """The samples of train, stopping and validation block under a recipe."""
        samples = self.spread.samples(recipe)
        return (
            samples.within(self.step.train),
            samples.within(self.step.stopping),
            samples.within(self.step.validation),
        )

    def assignment(self, recipe: ModelSettings) -> Assignment:
        """What a GRU learns here: the train block, and the stopping block to stop on."""
        train, stopping, _ = self.blocks(recipe)
        scaler = fit_scaler(train)
        return Assignment(
            (scaler.scale(train.rows), train.labels), (scaler.scale(stopping.rows), stopping.labels), recipe.seed
        )

    def scores(self, lesson: Lesson, recipe: ModelSettings) -> dict[str, float]:
        """How the GRU does on the validation block."""
        train, _, validation = self.blocks(recipe)
        said = lesson.gru.probability(fit_scaler(train).scale(validation.rows))
        return _scores(validation.labels, said)

    def baseline_scores(self, recipe: ModelSettings) -> dict[str, dict[str, float]]:
        """How the rivals do there, by name."""
        train, _, validation = self.blocks(recipe)
        phi, horizon = self.spread.phi, self.spread.horizon
        ar1: Baseline = NextMoveForecast(phi) if recipe.label == "toward" else HalfLifeForecast.of(phi, horizon)
        rivals = (ar1, LogisticOnDistance.fit(train.z, train.labels), AlwaysOne(float(train.labels.mean())))
        return {rival.name: _scores(validation.labels, rival.probability(validation.z)) for rival in rivals}


def walk(bars: PairBars, settings: Settings, longest: ModelSettings) -> list[Stage] | Refusal:
    """The stages of a pair, oldest first, or why there are none.

    The test block of `model.test_split` is cut off before anything is looked at. Every recipe up to the longest
    look-back is judged on the same bars by the same spread.

    Args:
        bars: the training window.
        settings: `model`, `garch` and `tuning` are read.
        longest: the recipe that looks back furthest.
    """
    seen = before_test(bars, settings)
    try:
        found = [_stage(seen, settings, longest, step) for step in range(settings.tuning.steps)]
    except ValueError as error:
        return refused(str(error))
    refusals = [each for each in found if isinstance(each, Refusal)]
    return refusals[0] if refusals else [each for each in found if isinstance(each, Stage)]


def before_test(bars: PairBars, settings: Settings) -> PairBars:
    """What lies before a pair's test block: the only bars that a search may look at."""
    return bars.before(len(bars) - round(len(bars) * settings.model.test_split))


def by_step(walks: Sequence[Sequence[Stage]]) -> list[list[Stage]]:
    """The stages of all pairs, step by step."""
    return [list(stages) for stages in zip(*walks, strict=True)]


def _stage(seen: PairBars, settings: Settings, longest: ModelSettings, number: int) -> Stage | Refusal:
    reach, embargo = look_back(longest), int(np.ceil(len(seen) * EMBARGO_SHARE))

    def step(purge: int) -> WalkStep:
        tuning, stopping = settings.tuning, settings.model.validation_split
        return purged_walk_forward(len(seen), tuning.steps, tuning.step_share, stopping, purge, embargo)[number]

    # What the train block's features and labels reach is what its spread is estimated on.
    begun = step(reach)
    log_a, log_b = seen.before(begun.validation.stop).logs
    spread = Spread.estimate(log_a, log_b, begun.train.stop, settings)
    if isinstance(spread, Refusal):
        return spread
    stage = Stage(seen.pair, spread, step(reach + spread.horizon))
    sizes = [len(block) for block in stage.blocks(longest)]
    if min(sizes) < MIN_SAMPLES:
        listed = ", ".join(map(str, sizes))
        return refused(f"blocks of {listed} labelled bars in step {number + 1}, each needs {MIN_SAMPLES}")
    return stage


def _scores(labels: Array, said: Array) -> dict[str, float]:
    found = asdict(Skill.of(labels, said, said >= 0.5))
    return {name: found[name] for name in SCORES}
