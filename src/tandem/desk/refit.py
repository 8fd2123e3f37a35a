"""A recipe's models of a day, for passports that the morning gave."""

from collections.abc import Sequence

from tandem.config import Settings
from tandem.desk.configuration import configuration_of
from tandem.desk.history import training
from tandem.forecast import PairModel, Recipe, train_pair
from tandem.market import Pair, Session
from tandem.screening import Passport
from tandem.store import Facts, Store

LEAST = 100


def refit(
    store: Store, session: Session, passports: Sequence[Passport], settings: Settings, recipe: Recipe
) -> dict[Pair, PairModel]:
    """Train a recipe on each passport's bars; the baseline recipe trains no network.

    Args:
        settings: all but the model's, which are the recipe's; the bars are those that these settings ask for.
    """
    if not passports:
        return {}
    symbols = sorted({symbol for passport in passports for symbol in passport.pair.symbols})
    closes = training(store, symbols, session, settings).pivot(index="start", columns="symbol", values="close")
    models = {}
    for passport in passports:
        both = closes[list(passport.pair.symbols)].dropna()
        a, b = (both[symbol].to_numpy() for symbol in passport.pair.symbols)
        models[passport.pair] = train_pair(passport, a, b, _settings(settings, recipe, passport, len(both)))
    return models


def as_identified(facts: Facts, session: Session, settings: Settings) -> Settings:
    """The settings with the bars and the window of the day's configuration, whatever they say by now."""
    configuration = configuration_of(facts, session.day)
    if configuration is None:
        return settings
    screen = settings.screen.model_copy(update={"formation_days": configuration.formation_days})
    model = settings.model.model_copy(update={"timeframe": configuration.timeframe})
    return settings.model_copy(update={"screen": screen, "model": model})


def _settings(settings: Settings, recipe: Recipe, passport: Passport, bars: int) -> Settings:
    changes: dict[str, object] = {"timeframe": passport.timeframe}
    if recipe.is_baseline:
        changes["min_data_points"] = max(LEAST, bars + 1)
    return settings.model_copy(update={"model": recipe.settings.model_copy(update=changes)})
