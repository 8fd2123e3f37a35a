"""A value that says why not."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was asked for and not given, with the reason.

    Attributes:
        reason: a short stable name, for counting (`correlation`, `stale leg`, `halted`).
        why: one sentence for a person, with the figures that decided.
        by: the room that refused (`screening`, `signals`, `risk`, `execution`).
    """

    kind: ClassVar = "refusal"

    reason: str
    why: str
    by: str
