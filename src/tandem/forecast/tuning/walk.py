"""One pair's walk forward over what lies before its test block: blocks to judge settings of the model on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tandem.config import ModelSettings, Settings
from tandem.forecast.features import look_back
from tandem.forecast.gru import Assignment, Lesson
from tandem.forecast.training.judgement import assignment_of, baseline_metrics, judge
from tandem.forecast.training.pair_bars import PairBars
from tandem.forecast.window import EMBARGO_SHARE, MIN_SAMPLES, Spread, Window, refused
from tandem.market import Pair, Refusal
from tandem.statistics import WalkStep, purged_walk_forward

SCORES = ("log_loss", "mcc", "f1_score", "brier", "roc_auc")
RIVALS = ("ar1", "logistic", "always_one")


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

    def window(self, recipe: ModelSettings) -> Window:
        """The samples under a recipe, as a window whose last block is the validation block of the step."""
        samples, step = self.spread.samples(recipe), self.step
        return Window(self.spread, *map(samples.within, (step.train, step.stopping, step.validation)))

    def assignment(self, recipe: ModelSettings) -> Assignment:
        """What a GRU learns here: the train block, and the stopping block to stop on."""
        return assignment_of(self.window(recipe), recipe)

    def scores(self, lesson: Lesson, recipe: ModelSettings) -> dict[str, float]:
        """How the GRU does on the validation block."""
        found = judge(self.window(recipe), recipe, lesson=lesson).metrics
        return {name: found[f"test_{name}"] for name in SCORES}

    def baseline_scores(self, recipe: ModelSettings) -> dict[str, dict[str, float]]:
        """How the rivals do there, by name."""
        found = baseline_metrics(self.window(recipe), recipe)
        return {rival: {name: found[f"test_{name}_{rival}"] for name in SCORES} for rival in RIVALS}


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
    sizes = [len(block) for block in stage.window(longest).blocks.values()]
    if min(sizes) < MIN_SAMPLES:
        listed = ", ".join(map(str, sizes))
        return refused(f"blocks of {listed} labelled bars in step {number + 1}, each needs {MIN_SAMPLES}")
    return stage
