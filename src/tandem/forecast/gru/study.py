"""One network in training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru.checkpoint import Checkpoint
from tandem.forecast.gru.course import Course, chance_of
from tandem.forecast.gru.lesson import Assignment, Epoch
from tandem.forecast.gru.registers import Floats

Block = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Shuffle:
    """What an epoch leaves to chance.

    Attributes:
        order: [n], of the sequences.
        kept: [n, units], whether dropout keeps a unit of the last state, in that order.
    """

    order: NDArray[np.int64]
    kept: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Study:
    """What a network learns from, how far it is, and where that is kept.

    Attributes:
        train: sequences [n, length, features] and labels [n], float32, each in one piece.
        validation: the same, None where nothing is held out.
        seed: the network's own.
        settings: dropout, learning rate and batch are read.
        course: how far it is; it changes.
        checkpoint: where that is kept.
    """

    train: Block
    validation: Block | None
    seed: int
    settings: ModelSettings
    course: Course
    checkpoint: Checkpoint

    @classmethod
    def begin(cls, assignment: Assignment, settings: ModelSettings, epochs: int, folder: Path | None) -> Self:
        """From the beginning, or from where it was."""
        if assignment.epochs is not None:
            epochs = assignment.epochs
        course = Course.begin(assignment, settings, epochs)
        checkpoint = Checkpoint.of(folder, assignment, settings, epochs)
        checkpoint.resume(course)
        held_out = assignment.validation
        validation = _plain(held_out) if held_out is not None and len(held_out[1]) else None
        return cls(_plain(assignment.train), validation, assignment.seed, settings, course, checkpoint)

    @property
    def turn(self) -> int:
        """Steps of Adam so far."""
        return len(self.course.history) * -(-len(self.train[1]) // self.settings.batch_size)

    def shuffle(self) -> Shuffle:
        """That of the next epoch."""
        chance, sequences = chance_of(self.seed, len(self.course.history) + 1), len(self.train[1])
        order = chance.permutation(sequences)
        kept = chance.random((sequences, self.settings.gru_units), np.float32) >= self.settings.dropout_rate
        return Shuffle(order, kept)

    def note(self, epoch: Epoch) -> None:
        """Put an epoch that was run on record."""
        self.course.note(epoch)
        self.checkpoint.keep(self.course)


def _plain(block: tuple[Array, Array]) -> Block:
    sequences, labels = block
    return np.ascontiguousarray(sequences, np.float32), np.ascontiguousarray(labels, np.float32)
