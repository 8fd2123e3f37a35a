"""What is to be learnt, and what training gave."""

from dataclasses import dataclass

from tandem.forecast.features import Array
from tandem.forecast.gru.network import Gru


@dataclass(frozen=True, eq=False)
class Assignment:
    """What one network is to learn.

    Attributes:
        train: scaled sequences [n, length, features] and labels [n], 0 and 1 or between them where only
            their probability is known.
        validation: the same from a later block; None (or an empty block) to run every epoch.
        seed: of the first weights, the order of the batches and the dropout.
        epochs: passes at most, where it is not the number that all are given.
    """

    train: tuple[Array, Array]
    validation: tuple[Array, Array] | None
    seed: int
    epochs: int | None = None


@dataclass(frozen=True)
class Epoch:
    """One pass over the training block; validation figures are None where no such block was given.

    For the F1 score a label above 0.5 is a one.
    """

    loss: float
    f1_score: float
    validation_loss: float | None = None
    validation_f1_score: float | None = None


@dataclass(frozen=True, eq=False)
class Lesson:
    """What training gave: the network with the best validation loss, and how it came there.

    Attributes:
        gru: the weights of the best epoch (of the last one where nothing was held out).
        history: every epoch run, the best one included.
        best_epoch: counted from 1.
    """

    gru: Gru
    history: tuple[Epoch, ...]
    best_epoch: int
