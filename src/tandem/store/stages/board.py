"""Where the recipes of one sector stand, as a fold over the changes so far, and the moves there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from tandem.market import DataError
from tandem.store.stages.change import Move, Stage, StageChanged

Changes = tuple[StageChanged, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """Who moves a recipe, why, and on which figures."""

    why: str
    by: str
    evidence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Board:
    """The stages of one sector.

    Attributes:
        sector: its name.
        changes: oldest first.
    """

    sector: str
    changes: Changes = ()

    @classmethod
    def of(cls, sector: str, changes: Iterable[StageChanged]) -> Self:
        """The board after these changes; those of other sectors are passed over."""
        return cls(sector, tuple(change for change in changes if change.sector == sector))

    @property
    def stages(self) -> dict[str, Stage]:
        """The stage of every recipe, oldest recipe first."""
        return {change.recipe: change.after for change in self.changes}

    @property
    def production(self) -> str | None:
        """The one recipe in Production; None where the baseline trades alone."""
        return next((recipe for recipe, stage in self.stages.items() if stage is Stage.PRODUCTION), None)

    @property
    def staged(self) -> tuple[str, ...]:
        """Recipes in Staging, oldest first."""
        return tuple(recipe for recipe, stage in self.stages.items() if stage is Stage.STAGING)

    @property
    def last_good(self) -> str | None:
        """What takes over from a demoted recipe: the last one that left Production only for a better one."""
        return next((recipe for recipe in self._before if self._left_by(recipe) is Move.SUPERSEDED), None)

    def stage(self, recipe: str, said: Said) -> Changes:
        """A new recipe comes to Staging, the first of its sector straight to Production; a known one stays."""
        if recipe in self.stages:
            return ()
        staged = self._change(recipe, None, Stage.STAGING, Move.STAGED, said)
        if self.changes:
            return (staged,)
        return staged, self._change(recipe, Stage.STAGING, Stage.PRODUCTION, Move.FIRST, said)

    def promote(self, recipe: str, said: Said) -> Changes:
        """Staging to Production; what was there is Archived."""
        self._must_be(recipe, Stage.STAGING, "promoted")
        if not said.evidence:
            raise DataError(f"{recipe} of {self.sector} cannot be promoted without evidence", "Let its trial run first")
        return self._exchange(recipe, Stage.STAGING, Move.PROMOTED, Move.SUPERSEDED, said)

    def demote(self, recipe: str, said: Said) -> Changes:
        """Production to Archived; the last good recipe takes over, where there is one."""
        self._must_be(recipe, Stage.PRODUCTION, "demoted")
        down = self._change(recipe, Stage.PRODUCTION, Stage.ARCHIVED, Move.DEMOTED, said)
        heir = self.last_good
        if heir is None:
            return (down,)
        takes = replace(said, why=f"{recipe} was demoted: {said.why}")
        up = self._change(heir, Stage.ARCHIVED, Stage.PRODUCTION, Move.TOOK_OVER, takes)
        return replace(down, against=heir), replace(up, against=recipe)

    def roll_back(self, recipe: str, said: Said) -> Changes:
        """Archived to Production, for a recipe that was there before; what is there now is Archived."""
        self._must_be(recipe, Stage.ARCHIVED, "brought back")
        if recipe not in self._before:
            raise DataError(f"{recipe} of {self.sector} was never in Production", "Only what was there can come back")
        return self._exchange(recipe, Stage.ARCHIVED, Move.RETURNED, Move.ROLLED_BACK, said)

    def withdraw(self, recipe: str, said: Said) -> Changes:
        """Staging to Archived: it competes no longer."""
        self._must_be(recipe, Stage.STAGING, "withdrawn")
        return (self._change(recipe, Stage.STAGING, Stage.ARCHIVED, Move.WITHDRAWN, said),)

    @property
    def before(self) -> str | None:
        """What was in Production before that which is, or which was last."""
        return next((recipe for recipe in self._before if recipe != self.production), None)

    @property
    def _before(self) -> list[str]:
        """Recipes that were in Production and are not now, last one first."""
        past = (change.recipe for change in reversed(self.changes) if change.after is Stage.PRODUCTION)
        return [recipe for recipe in dict.fromkeys(past) if recipe != self.production]

    def _left_by(self, recipe: str) -> Move:
        return next(change.move for change in reversed(self.changes) if change.recipe == recipe)

    def _must_be(self, recipe: str, stage: Stage, done: str) -> None:
        found = self.stages.get(recipe)
        if found is None:
            raise DataError(f"{self.sector} has no recipe {recipe}", f"It has: {', '.join(self.stages) or 'none yet'}")
        if found is not stage:
            raise DataError(f"{recipe} of {self.sector} is in {found}, only what is in {stage} can be {done}")

    def _exchange(self, recipe: str, before: Stage, up: Move, down: Move, said: Said) -> Changes:
        former = self.production
        new = replace(self._change(recipe, before, Stage.PRODUCTION, up, said), against=former or "")
        if former is None:
            return (new,)
        old = self._change(former, Stage.PRODUCTION, Stage.ARCHIVED, down, said)
        return replace(old, against=recipe), new

    def _change(self, recipe: str, before: Stage | None, after: Stage, move: Move, said: Said) -> StageChanged:
        if not said.why.strip():
            raise DataError(f"{recipe} of {self.sector} cannot be {move} without a reason", "Say why")
        return StageChanged(self.sector, recipe, before, after, move, said.why, said.by, dict(said.evidence))
