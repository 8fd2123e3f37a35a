"""Which pairs a challenger gets in a split: by a hash of seed and pair, so no day and no other pair changes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from tandem.config import TrialSettings
from tandem.market import Pair

WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Assignment:
    """A pair is a recipe's from here on, as a fact; the first one of a trial stays.

    Attributes:
        recipe: whose it is.
        champion, challenger: who are tried against each other.
        place: where the pair's hash lies, from 0 to 1: below `share` it is the challenger's.
        share: of the pairs, that the challenger gets.
        seed: of the hash.
    """

    kind: ClassVar = "assignment"

    pair: Pair
    recipe: str
    champion: str
    challenger: str
    place: float
    share: float
    seed: int


def place_of(pair: Pair, challenger: str, seed: int) -> float:
    """Where a pair lies between 0 and 1, evenly over pairs; another challenger or seed draws anew."""
    digest = sha256(f"{seed}/{challenger}/{pair}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / WHOLE


def assign(
    pairs: Iterable[Pair], champion: str, challenger: str, settings: TrialSettings, before: Mapping[Pair, Assignment]
) -> dict[Pair, Assignment]:
    """The assignment of each pair: the one that it had before, else a new one.

    Args:
        before: assignments of this trial that are on record; a changed `trial.share` leaves them alone.
    """

    def drawn(pair: Pair) -> Assignment:
        place = place_of(pair, challenger, settings.seed)
        recipe = challenger if place < settings.share else champion
        return Assignment(pair, recipe, champion, challenger, place, settings.share, settings.seed)

    return {pair: before.get(pair) or drawn(pair) for pair in pairs}
