"""Recipes with their stages, figures beside baselines, evolution, the day's models, trials."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from tandem.desk import Refit
from tandem.forecast import PairModel
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Context, Page
from tandem.operations.dashboard.plot import Line, calibration, lines
from tandem.operations.dashboard.wording import plain as number
from tandem.operations.run.measure import A_QUARTER, LEAST_SESSIONS
from tandem.operations.run.recipes import RecipeStanding
from tandem.operations.run.scoreboard import FORECASTERS
from tandem.store import Stage

DAYS_SHOWN: Final = 60
MODELS_SHOWN: Final = 6
SCORES: Final = ("f1_score", "mcc", "roc_auc", "brier", "log_loss")
INKS: Final = ("a", "b", "band", "gain", "loss")
PANELS: Final = (
    ("mcc", "MCC", "test_mcc", "AR(1)", "ar1"),
    ("log_loss", "Log loss", "test_log_loss", "AR(1)", "ar1"),
    ("f1", "F1", "test_f1_score", "always 1", "always_one"),
)
Scores = tuple[str, list[float | None]]
"""A forecaster and its figures."""


@dataclass(frozen=True, slots=True)
class ModelShown:
    """A pair's model of the day with its pictures."""

    recipe: str
    model: PairModel
    scores: list[Scores]
    loss: Markup
    f1: Markup
    calibration: Markup


def models(page: Page, followed: Followed, asked: Asked) -> Context:
    """Recipes with their stages, figures beside baselines, evolution, the day's models, trials."""
    standings = followed.recipes.standings(followed.mornings.plans())
    planned = followed.mornings.newest_plan()
    refits = list(planned[1].refits) if planned else []
    shown = [refit for refit in refits if any(_is_live(each, refit) for each in standings)] or refits
    sectors = {each.sector: [other for other in standings if other.sector == each.sector] for each in standings}
    return {
        "standings": standings,
        "sharpes": {(each.sector, each.name): sharpe_words(each.record) for each in standings},
        "scores": {(each.sector, each.name): _scores(each.record) for each in standings},
        "evolutions": {sector: _evolution(own) for sector, own in sectors.items()},
        "plan_day": planned[0] if planned else None,
        "models": list(_day_models(page, planned[1].models if planned and not shown else {}, shown)),
        "left_out": max(0, sum(len(refit.models) for refit in shown) - MODELS_SHOWN),
        "verdicts": list(followed.recipes.verdicts)[::-1][:50],
        "changes": list(followed.recipes.changes)[::-1][:50],
        "registered": followed.recipes.registered,
        "shadow": followed.recipes.shadow,
        "mlflow": f"http://127.0.0.1:{page.settings.operations.mlflow_port}",
    }


def _is_live(standing: RecipeStanding, refit: Refit) -> bool:
    return (standing.sector, standing.name) == (refit.sector, refit.recipe) and standing.stage is not Stage.ARCHIVED


def _scores(record: Mapping[str, float]) -> list[Scores]:
    """Of each forecaster its figures on the test block; those that were tested."""
    found = []
    for forecaster, label in FORECASTERS.items():
        ending = "" if forecaster == "gru" else f"_{forecaster}"
        values = [record.get(f"test_{score}{ending}") for score in SCORES]
        if any(value is not None for value in values):
            found.append((label, values))
    return found


def sharpe_words(record: Mapping[str, float]) -> str:
    """The ratio with its error, where there are as many days as a report asks for."""
    days = record.get("sharpe_days", 0.0)
    if days < LEAST_SESSIONS:
        return f"too few days ({int(days)})"
    ratio, error = number(record["sharpe_ratio"]), number(record["sharpe_standard_error"])
    return f"{ratio} \u00b1 {error} on {days:.0f} days{', too few to conclude from' if days < A_QUARTER else ''}"


def _evolution(standings: Sequence[RecipeStanding]) -> list[tuple[str, str, Markup]]:
    """Pictures over the days: key of the definition, what it is, SVG."""
    days = sorted({each.session for standing in standings for each in standing.refits})[-DAYS_SHOWN:]
    labels = [f"{day.day} {day:%b}" for day in days]

    def line(standing: RecipeStanding, figure: str, name: str, ink: str, *, is_dashed: bool = False) -> Line:
        known = {each.session: each.refit.figures for each in standing.refits}
        return Line(name, ink, [known[day].get(figure) if day in known else None for day in days], is_dashed)

    pictures = []
    for key, title, figure, rival, ending in PANELS:
        shown = [line(each, figure, each.name, ink) for ink, each in zip(INKS, standings, strict=False)]
        shown += [line(each, f"{figure}_{ending}", rival, "faint", is_dashed=True) for each in standings[:1]]
        pictures.append((key, title, lines(shown, labels, f"{title} by day")))
    return [picture for picture in pictures if picture[2]]


def _day_models(page: Page, plain: Mapping[str, str], refits: Sequence[Refit]) -> Iterator[ModelShown]:
    named = [(refit.recipe, digest) for refit in refits for digest in refit.models.values()]
    named += [("", digest) for digest in plain.values()]
    for recipe, digest in named[:MODELS_SHOWN]:
        yield _shown(recipe, page.model(digest))


def _shown(recipe: str, model: PairModel) -> ModelShown:
    history = model.history
    epochs = [str(place) for place in range(1, len(history) + 1)]
    best = model.best_epoch - 1 if 0 < model.best_epoch <= len(epochs) else None
    loss = _learned([each.loss for each in history], [each.validation_loss for each in history])
    f1 = _learned([each.f1_score for each in history], [each.validation_f1_score for each in history])
    return ModelShown(
        recipe,
        model,
        _scores(model.metrics),
        lines(loss, epochs, "log loss by epoch", mark=best),
        lines(f1, epochs, "F1 by epoch", mark=best),
        calibration(model.calibration, "how often forecasts came true"),
    )


def _learned(train: Sequence[float | None], validation: Sequence[float | None]) -> list[Line]:
    return [Line("train", "a", train), Line("validation", "b", validation)]
