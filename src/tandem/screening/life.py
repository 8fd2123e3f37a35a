"""The life of a pair over the mornings: candidate, active, probation, retired.

A pair that passes a morning's screen is a candidate, and active after `candidate_mornings` further mornings that
it passes in a row. An active pair that fails is on probation: no entries, exits only. It is active again when it
passes, and retired after `probation_mornings` further failures; one that is held is not retired before its
position is closed. A retired pair that passes begins again as a candidate. One that passes and is crowded out by
better ones is a candidate. One that a morning does not look at stays what it is.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from tandem.config import LifeSettings
from tandem.market import Pair, Refusal


class PairState(StrEnum):
    """Where a pair stands; only an active one may be entered."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    PROBATION = "probation"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class PairLife:
    """Where a pair stands after a morning; a change of state is a fact.

    Attributes:
        pair: whose life it is.
        state: after the morning.
        before: the state it had; None where it had none.
        mornings: further mornings that a candidate has passed, or a pair on probation has failed, in a row.
        why: what the morning found, in words.
    """

    kind: ClassVar = "pair_life"

    pair: Pair
    state: PairState
    before: PairState | None
    mornings: int
    why: str

    @property
    def has_changed(self) -> bool:
        """Whether the morning moved it."""
        return self.state is not self.before

    @property
    def may_enter(self) -> bool:
        """Whether a session may open a position in it."""
        return self.state is PairState.ACTIVE


def next_morning(
    pair: Pair,
    before: PairLife | None,
    refusal: Refusal | None,
    settings: LifeSettings,
    *,
    held: bool = False,
    crowded_out: str = "",
) -> PairLife | None:
    """Where a pair stands after a morning's screen; None where it never stood anywhere and was refused.

    Args:
        before: after the last morning; None for a pair that is not known.
        refusal: of the gate that turned it away; None where it passed them all.
        settings: how many mornings each state takes.
        held: whether the book has an open position in it.
        crowded_out: why a pair that passed is not traded for the sake of better ones; empty where it is.
    """
    if refusal is None:
        life = _passed(pair, before, settings)
        return _crowded_out(life, crowded_out, settings) if crowded_out else life
    if before is None and not held:
        return None
    return _failed(pair, before, refusal, settings, held=held)


def not_looked_at(pair: Pair, before: PairLife | None, why: str) -> PairLife:
    """Where a pair stands after a morning whose screen did not cover it: where it stood.

    Args:
        before: after the last morning; None for one that is held and has no life yet, which is on probation.
        why: what the screen was of.
    """
    if before is None:
        return PairLife(pair, PairState.PROBATION, None, 0, why)
    return PairLife(pair, before.state, before.state, before.mornings, why)


def _crowded_out(life: PairLife, why: str, settings: LifeSettings) -> PairLife:
    if life.state is not PairState.ACTIVE:
        return life
    return PairLife(life.pair, PairState.CANDIDATE, life.before, settings.candidate_mornings, f"passed, but {why}")


def _passed(pair: Pair, before: PairLife | None, settings: LifeSettings) -> PairLife:
    state = before.state if before else None
    if state is PairState.ACTIVE:
        return PairLife(pair, PairState.ACTIVE, state, 0, "passed every gate")
    if state is PairState.PROBATION:
        return PairLife(pair, PairState.ACTIVE, state, 0, "passed every gate again")
    passed = before.mornings + 1 if before and state is PairState.CANDIDATE else 0
    needed = settings.candidate_mornings
    if passed >= needed:
        why = f"passed every gate {needed + 1} mornings in a row" if needed else "passed every gate"
        return PairLife(pair, PairState.ACTIVE, state, 0, why)
    return PairLife(pair, PairState.CANDIDATE, state, passed, f"passed every gate; {_more(needed - passed)} to go")


def _failed(pair: Pair, before: PairLife | None, refusal: Refusal, settings: LifeSettings, *, held: bool) -> PairLife:
    state = before.state if before else None
    why = f"refused at {refusal.reason}: {refusal.why}"
    failures = before.mornings + 1 if before and state is PairState.PROBATION else 0
    traded = state in (PairState.ACTIVE, PairState.PROBATION)
    if traded and failures < settings.probation_mornings:
        return PairLife(pair, PairState.PROBATION, state, failures, why)
    if held:
        return PairLife(pair, PairState.PROBATION, state, failures, f"{why}; held, so not retired yet")
    if traded and failures:
        why = f"{why}; {_more(failures)} on probation before"
    return PairLife(pair, PairState.RETIRED, state, 0, why)


def _more(mornings: int) -> str:
    return f"{mornings} morning{'' if mornings == 1 else 's'}"
