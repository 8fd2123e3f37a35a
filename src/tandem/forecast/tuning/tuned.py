"""What a search for better settings came to, as a fact and as a block to paste."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

BLOCK: Final = "model:"


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best recipe that a study found. It trades nothing by itself: settings or a trial of recipes take it up.

    Attributes:
        session: the trading day that it was searched for; only bars before it were read, and no test block of them.
        sector: of the pairs.
        study: its name.
        pairs: `A/B`, those that it was judged on.
        version: of the new recipe.
        params: the best settings.
        loss: their mean log loss on the validation blocks.
        own_loss: that of the recipe it began with; None where that is outside the space.
        baselines: the rivals' mean scores on the same blocks.
        scores: the best recipe's.
        trials: finished ones.
        pruned: of them, those that were given up.
    """

    kind: ClassVar = "tuned"

    session: date
    sector: str
    study: str
    pairs: tuple[str, ...]
    version: str
    params: Mapping[str, Any]
    loss: float
    own_loss: float | None
    baselines: Mapping[str, Mapping[str, float]]
    scores: Mapping[str, float]
    trials: int
    pruned: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    def block(self) -> str:
        """The `model:` block of a configuration file with the new recipe."""
        lines = [f"  version: {self.version}", *(f"  {name}: {value}" for name, value in self.params.items())]
        return "\n".join([BLOCK, *lines])


def next_version(version: str) -> str:
    """`v2` for `v1`; what ends in no number gets one."""
    found = re.fullmatch(r"(.*?)(\d+)", version)
    return f"{found[1]}{int(found[2]) + 1}" if found else f"{version}-2"
