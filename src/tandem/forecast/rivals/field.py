"""The rivals that a recipe names."""

from collections.abc import Callable, Mapping

from tandem.config import ModelSettings
from tandem.forecast.baselines import AlwaysOne, LogisticOnDistance
from tandem.forecast.rivals.boosting import Boosting
from tandem.forecast.rivals.from_distance import FromDistance, ar1
from tandem.forecast.rivals.garch_gru import GarchGru
from tandem.forecast.rivals.rival import Rival
from tandem.forecast.window import Window

Fit = Callable[[Window, ModelSettings], Rival]

BASELINES = ("ar1", "logistic", "always_one")
"""Always scored: an F1 is never shown without them."""


def fit_rivals(window: Window, recipe: ModelSettings) -> tuple[Rival, ...]:
    """The baselines and the further forecasts that `model.rivals` names, fitted on one window.

    `pooled_gru` takes all pairs of a sector (`fit_pooled`): whoever has them fits it and hands it to the judgement.
    """
    names = dict.fromkeys((*BASELINES, *recipe.rivals))
    return tuple(FITS[name](window, recipe) for name in names if name in FITS)


def fit_baselines(window: Window, recipe: ModelSettings) -> tuple[Rival, ...]:
    """The three that cost nothing."""
    return tuple(FITS[name](window, recipe) for name in BASELINES)


def _logistic(window: Window, recipe: ModelSettings) -> Rival:
    return FromDistance(LogisticOnDistance.fit(window.train.z, window.train.labels))


def _always_one(window: Window, recipe: ModelSettings) -> Rival:
    return FromDistance(AlwaysOne(float(window.train.labels.mean())))


FITS: Mapping[str, Fit] = {
    "ar1": lambda window, recipe: FromDistance(ar1(window, recipe)),
    "logistic": _logistic,
    "always_one": _always_one,
    "boosting": Boosting.fit,
    "garch_gru": GarchGru.fit,
}
