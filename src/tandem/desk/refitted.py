"""Every recipe of a morning fitted anew to the pairs of its sectors, and whether it may trade."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tandem.config import Settings
from tandem.desk.lineup import Lineup, model_of
from tandem.desk.plan import Plan, Refit
from tandem.forecast import PairModel, RecipeStaged, as_baseline, insane, loss_of, means, model_name, out_of_band
from tandem.market import Pair, Session
from tandem.screening import Passport
from tandem.store import Blobs, Facts

Fit = Callable[[Settings, Sequence[Passport]], Mapping[Pair, PairModel]]


@dataclass(frozen=True, slots=True, eq=False)
class Refitted:
    """A refit with its recipe and its models; a pair that failed has its model with the baseline in place."""

    refit: Refit
    recipe: RecipeStaged
    models: Mapping[Pair, PairModel]


def refit(
    facts: Facts,
    blobs: Blobs,
    session: Session,
    settings: Settings,
    passports: Sequence[Passport],
    lineups: Sequence[Lineup],
    fit: Fit,
) -> list[Refitted]:
    """Fit each recipe once, to the pairs of all sectors that need it, keep the models and check them.

    Args:
        passports: of the pairs that may be entered.
        fit: trains with settings on the pairs of passports.
    """
    made: list[Refitted] = []
    for recipe in {recipe.name: recipe for lineup in lineups for recipe in lineup.recipes}.values():
        sectors = [lineup.sector for lineup in lineups if recipe in lineup.recipes]
        models = fit(model_of(recipe, settings), [each for each in passports if each.sector in sectors])
        for sector in sectors:
            own = [passport for passport in passports if passport.sector == sector]
            record = record_of(facts, sector, recipe.name)
            made.append(_checked(blobs, session, settings, sector, recipe, own, models, record))
    return made


def begins_with(
    lineups: Sequence[Lineup], refitted: Sequence[Refitted], split: Mapping[Pair, str]
) -> dict[Pair, PairModel]:
    """The models that the session begins with: those in Production, or the baseline and why.

    Args:
        split: the recipe of each pair that a challenger trades.
    """
    found = {(each.refit.sector, each.refit.recipe): each for each in refitted}
    models: dict[Pair, PairModel] = {}
    for lineup in lineups:
        first = found[lineup.sector, lineup.recipes[0].name]
        why = lineup.why_not(first.refit.refused)
        models |= {pair: as_baseline(model, why) if why else model for pair, model in first.models.items()}
    for each in refitted:
        why = each.refit.why_not
        own = {pair: model for pair, model in each.models.items() if split.get(pair) == each.recipe.name}
        models |= {pair: as_baseline(model, why) if why else model for pair, model in own.items()}
    return models


def record_of(facts: Facts, sector: str, recipe: str) -> list[float]:
    """Losses of a recipe's sound refits so far."""
    refits = (each for plan in facts.read(Plan) for each in plan.body.refits if not each.refused)
    return [each.loss for each in refits if (each.sector, each.recipe) == (sector, recipe) and each.loss is not None]


def _checked(
    blobs: Blobs,
    session: Session,
    settings: Settings,
    sector: str,
    recipe: RecipeStaged,
    passports: Sequence[Passport],
    trained: Mapping[Pair, PairModel],
    record: Sequence[float],
) -> Refitted:
    models = {passport.pair: trained[passport.pair] for passport in passports}
    failed = {each.pair: why for each in passports if (why := insane(each, models[each.pair]))}
    refusal = out_of_band(failed, models, record, settings.refit)
    sound = {pair: as_baseline(model, failed[pair].why) if pair in failed else model for pair, model in models.items()}
    made = Refit(
        sector=sector,
        recipe=recipe.name,
        name=model_name(session, sector, recipe.name),
        models={str(pair): blobs.put(model.to_bytes()) for pair, model in sound.items()},
        loss=loss_of(model for pair, model in models.items() if pair not in failed),
        refused=refusal.why if refusal else "",
        figures=means(model.metrics for model in models.values()),
    )
    return Refitted(made, recipe, sound)
