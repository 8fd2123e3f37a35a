"""The models: where each recipe stands, its refits day by day, and what its trials came to."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import date
from typing import Final

from tandem.desk import ModelInForce, Plan, Shadow
from tandem.forecast import ModelRegistered, RecipeStaged, Verdict
from tandem.operations.run.recipes import DatedRefit, RecipeStanding
from tandem.store import Record, Stage, StageChanged

MOST: Final = 500


class Recipes:
    """Stages, refits and trials.

    Attributes:
        changes: of stage, oldest first.
        verdicts: oldest first.
        in_force: what trades each sector, since its last change.
    """

    def __init__(self) -> None:
        self.changes: deque[Record[StageChanged]] = deque(maxlen=MOST)
        self.verdicts: deque[Record[Verdict]] = deque(maxlen=MOST)
        self.in_force: dict[str, Record[ModelInForce]] = {}
        self._standing: dict[tuple[str, str], Record[StageChanged]] = {}
        self._recipes: dict[str, RecipeStaged] = {}
        self._registered: OrderedDict[str, Record[ModelRegistered]] = OrderedDict()
        self._shadows: dict[str, Shadow] = {}

    def change(self, record: Record[StageChanged]) -> None:
        """Take a step of a recipe."""
        self.changes.append(record)
        self._standing[record.body.sector, record.body.recipe] = record

    def stage(self, record: Record[RecipeStaged]) -> None:
        """Take a recipe as it first came."""
        self._recipes[record.body.name] = record.body

    def judge(self, record: Record[Verdict]) -> None:
        """Take what a trial came to."""
        self.verdicts.append(record)

    def enforce(self, record: Record[ModelInForce]) -> None:
        """Take which model trades a sector."""
        self.in_force[record.body.sector] = record

    def register(self, record: Record[ModelRegistered]) -> None:
        """Take what MLflow was told."""
        self._registered[record.body.name] = record
        if len(self._registered) > MOST:
            self._registered.popitem(last=False)

    def follow(self, record: Record[Shadow]) -> None:
        """Take that a recipe has a book of its own beside the world's."""
        self._shadows[record.body.recipe] = record.body

    def standings(self, plans: Iterable[tuple[date, Plan]]) -> list[RecipeStanding]:
        """Every recipe by sector; what is in Production first."""
        refits: dict[tuple[str, str], list[DatedRefit]] = {}
        for day, plan in plans:
            for refit in plan.refits:
                refits.setdefault((refit.sector, refit.recipe), []).append(DatedRefit(day, refit))
        found = [
            RecipeStanding(
                sector, name, self._recipes.get(name), last.body.after, last.at, last.body,
                tuple(refits.get((sector, name), ())),
            )
            for (sector, name), last in self._standing.items()
        ]  # fmt: skip
        order = [Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED]
        return sorted(found, key=lambda each: (each.sector, order.index(each.stage), each.name))

    def registered(self, name: str) -> ModelRegistered | None:
        """What MLflow knows under the name of a refit."""
        found = self._registered.get(name)
        return found.body if found else None

    def shadow(self, recipe: str) -> Shadow | None:
        """The book of a recipe that does not trade the account."""
        return self._shadows.get(recipe)

    @property
    def production(self) -> dict[str, str]:
        """The recipe in Production by sector."""
        return {sector: name for (sector, name), last in self._standing.items() if last.body.after is Stage.PRODUCTION}
