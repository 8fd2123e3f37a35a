"""What a day's training is recorded with: tags, parameters and figures under the mission's names."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.forecast.features import MEAN_WINDOWS, feature_set
from tandem.forecast.model import PairModel
from tandem.forecast.ranking.rating import Rating
from tandem.forecast.registry.staged import RecipeStaged
from tandem.forecast.training.trading import deflated
from tandem.market import Pair, Session, World
from tandem.screening import code_version, experiments_of, passport_figures, slug, world_tag
from tandem.store import TrialCount

if TYPE_CHECKING:
    from tandem.screening import Passport


def experiment_of(sector: str, settings: Settings) -> str:
    """The experiment of a sector and a recipe: `pairs_trading/technology_sector/gru_garch_hybrid_v1`."""
    return f"{experiments_of(sector)}/gru_garch_hybrid_{settings.model.version}"


def model_name(session: Session, sector: str, recipe: str) -> str:
    """The registered model of a day: `pairs_trading_gru_garch_technology_v1_20260414`."""
    return f"pairs_trading_gru_garch_{slug(sector)}_{recipe}_{session.day:%Y%m%d}"


def tags(
    session: Session,
    sector: str,
    passports: Sequence["Passport"],
    models: Mapping[Pair, PairModel],
    settings: Settings,
    world: World | None,
) -> dict[str, str]:
    """Tags of the day's runs and model."""
    return {
        "sector": sector,
        "model_type": "gru_garch_hybrid",
        "feature_set": feature_set(settings.model),
        "training_date": str(session.day),
        "data_version": _data_version(passports, models),
        "code_version": code_version(),
        "garch_order": "1,1",
        "sequence_length": str(settings.model.sequence_length),
        "recipe": settings.model.version,
        "recipe_digest": RecipeStaged.of(settings.model).digest,
        "world": world_tag(world),
    }


def params(sector: str, settings: Settings, model: PairModel | Rating) -> dict[str, object]:
    """Parameters of one pair's training."""
    recipe = settings.model
    return {
        "sequence_length": recipe.sequence_length,
        "gru_units": recipe.gru_units,
        "dropout_rate": recipe.dropout_rate,
        "learning_rate": recipe.learning_rate,
        "batch_size": recipe.batch_size,
        "epochs": recipe.epochs,
        "validation_split": recipe.validation_split,
        "test_split": recipe.test_split,
        "garch_order": (1, 1),
        "garch_model_type": "GARCH",
        "sector": sector,
        "min_data_points": recipe.min_data_points,
        "lookback_days": settings.screen.formation_days,
        "lag_features": recipe.lag_features,
        "technical_indicators": [*(f"MA_{window}" for window in MEAN_WINDOWS), "RSI"],
        "z_score_window": recipe.z_score_window,
        "volatility_window": recipe.volatility_window,
        "symmetric": recipe.symmetric,
        "practice": recipe.practice,
        "distillation": recipe.distillation,
        "pair": model.pair,
        "timeframe": recipe.timeframe,
        "label": recipe.label,
        "seed": recipe.seed,
        "horizon": model.horizon,
        "best_epoch": model.best_epoch,
        "trades_with": model.trades_with,
        "why": model.why,
        **_dates(model),
    }


def figures(passport: "Passport", model: PairModel, tried: TrialCount | None = None) -> dict[str, float]:
    """Figures of one pair; those that are not finite are left out.

    Args:
        tried: in its sector, by the ledger; where it is not known nothing is deflated.
    """
    found = {**model.metrics, **passport_figures(passport), **(deflated(model.metrics, tried) if tried else {})}
    return {name: float(value) for name, value in found.items() if isfinite(value)}


def means(figures: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over those that have it; what is not finite does not count."""
    columns: dict[str, list[float]] = {}
    for each in figures:
        for name, value in each.items():
            if isfinite(value):
                columns.setdefault(name, []).append(float(value))
    return {name: sum(values) / len(values) for name, values in columns.items()}


def totals(
    models: Mapping[Pair, PairModel], screen_facts: Mapping[str, float | str], refused: str
) -> tuple[dict[str, object], dict[str, float]]:
    """Parameters and figures of the day's own run: what the screen said, and means over its pairs."""
    words: dict[str, object] = {name: value for name, value in screen_facts.items() if isinstance(value, str)}
    numbers = {name: float(value) for name, value in screen_facts.items() if not isinstance(value, str)}
    with_gru = float(sum(model.trades_with == "gru" for model in models.values()))
    counts = {"pairs": float(len(models)), "pairs_with_gru": with_gru}
    return words | ({"refused": refused} if refused else {}), means(
        m.metrics for m in models.values()
    ) | numbers | counts


def epochs(model: PairModel) -> list[tuple[str, float, int]]:
    """Name, value and epoch of everything the GRU's training reported."""
    return [
        (f"epoch_{name}", value, step)
        for step, epoch in enumerate(model.history, start=1)
        for name in ("loss", "f1_score", "validation_loss", "validation_f1_score")
        if (value := getattr(epoch, name)) is not None
    ]


def _dates(model: PairModel | Rating) -> dict[str, str]:
    found = {name: model.periods[name] for name in ("train", "test") if name in model.periods}
    starts = {f"{name}_start_date": str(period.first) for name, period in found.items()}
    return starts | {f"{name}_end_date": str(period.last) for name, period in found.items()}


def _data_version(passports: Sequence["Passport"], models: Mapping[Pair, PairModel]) -> str:
    """Of all bars that were read: those of the screen, and those that each pair learned from."""
    read = {passport.data_version for passport in passports} | {models[p.pair].data_version for p in passports}
    versions = sorted(read - {""})
    return versions[0] if len(versions) == 1 else sha256(" ".join(versions).encode()).hexdigest()
