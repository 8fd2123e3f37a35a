"""Which model trades each sector, decision by decision."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import ClassVar

from tandem.desk.lineup import alone_because
from tandem.desk.plan import Plan, plan_of
from tandem.forecast import PairModel, as_baseline
from tandem.market import Pair
from tandem.signals import PairWatch
from tandem.store import Blobs, Board, Facts, Record, Stage, StageChanged


@dataclass(frozen=True, slots=True)
class ModelInForce:
    """From this decision on a sector is traded by this model.

    Attributes:
        sector: of the pairs.
        recipe: in Production; empty where the baseline trades.
        name: of its registered model; empty where the baseline trades.
        why: in words.
        withdrawn: recipes that have pairs in today's split and may trade them no more.
    """

    kind: ClassVar = "model_in_force"

    sector: str
    recipe: str
    name: str
    why: str
    withdrawn: tuple[str, ...] = ()


class Champions:
    """The models of one day's plan, as the stages have them. What is in force is on record before it decides.

    A pair that the plan's split gives to a challenger has that one's refit all day, or the baseline where it must not.

    Args:
        facts: of the world.
        blobs: where the models are.
        day: the trading date of the plan.
    """

    def __init__(self, facts: Facts, blobs: Blobs, day: date) -> None:
        self._facts = facts
        self._plan = plan_of(facts, day) or Plan(0, {})
        self._day = day
        self._read = lru_cache(maxsize=None)(lambda digest: PairModel.from_bytes(blobs.get(digest)))
        self._model = lru_cache(maxsize=None)(self._found)
        self._known = list(facts.read(ModelInForce, session=day))

    def follow(self, moment: datetime) -> list[Record[ModelInForce]]:
        """What came into force since the last call, for the record; nothing for a plan without recipes."""
        sectors = sorted({refit.sector for refit in self._plan.refits})
        if not sectors:
            return []
        changes = [record.body for record in self._facts.read(StageChanged) if record.at <= moment]
        found = [self._standing(Board.of(sector, changes)) for sector in sectors]
        new = [
            Record(each, self._day, moment, f"in_force.{moment:%Y%m%dT%H%M}.{each.sector}")
            for each in found
            if each != self.in_force(each.sector)
        ]
        self._known += new
        return new

    def in_force(self, sector: str, moment: datetime | None = None) -> ModelInForce | None:
        """What trades a sector now, or did at a moment; None before the first decision."""
        of_sector = (record for record in reversed(self._known) if record.body.sector == sector)
        return next((record.body for record in of_sector if moment is None or record.at <= moment), None)

    def model(self, pair: Pair, sector: str) -> PairModel:
        """The model of a pair of the plan that is in force now."""
        now = self.in_force(sector)
        return self._read(self._plan.models[str(pair)]) if now is None else self._model(pair, now)

    def equip(self, watches: Iterable[PairWatch], moment: datetime | None = None) -> None:
        """Give each watch of the plan the model that is in force now, or was at a moment."""
        for watch in watches:
            passport = watch.passport
            now = self.in_force(passport.sector, moment)
            if now is not None and str(passport.pair) in self._plan.models:
                watch.model = self._model(passport.pair, now)

    def _found(self, pair: Pair, now: ModelInForce) -> PairModel:
        own = self._plan.split.get(str(pair), now.recipe)
        own = now.recipe if own in now.withdrawn else own
        refit = self._plan.refit(now.sector, own)
        if refit is not None:
            model = self._read(refit.models[str(pair)])
            return as_baseline(model, refit.why_not) if refit.refused else model
        return as_baseline(self._read(self._plan.models[str(pair)]), now.why)

    def _standing(self, board: Board) -> ModelInForce:
        archived = {recipe for recipe, stage in board.stages.items() if stage is Stage.ARCHIVED}
        withdrawn = tuple(sorted(archived & set(self._plan.split.values())))
        return replace(self._produced(board), withdrawn=withdrawn)

    def _produced(self, board: Board) -> ModelInForce:
        if board.production is None:
            return ModelInForce(board.sector, "", "", alone_because(board))
        refit = self._plan.refit(board.sector, board.production)
        if refit is None:
            why = f"{board.production} is in Production and was not fitted for this session"
            return ModelInForce(board.sector, "", "", why)
        if refit.refused:
            return ModelInForce(board.sector, "", "", refit.why_not)
        return ModelInForce(board.sector, refit.recipe, refit.name, f"{refit.recipe} is in Production")
