"""The state of one network's training between two epochs."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.gru.layout import Layout
from tandem.forecast.gru.lesson import Assignment, Epoch, Lesson
from tandem.forecast.gru.network import Gru
from tandem.forecast.gru.registers import Floats


@dataclass(eq=False)
class Course:
    """How far one network is.

    Attributes:
        layout: of all rows of floats here.
        epochs: passes at most.
        patience: epochs without a better validation loss that end it.
        weights: as they are.
        means, squares: Adam's.
        best: the weights of the best epoch.
        best_epoch: counted from 1; 0 before the first.
        history: the epochs run.
    """

    layout: Layout
    epochs: int
    patience: int
    weights: Floats
    means: Floats
    squares: Floats
    best: Floats
    best_epoch: int = 0
    history: list[Epoch] = field(default_factory=list)

    @classmethod
    def begin(cls, assignment: Assignment, settings: ModelSettings, epochs: int) -> Self:
        """Before the first epoch, the weights drawn."""
        layout = Layout(assignment.train[0].shape[2], settings.gru_units)
        weights, nothing = layout.draw(chance_of(assignment.seed, 0)), np.zeros(layout.size, np.float32)
        return cls(layout, epochs, settings.patience, weights, nothing, nothing.copy(), weights.copy())

    @property
    def has_ended(self) -> bool:
        """Whether all epochs are run, or `patience` in a row without a better one."""
        return len(self.history) >= self.epochs or len(self.history) - self.best_epoch >= self.patience

    def note(self, epoch: Epoch) -> None:
        """Put an epoch on record, and its weights where they are the best so far."""
        best = self.history[self.best_epoch - 1].validation_loss if self.best_epoch else None
        self.history.append(epoch)
        loss = epoch.validation_loss
        if loss is None or loss < (float("inf") if best is None else best):
            self.best, self.best_epoch = self.weights.copy(), len(self.history)

    def lesson(self) -> Lesson:
        """What it gave."""
        return Lesson(Gru(self.layout.unpack(self.best)), tuple(self.history), self.best_epoch)


def chance_of(seed: int, epoch: int) -> np.random.Generator:
    """The random numbers of one epoch (0: of the first weights), whatever was drawn before."""
    return np.random.default_rng([seed % 2**64, epoch])
