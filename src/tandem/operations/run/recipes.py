"""Where the recipes of a world stand, and the record of their refits: what `tandem models` shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from tandem.desk import Plan, Refit
from tandem.forecast import RecipeStaged, means
from tandem.store import Facts, Stage, StageChanged, Stages

FIGURES: Final = (
    "test_f1_score",
    "test_base_rate",
    "test_f1_score_always_one",
    "test_f1_score_ar1",
    "test_f1_score_logistic",
    "test_mcc",
    "test_mcc_ar1",
    "test_roc_auc",
    "test_brier",
    "test_log_loss",
    "test_log_loss_ar1",
    "validation_log_loss",
    "sharpe_ratio",
    "max_drawdown",
    "total_return",
    "win_rate",
    "profit_factor",
    "calmar_ratio",
    "avg_trade_duration",
)


@dataclass(frozen=True, slots=True)
class DatedRefit:
    """A refit and the session that it was for."""

    session: date
    refit: Refit


@dataclass(frozen=True, slots=True)
class RecipeStanding:
    """A recipe in one sector.

    Attributes:
        recipe: None for one that earlier versions of Tandem trained.
        stage: where it stands, since when and by which step.
        refits: oldest first.
    """

    sector: str
    name: str
    recipe: RecipeStaged | None
    stage: Stage
    since: datetime
    change: StageChanged
    refits: tuple[DatedRefit, ...]

    @property
    def newest(self) -> Refit | None:
        """The newest refit; None before the first morning with pairs."""
        return self.refits[-1].refit if self.refits else None

    @property
    def record(self) -> dict[str, float]:
        """Means over its sound refits."""
        return figures_of(self.refits)

    def on(self, sessions: Iterable[date]) -> tuple[DatedRefit, ...]:
        """Its sound refits of these sessions."""
        asked = set(sessions)
        return tuple(each for each in self.refits if each.session in asked and not each.refit.refused)


def standings_of(facts: Facts) -> tuple[RecipeStanding, ...]:
    """Every recipe of a world by sector, in the order in which it came."""
    recipes = {record.body.name: record.body for record in facts.read(RecipeStaged)}
    refits = _refits(facts)
    stages = Stages(facts)
    found = []
    for sector in stages.sectors():
        newest = {record.body.recipe: record for record in stages.history(sector)}
        for name, stage in stages.board(sector).stages.items():
            last, own = (
                newest[name],
                tuple(each for each in refits if (each.refit.sector, each.refit.recipe) == (sector, name)),
            )
            found.append(RecipeStanding(sector, name, recipes.get(name), stage, last.at, last.body, own))
    return tuple(found)


def figures_of(refits: Iterable[DatedRefit]) -> dict[str, float]:
    """Means of the figures of sound refits: the concatenated record of a recipe (STATISTICS 6)."""
    return means(each.refit.figures for each in refits if not each.refit.refused)


def standing_document(standing: RecipeStanding) -> dict[str, Any]:
    """A recipe as plain data."""
    recipe, newest, record = standing.recipe, standing.newest, standing.record
    return {
        "sector": standing.sector,
        "recipe": standing.name,
        "stage": str(standing.stage),
        "since": standing.since.isoformat(),
        "why": standing.change.why,
        "by": standing.change.by,
        "digest": recipe.digest if recipe else "",
        "code_version": recipe.code_version if recipe else "",
        "settings": dict(recipe.settings) if recipe else {},
        "refits": len(standing.refits),
        "refused": sum(bool(each.refit.refused) for each in standing.refits),
        "newest": newest.name if newest else "",
        "figures": {name: record[name] for name in FIGURES if name in record},
    }


def change_document(at: datetime, change: StageChanged) -> dict[str, Any]:
    """A change of stage as plain data."""
    return {
        "at": at.isoformat(),
        "sector": change.sector,
        "recipe": change.recipe,
        "before": str(change.before or ""),
        "after": str(change.after),
        "move": str(change.move),
        "why": change.why,
        "by": change.by,
        "evidence": dict(change.evidence),
        "against": change.against,
    }


def side_by_side(one: RecipeStanding, other: RecipeStanding) -> tuple[int, Mapping[str, tuple[float, float]]]:
    """Both recipes on the sessions that both have a sound refit of: how many sessions, and the figures of each."""
    shared = {each.session for each in one.refits} & {each.session for each in other.refits}
    both = {each.session for each in one.on(shared)} & {each.session for each in other.on(shared)}
    left, right = figures_of(one.on(both)), figures_of(other.on(both))
    return len(both), {name: (left[name], right[name]) for name in FIGURES if name in left and name in right}


def _refits(facts: Facts) -> list[DatedRefit]:
    """Of each session those of the newest plan."""
    plans = {record.session: record.body for record in facts.read(Plan)}
    return [DatedRefit(day, refit) for day, plan in sorted(plans.items()) for refit in plan.refits]
