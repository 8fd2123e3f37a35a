"""Staging, Production, Archived: moves that are checked, one at a time, each on record with its reasons."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from tandem.market import NEW_YORK
from tandem.store.facts import Facts
from tandem.store.record import Record
from tandem.store.stages.board import Board, Changes, Said
from tandem.store.stages.change import Stage, StageChanged

NOTHING: Final[Mapping[str, float]] = {}


class Stages:
    """The stages of every sector in one world.

    A move reads, checks and appends alone: two that race are made one after the other, and the second is checked
    against what the first has left. In PostgreSQL the rows of `model_stages` follow the facts in the same transaction,
    and its index allows one Production per sector whoever writes.

    Args:
        facts: of the world.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def board(self, sector: str, moment: datetime | None = None) -> Board:
        """Where a sector's recipes stand now, or stood at a moment."""
        return Board.of(sector, _until(self._facts.read(StageChanged), moment))

    def sectors(self) -> tuple[str, ...]:
        """Sectors that have recipes, sorted."""
        return tuple(sorted({record.body.sector for record in self._facts.read(StageChanged)}))

    def production(self, sector: str, moment: datetime | None = None) -> str | None:
        """The recipe in Production; None where the baseline trades alone."""
        return self.board(sector, moment).production

    def history(self, sector: str) -> list[Record[StageChanged]]:
        """Every change of a sector, oldest first."""
        return [record for record in self._facts.read(StageChanged) if record.body.sector == sector]

    def stage(self, sector: str, recipe: str, *, why: str, by: str, at: datetime) -> Changes:
        """Bring a new recipe to Staging; the first of its sector goes on to Production. A known one stays as it is."""
        said = Said(why, by, NOTHING)
        return self._moved(sector, at, lambda board: board.stage(recipe, said))

    def promote(
        self, sector: str, recipe: str, *, why: str, by: str, at: datetime, evidence: Mapping[str, float]
    ) -> Changes:
        """Staging to Production; what was there is Archived in the same transaction.

        Raises:
            DataError: it is not in Staging, or there is no evidence.
        """
        said = Said(why, by, evidence)
        return self._moved(sector, at, lambda board: board.promote(recipe, said))

    def demote(
        self, sector: str, recipe: str, *, why: str, by: str, at: datetime, evidence: Mapping[str, float] = NOTHING
    ) -> Changes:
        """Production to Archived; the last good recipe takes over in the same transaction, or the baseline.

        Raises:
            DataError: it is not in Production.
        """
        said = Said(why, by, evidence)
        return self._moved(sector, at, lambda board: board.demote(recipe, said))

    def roll_back(
        self, sector: str, recipe: str, *, why: str, by: str, at: datetime, evidence: Mapping[str, float] = NOTHING
    ) -> Changes:
        """Archived to Production, for a recipe that was there; what is there now is Archived.

        Raises:
            DataError: it is not Archived, or never was in Production.
        """
        said = Said(why, by, evidence)
        return self._moved(sector, at, lambda board: board.roll_back(recipe, said))

    def withdraw(self, sector: str, recipe: str, *, why: str, by: str, at: datetime) -> Changes:
        """Staging to Archived.

        Raises:
            DataError: it is not in Staging.
        """
        said = Said(why, by, NOTHING)
        return self._moved(sector, at, lambda board: board.withdraw(recipe, said))

    def _moved(self, sector: str, at: datetime, move: Callable[[Board], Changes]) -> Changes:
        with self._facts.alone(f"stages of {sector}") as facts:
            known = [record for record in facts.read(StageChanged) if record.body.sector == sector]
            changes = move(Board.of(sector, (record.body for record in known)))
            # What was in Production at a moment stays what it was: no change is dated before one that touched it.
            touched = [each for each in known if Stage.PRODUCTION in (each.body.before, each.body.after)]
            when = max([at, *(record.at for record in touched)])
            day = when.astimezone(NEW_YORK).date()
            facts.append(*(
                Record(change, day, when, f"stage.{sector}.{number}")
                for number, change in enumerate(changes, start=len(known) + 1)
            ))  # fmt: skip
        return changes


def _until(records: Iterable[Record[StageChanged]], moment: datetime | None) -> Iterable[StageChanged]:
    return (record.body for record in records if moment is None or record.at <= moment)
