"""Who is tried against whom in a sector, as its stages have it, and who traded what on which day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from tandem.book import Mark
from tandem.config import Settings
from tandem.desk.plan import Plan
from tandem.desk.unfitted import LeftOut, unfitted
from tandem.forecast import BASELINE, Contender, RecipeStaged, challenger_of, champion_of
from tandem.store import Board, Facts, Stage, Stages


def champion_in(facts: Facts, settings: Settings, sector: str) -> str:
    """The name of what trades a sector: the recipe in Production, or the baseline.

    Where nothing was ever staged it is the recipe of the settings.
    """
    return _champion(Stages(facts).board(sector), settings)


def challenger_in(facts: Facts, settings: Settings) -> Contender:
    """The challenger that the settings name; a name that is on record stands for the recipe as it was then.

    Raises:
        ConfigError: there is none.
        DataError: this version of Tandem cannot read it.
    """
    named = challenger_of(settings)
    known = {record.body.name: record.body for record in facts.read(RecipeStaged)}
    recipe = known.get(named.name)
    return named if recipe is None else Contender(named.name, recipe.model(settings.model.timeframe))


def why_no_trial(facts: Facts, settings: Settings, sector: str) -> str:
    """Why nobody is tried in a sector; empty where the challenger is.

    Raises:
        ConfigError: a trial without a challenger.
    """
    if settings.trial.mode == "off":
        return "trial.mode is off"
    name = challenger_of(settings).name
    stage = Stages(facts).board(sector).stages.get(name, Stage.STAGING)
    return "" if stage is Stage.STAGING else f"{name} of {sector} is in {stage}: name another challenger to try one"


@dataclass(frozen=True, slots=True)
class Traders:
    """Who traded what in a sector of a world.

    Attributes:
        began: the first decision of each session, by trading date, oldest first.
        champions: what was in force then, by trading date.
        split: the recipe of each pair that a challenger had, by trading date.
        unfitted: the sessions that are not a recipe's record because it had no model of its own, by its name.
    """

    began: Mapping[date, datetime]
    champions: Mapping[date, str]
    split: Mapping[date, Mapping[str, str]]
    unfitted: Mapping[str, LeftOut]

    @classmethod
    def of(cls, facts: Facts, settings: Settings, sector: str) -> Self:
        """From the marks, the stages and the plans."""
        began: dict[date, datetime] = {}
        for mark in sorted(facts.read(Mark), key=lambda mark: mark.at):
            began.setdefault(mark.session, mark.at)
        history = Stages(facts).history(sector)
        champions = {
            day: _champion(Board.of(sector, (record.body for record in history if record.at <= at)), settings)
            for day, at in began.items()
        }
        split = {record.session: _split_of(record.body, sector) for record in facts.read(Plan)}
        recipes = {*champions.values(), *(recipe for each in split.values() for recipe in each.values())}
        return cls(began, champions, split, {recipe: unfitted(facts, sector, recipe) for recipe in recipes})

    @property
    def pairs(self) -> frozenset[str]:
        """Pairs of the sector that a challenger ever had."""
        return frozenset(pair for split in self.split.values() for pair in split)

    def days(self, recipe: str) -> list[date]:
        """Sessions that are a recipe's record, oldest first: it traded by a model that was fitted for them."""
        return [day for day in self._in_force(recipe) if day not in self.unfitted.get(recipe, {})]

    def left_out(self, recipe: str) -> LeftOut:
        """Sessions in which a recipe was in force without a model of its own, and why."""
        days, unfitted = self._in_force(recipe), self.unfitted.get(recipe, {})
        return {day: unfitted[day] for day in days if day in unfitted}

    def had(self, recipe: str, day: date, pair: str) -> bool:
        """Whether a pair was a recipe's in a session."""
        return self._split(day).get(pair, self.champions[day]) == recipe

    def _in_force(self, recipe: str) -> list[date]:
        return [day for day in self.began if recipe in (self.champions[day], *self._split(day).values())]

    def _split(self, day: date) -> Mapping[str, str]:
        return self.split.get(day, {})


def _split_of(plan: Plan, sector: str) -> dict[str, str]:
    own = {pair for refit in plan.refits if refit.sector == sector for pair in refit.models}
    return {pair: recipe for pair, recipe in plan.split.items() if pair in own}


def _champion(board: Board, settings: Settings) -> str:
    if not board.changes:
        return champion_of(settings).name
    return board.production or BASELINE
