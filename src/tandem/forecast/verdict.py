"""What the trial of a recipe came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recipe judged on the record of its refits.

    Attributes:
        sector: whose models.
        recipe: that was judged, its version, such as `v2`.
        action: `promote` a challenger to Production, `demote` a champion, or `keep` things as they are.
        why: the reason in words, with its figures.
        evidence: the figures that decided, by name.
        against: the recipe it was compared with; empty where it was the baseline, or its own expected band.
    """

    kind: ClassVar = "verdict"

    sector: str
    recipe: str
    action: Literal["promote", "demote", "keep"]
    why: str
    evidence: Mapping[str, float]
    against: str = ""
