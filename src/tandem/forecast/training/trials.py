"""Trainings as trials: whoever picks among models has to count those that were judged (STATISTICS 7)."""

from collections.abc import Iterable

from tandem.config import ModelSettings, Settings
from tandem.forecast.model import PairModel
from tandem.forecast.ranking.rating import Rating
from tandem.screening import slug
from tandem.store import Trial, key_of


def families(settings: Settings) -> tuple[str, ...]:
    """The families that the active sectors' trials belong to."""
    return tuple(slug(sector) for sector in settings.sectors.active)


def training_trials(sector: str, judged: Iterable[PairModel | Rating], recipe: ModelSettings) -> list[Trial]:
    """A trial for each model that was judged on a test block; the same bars and recipe are the same trial."""
    plain = recipe.model_dump(mode="json")
    return [
        Trial(slug(sector), key_of("training", str(each.pair), plain, each.metrics), "training")
        for each in judged
        if each.refusal is None
    ]
