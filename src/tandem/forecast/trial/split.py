"""A split: champion and challenger on different pairs of one book, compared by what chance made of the draw."""

from collections.abc import Mapping, Sequence

import numpy as np

from tandem.config import TrialSettings
from tandem.forecast.features import Array
from tandem.forecast.trial.bootstrap import superior
from tandem.forecast.trial.comparison import LEAST_DAYS, Comparison, Measured, Unmeasured
from tandem.forecast.trial.grades import Grades
from tandem.forecast.trial.track import Track

LEAST_PAIRS = 3
"""With fewer pairs on a side no draw is extreme."""


def compare_split(champion: Track, challenger: Track, settings: TrialSettings) -> Comparison:
    """Compare recipes that had different pairs.

    Pairs differ, and a pair stays with its recipe, so days are no fair draws: the unit is the pair. The p-value is the
    share of random assignments of the pairs that favour the challenger as much (a permutation test). A pair's loss is
    its mean log loss *beyond the baseline's on the same forecasts*, which takes most of what makes pairs
    unlike out of it; its P&L has no such rival within a split, so it is shown and decides nothing.
    """
    tracks = champion, challenger
    costs, excess = [_costs(track) for track in tracks], [_excess(track.grades) for track in tracks]
    found = (
        _measured("net_pnl", tracks, costs, None, settings),
        _measured("log_loss", tracks, excess, _over_baseline(challenger.grades, settings), settings),
    )
    days = len(champion.pnl.keys() | challenger.pnl.keys())
    return Comparison.of(champion.recipe, challenger.recipe, days, found)


def _measured(
    name: str,
    tracks: tuple[Track, Track],
    losses: Sequence[Mapping[str, float]],
    over_baseline: float | None,
    settings: TrialSettings,
) -> Measured | Unmeasured:
    if min(map(len, losses)) < LEAST_PAIRS:
        own, rival = (len(each) for each in reversed(losses))
        return Unmeasured(name, f"known of {own} of its pairs and {rival} of the champion's, at least {LEAST_PAIRS}")
    (champion, challenger), (before, after) = tracks, (np.array([*each.values()]) for each in losses)
    better, worse = _by_chance(before, after, settings), _by_chance(after, before, settings)
    means = {champion.recipe: float(before.mean()), challenger.recipe: float(after.mean())}
    chances = {champion.recipe: better, challenger.recipe: worse}
    return Measured(name, len(challenger.pnl), means, better, over_baseline, chances)


def _by_chance(rival: Array, own: Array, settings: TrialSettings) -> float:
    from scipy.stats import permutation_test

    found = permutation_test(
        (rival, own),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        alternative="greater",
        vectorized=True,
        n_resamples=settings.draws,
        rng=np.random.default_rng(settings.seed),
    )
    return float(found.pvalue)


def _over_baseline(grades: Grades, settings: TrialSettings) -> float | None:
    ours, plain = grades.daily(grades.log_losses), grades.as_baseline()
    theirs = plain.daily(plain.log_losses)
    days = sorted(ours.keys() & theirs.keys())
    if len(days) < LEAST_DAYS:
        return None
    own, rival = (np.array([losses[day] for day in days]) for losses in (ours, theirs))
    return superior(rival, own, draws=settings.draws, seed=settings.seed)


def _costs(track: Track) -> dict[str, float]:
    return {pair: -earned / track.capital for pair, earned in (track.of_pairs or {}).items()}


def _excess(grades: Grades) -> Mapping[str, float]:
    return grades.of_each_pair(grades.log_losses - grades.as_baseline().log_losses)
