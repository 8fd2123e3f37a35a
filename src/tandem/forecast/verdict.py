"""What a trial of a recipe came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a recipe takes over, stands down, or nothing changes, and the evidence.

    Attributes:
        sector: whose model it is about.
        recipe: whom it is about, such as `v2`.
        action: `promote` it, `demote` it, or `keep` things as they are.
        why: the reason in words, with the figures that decided.
        evidence: every figure that was looked at, by name.
        against: the recipe that it was compared with; empty where it was held to its own record.
    """

    kind: ClassVar = "verdict"

    sector: str
    recipe: str
    action: Literal["promote", "demote", "keep"]
    why: str
    evidence: Mapping[str, float]
    against: str = ""
