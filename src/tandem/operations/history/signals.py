"""Signals with what refused them: each once, however many facts tell of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from tandem.market import World
from tandem.operations.run.wording import counted
from tandem.store import Asked, SignalRow, Store

REFUSED: Final = "refused"
HOLD: Final = "hold"


@dataclass(frozen=True, slots=True)
class SignalCounts:
    """How many signals there are, and how many refusals.

    Attributes:
        actions: signals by what they said, most first.
        refused: refusals of one of these signals.
        unjudged: refusals of a pair that had no signal, as where a leg had no fresh bar.
    """

    actions: Mapping[str, int]
    refused: int
    unjudged: int

    @classmethod
    def of(cls, store: Store, world: World, asked: Asked) -> Self:
        """Count those that are asked for."""
        rows = store.history.counts(SignalRow, world, asked, "action")
        refusals = rows.pop(REFUSED, 0)
        signals = store.history.counts(SignalRow, world, asked, "action", "action = 'refused' AND z IS NOT NULL")
        refused = signals.get(REFUSED, 0)
        return cls(rows, refused, refusals - refused)

    @property
    def signals(self) -> int:
        """Each of one pair at one decision time, refused or not."""
        return sum(self.actions.values())

    @property
    def acted(self) -> int:
        """Rows but those that hold: signals and refusals."""
        return self.signals - self.actions.get(HOLD, 0) + self.refused + self.unjudged

    @property
    def words(self) -> str:
        """For people; empty where there is neither."""
        said = ", ".join(f"{name} {number:,}" for name, number in self.actions.items())
        signals = f"{counted(self.signals, 'signal')}: {said}." if said else ""
        held = "Holds are left out here." if self.actions.get(HOLD) else ""
        return " ".join(filter(None, (signals, self._refusals, held)))

    @property
    def _refusals(self) -> str:
        refusals = self.refused + self.unjudged
        of = f"{self.refused:,} of one of these signals, {self.unjudged:,} of a pair without a signal"
        return f"{counted(refusals, 'refusal')}: {of}." if refusals else ""


def each_once(rows: Sequence[SignalRow]) -> Iterator[SignalRow]:
    """Signals and refusals; a signal that was refused is one row, which says what was refused and why."""
    said = {_key(row): row.action for row in rows if row.action != REFUSED}
    refused = {_key(row) for row in rows if row.action == REFUSED}
    for row in rows:
        if row.action == REFUSED and _key(row) in said:
            yield replace(row, action=said[_key(row)], reason=f"refused, {row.reason}")
        elif row.action == REFUSED or _key(row) not in refused:
            yield row


def _key(row: SignalRow) -> tuple[str, datetime]:
    """A pair and a decision time; orders are refused some seconds later."""
    return row.pair, row.at.replace(second=0, microsecond=0)
