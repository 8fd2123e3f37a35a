"""Networks of many pairs, taught together."""

from collections.abc import Sequence
from dataclasses import dataclass

from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru import Lesson, train_gru

Block = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Assignment:
    """What one network is to learn.

    Attributes:
        train: scaled sequences [n, length, features] and labels [n] of 0 and 1.
        validation: the same from a later block, or None to run every epoch.
        seed: of the first weights, the order of the batches and the dropout.
        epochs: passes at most, where it is not the recipe's number.
    """

    train: Block
    validation: Block | None
    seed: int
    epochs: int | None = None


def lessons(assignments: Sequence[Assignment], recipe: ModelSettings) -> list[Lesson]:
    """The lesson of each assignment, in their order; none depends on the others."""
    return [_lesson(each, recipe.model_copy(update={"seed": each.seed})) for each in assignments]


def _lesson(each: Assignment, recipe: ModelSettings) -> Lesson:
    return train_gru(each.train, each.validation, recipe, each.epochs or recipe.epochs)
