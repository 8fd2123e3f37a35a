"""Many networks trained at once, each by itself."""

from collections.abc import Sequence
from pathlib import Path

from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru.apart import learn
from tandem.forecast.gru.lesson import Assignment, Lesson
from tandem.forecast.gru.study import Study
from tandem.statistics import in_chunks


def train_gru(
    train: tuple[Array, Array], validation: tuple[Array, Array] | None, settings: ModelSettings, epochs: int
) -> Lesson:
    """Train a GRU on scaled sequences and their labels; the best validation loss wins and ends it.

    Adam on the log loss, dropout before the output, batches in seeded random order. Two runs give the same weights,
    bit for bit.

    Args:
        train: sequences [n, length, features] and labels [n] of 0 and 1.
        validation: the same from a later block, or None to run every epoch.
        settings: units, dropout, learning rate, batch, patience and seed.
        epochs: passes at most.
    """
    return train_grus([Assignment(train, validation, settings.seed)], settings, epochs, threads=1)[0]


def train_grus(
    assignments: Sequence[Assignment],
    settings: ModelSettings,
    epochs: int,
    *,
    checkpoint: Path | None = None,
    threads: int | None = None,
) -> list[Lesson]:
    """Train a network of its own for each assignment, all at once; one that has stopped costs nothing more.

    A network's weights are bit for bit those of `train_gru` with its seed: neither the others nor the number of
    threads change them.

    Args:
        assignments: blocks, seeds and their own number of epochs; `settings.seed` is not read.
        settings: units, dropout, learning rate, batch and patience.
        epochs: passes at most, where an assignment does not say.
        checkpoint: a folder to keep the state in: called again after it was killed, training goes on from there and
            ends with the same weights, bit for bit. Files of other assignments are left alone; its own are
            removed at the end.
        threads: None is every core that this process may use.

    Returns:
        The lessons, in the order of the assignments.
    """

    def study_of(assignment: Assignment) -> Study:
        return Study.begin(assignment, settings, epochs, checkpoint)

    def learn_apart(start: int, _: int) -> Study:
        study = study_of(assignments[start])
        learn(study)
        return study

    studies = in_chunks(len(assignments), learn_apart, size=1, threads=threads)
    for study in studies:
        study.checkpoint.remove()
    return [study.course.lesson() for study in studies]
