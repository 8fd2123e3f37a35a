"""The baseline rule of STATISTICS 7, one decision at a time."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import ClassVar, Final

from tandem.config import RuleSettings
from tandem.statistics import Band


class Action(StrEnum):
    """What to do with a pair now."""

    HOLD = "hold"
    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT = "exit"
    STOP = "stop"

    @property
    def is_entry(self) -> bool:
        """Whether it opens a position."""
        return self in (Action.ENTER_LONG, Action.ENTER_SHORT)

    @property
    def is_close(self) -> bool:
        """Whether it closes one."""
        return self in (Action.EXIT, Action.STOP)

    @property
    def direction(self) -> int:
        """Direction of the spread that an entry takes: +1 long, -1 short, 0 for anything else."""
        return {Action.ENTER_LONG: 1, Action.ENTER_SHORT: -1}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Observation:
    """What is seen of a spread at a decision.

    Attributes:
        z: distance from the formation window's equilibrium in its deviations (`z_eq`).
        probability: forecast probability that the spread comes closer to the equilibrium.
        inside_band: whether the spread is inside the GARCH band drawn at the entry; True without a position.
    """

    z: float
    probability: float
    inside_band: bool = True


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a pair stands before a decision.

    Attributes:
        direction: +1 long the spread (long a, short b), -1 short it, 0 no position.
        bars_held: completed bars of the model's timeframe since the entry.
        resting: completed bars of the model's timeframe that entries are still refused.
        entry_z: z at the entry.
    """

    kind: ClassVar = "stance"

    direction: int = 0
    bars_held: int = 0
    resting: int = 0
    entry_z: float = 0.0

    def after(self, bars: int = 1) -> "Stance":
        """The stance when `bars` more bars of the model's timeframe have completed.

        Decisions may come more often than those bars: only completed bars count, so a caller passes
        their number since its last decision, which may be 0.
        """
        held = self.bars_held + bars if self.direction else 0
        return replace(self, bars_held=held, resting=max(0, self.resting - bars))


FLAT: Final = Stance()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rule says and why, with the figures that decided.

    Attributes:
        action: what to do.
        reason: a short stable name, for counting (`entry`, `target`, `band`, `resting`, ...).
        why: one sentence for a person.
    """

    action: Action
    reason: str
    why: str


def decide(stance: Stance, observation: Observation, half_life: float, rule: RuleSettings) -> Decision:
    """Apply the baseline rule (STATISTICS 7) once; nothing is remembered.

    Args:
        stance: where the pair stands.
        observation: what is seen now.
        half_life: of the pair, bars of the model's timeframe.
        rule: thresholds.
    """
    if stance.direction:
        return _leave(stance, observation, half_life, rule)
    return _enter(stance, observation, rule)


def advance(
    stance: Stance, decision: Decision, observation: Observation, half_life: float, rule: RuleSettings
) -> Stance:
    """The stance after a decision was carried out, before any further bar completes."""
    if decision.action.is_entry:
        return Stance(direction=decision.action.direction, entry_z=observation.z)
    if decision.action is Action.STOP:
        return Stance(resting=ceil(rule.rest_half_lives * half_life))
    if decision.action is Action.EXIT:
        return FLAT
    return stance


def inside_band(direction: int, spread: float, band: Band, rule: RuleSettings) -> bool:
    """Whether a held spread is inside its GARCH band (STATISTICS 7); only moving away from the equilibrium stops.

    Args:
        direction: of the position, +1 or -1.
        spread: now, spread units.
        band: `GarchFit.band` from the entry's state for the bars held since.
        rule: its `band_deviations` is the width.
    """
    return direction * (spread - band.centre) >= -rule.band_deviations * band.deviation


def _leave(stance: Stance, seen: Observation, half_life: float, rule: RuleSettings) -> Decision:
    if abs(seen.z) <= rule.exit_z:
        return Decision(Action.EXIT, "target", f"|z| {abs(seen.z):.2f} is within {rule.exit_z:g} of the equilibrium")
    if seen.z * stance.direction > 0:
        return Decision(Action.EXIT, "crossed", f"z {seen.z:.2f} is beyond the equilibrium")
    if abs(seen.z) >= rule.stop_z:
        return Decision(Action.STOP, "stop", f"|z| {abs(seen.z):.2f} has reached the stop at {rule.stop_z:g}")
    if not seen.inside_band:
        return Decision(
            Action.STOP, "band", f"z {seen.z:.2f} is outside the GARCH band of {rule.band_deviations:g} deviations"
        )
    longest = rule.max_half_lives * half_life
    if stance.bars_held >= longest:
        return Decision(Action.STOP, "time", f"held {stance.bars_held} bars, the longest is {longest:.1f}")
    return Decision(Action.HOLD, "holding", f"z {seen.z:.2f} is between target and stop")


def _enter(stance: Stance, seen: Observation, rule: RuleSettings) -> Decision:
    if not abs(seen.z) >= rule.enter_z:
        return Decision(Action.HOLD, "no signal", f"|z| {abs(seen.z):.2f} is below {rule.enter_z:g}")
    if stance.resting > 0:
        return Decision(Action.HOLD, "resting", f"rests {stance.resting} more bars after a stop")
    if abs(seen.z) >= rule.stop_z:
        return Decision(Action.HOLD, "beyond stop", f"|z| {abs(seen.z):.2f} is already at the stop of {rule.stop_z:g}")
    if not seen.probability >= rule.min_probability:
        return Decision(
            Action.HOLD,
            "probability",
            f"reversion at {seen.probability:.2f} is less likely than {rule.min_probability:g}",
        )
    action = Action.ENTER_SHORT if seen.z > 0 else Action.ENTER_LONG
    return Decision(action, "entry", f"z {seen.z:.2f}, reversion probability {seen.probability:.2f}")
