"""A night's housekeeping: its steps in their order, and what they came to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from tandem.market import DataError, TandemError, World
from tandem.operations.housekeeping.backing_up import back_up_home
from tandem.operations.housekeeping.gaps import fill_gaps
from tandem.operations.housekeeping.night import Finding, Night
from tandem.operations.housekeeping.retention import let_go
from tandem.operations.housekeeping.seal import seal_day
from tandem.operations.housekeeping.vacuuming import vacuum_tables

STEPS: Final[Mapping[str, Callable[[Night], Finding]]] = {
    "gaps": fill_gaps,
    "seal": seal_day,
    "retention": let_go,
    "vacuum": vacuum_tables,
    "backup": back_up_home,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a night.

    Attributes:
        name: as in `STEPS`.
        words: what it came to, or why it failed.
        finding: its figures; None where it failed.
    """

    name: str
    words: str
    finding: Finding | None = None

    @property
    def failed(self) -> bool:
        """Whether it could not be done."""
        return self.finding is None


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a night's housekeeping came to."""

    world: World
    day: date
    steps: tuple[Step, ...]

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that could not be done."""
        return tuple(step for step in self.steps if step.failed)

    @property
    def words(self) -> str:
        """All of it in one line, for a fact."""
        return "; ".join(f"{step.name}: {step.words}" for step in self.steps)

    @property
    def document(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        steps = [
            {"step": each.name, "failed": each.failed, "words": each.words, "found": msgspec.to_builtins(each.finding)}
            for each in self.steps
        ]
        return {"world": str(self.world), "day": str(self.day), "steps": steps}


def tidy_day(night: Night, told: Callable[[Step], None] = lambda _: None) -> Tidied:
    """Do every step of `STEPS` in its order; one that fails keeps no other from being done.

    Each is safe to repeat, and to be killed in: the next run comes to the same end.

    Args:
        told: called with each step once it is over.

    Raises:
        DataError: the session is not over.
    """
    must_be_over(night)
    steps = []
    for name, work in STEPS.items():
        steps.append(done(name, work, night))
        told(steps[-1])
    return Tidied(night.world, night.session.day, tuple(steps))


def must_be_over(night: Night) -> None:
    """Raise where the session is still to come or goes on.

    Raises:
        DataError: it does.
    """
    if night.now < night.session.close:
        raise DataError(f"the session of {night.session.day} is not over", "Tidy it after its close")


def done(name: str, work: Callable[[Night], Finding], night: Night) -> Step:
    """What a step came to, or why it failed."""
    try:
        finding = work(night)
    except (TandemError, OSError) as error:
        return Step(name, str(error))
    return Step(name, finding.words, finding)
