"""Which recipes are fitted anew on a morning, sector by sector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tandem.config import ModelSettings, Settings
from tandem.forecast import RecipeStaged
from tandem.market import DataError, Refusal, Session
from tandem.store import Board, Facts, Record, Stages

MORNING: Final = "morning"


@dataclass(frozen=True, slots=True)
class Lineup:
    """The recipes of one sector on one morning.

    Attributes:
        sector: its name.
        recipes: the one that the session begins with, then its challengers and what would take over from it.
        production: the one in Production; None where the baseline trades alone, and why.
    """

    sector: str
    recipes: tuple[RecipeStaged, ...]
    production: str | None
    why: str

    def why_not(self, refused: str) -> str:
        """Why the first recipe does not trade as the session begins; empty where it does.

        Args:
            refused: why its refit must not; empty where it may.
        """
        if self.recipes[0].name == self.production:
            return refused
        return self.why or f"{self.production} could not be fitted"


def line_up(
    facts: Facts,
    session: Session,
    settings: Settings,
    sectors: Iterable[str],
    challengers: Iterable[ModelSettings] = (),
) -> list[Lineup]:
    """Put the recipe of the settings, and challengers, on record where they are new; say which ones each sector needs.

    A name stands for one recipe: settings that changed under a name that is known are refused, on record, and the
    recipe goes on as it was.
    """
    known = {record.body.name: record.body for record in facts.read(RecipeStaged)}
    configured = []
    for model in (settings.model, *challengers):
        recipe = known.get(model.version) or _new(facts, session, model)
        _refuse_changes(facts, session, model, recipe)
        known[recipe.name] = recipe
        configured.append(recipe)
    return [_line_up(facts, session, settings, sector, known, configured) for sector in sectors]


def model_of(recipe: RecipeStaged, settings: Settings) -> Settings:
    """The settings with the recipe's own `model` block, on the bars that they name."""
    return settings.model_copy(update={"model": recipe.model(settings.model.timeframe)})


def _line_up(
    facts: Facts,
    session: Session,
    settings: Settings,
    sector: str,
    known: dict[str, RecipeStaged],
    configured: Sequence[RecipeStaged],
) -> Lineup:
    stages, own = Stages(facts), configured[0]
    for recipe in configured:
        stages.stage(sector, recipe.name, why=f"the settings name {recipe.name}", by=MORNING, at=session.morning)
    board = stages.board(sector)
    names = dict.fromkeys([board.production or own.name, *board.staged, board.last_good])
    recipes = [known[name] for name in names if name in known and _is_readable(facts, session, settings, known[name])]
    return Lineup(sector, tuple(recipes) or (own,), board.production, alone_because(board))


def alone_because(board: Board) -> str:
    """Why the baseline trades a sector alone; empty where a recipe is in Production."""
    if board.production is not None:
        return ""
    if not board.changes:
        return "no recipe was ever in Production"
    return f"no recipe is in Production since {board.changes[-1].recipe} was {board.changes[-1].move}"


def _new(facts: Facts, session: Session, model: ModelSettings) -> RecipeStaged:
    made = RecipeStaged.of(model)
    facts.append(Record(made, session.day, session.morning, f"recipe.{made.name}"))
    return made


def _refuse_changes(facts: Facts, session: Session, model: ModelSettings, own: RecipeStaged) -> None:
    try:
        changes = own.changes(model)
    except DataError:
        return
    if changes:
        why = f"model.version {own.name} goes on as it was: {', '.join(changes)}; give the new recipe a name of its own"
        _refuse(facts, session, own, Refusal("recipe changed", why, "forecast"))


def _is_readable(facts: Facts, session: Session, settings: Settings, recipe: RecipeStaged) -> bool:
    try:
        recipe.model(settings.model.timeframe)
    except DataError as error:
        _refuse(facts, session, recipe, Refusal("recipe", str(error), "forecast"))
        return False
    return True


def _refuse(facts: Facts, session: Session, recipe: RecipeStaged, refusal: Refusal) -> None:
    key = f"refusal.{refusal.reason.replace(' ', '_')}.{session.day}.{recipe.name}"
    known = {record.key for record in facts.read(Refusal, session=session.day)}
    # Settings may change once more on the same morning: the first word on it stays.
    if key not in known:
        facts.append(Record(refusal, session.day, session.morning, key))
