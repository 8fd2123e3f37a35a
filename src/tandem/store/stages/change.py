"""One step in the life of a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Stage(StrEnum):
    """Where a recipe stands in its sector."""

    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class Move(StrEnum):
    """Why a recipe changed its stage."""

    STAGED = "staged"
    FIRST = "first of its sector"
    PROMOTED = "promoted"
    SUPERSEDED = "superseded"
    DEMOTED = "demoted"
    TOOK_OVER = "took over"
    ROLLED_BACK = "rolled back"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class StageChanged:
    """A recipe went from one stage to another. Appended with its row in one transaction, and never edited.

    Attributes:
        sector: whose models.
        recipe: its version, such as `v2`.
        before: None for a recipe that is new.
        after: where it stands now.
        move: what kind of step it was.
        why: in words.
        by: who decided: a person, or the name of what did.
        evidence: the figures that decided, by name.
        against: the recipe that came or went in its place.
    """

    kind: ClassVar = "stage_changed"

    sector: str
    recipe: str
    before: Stage | None
    after: Stage
    move: Move
    why: str
    by: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    against: str = ""
