"""Many networks trained at once, each by itself."""

from collections.abc import Sequence
from ctypes import CDLL
from pathlib import Path
from typing import Final

from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru.apart import learn
from tandem.forecast.gru.lesson import Assignment, Lesson
from tandem.forecast.gru.study import Study
from tandem.forecast.gru.together import learn_together
from tandem.statistics import in_chunks

DRIVERS: Final = ("libcuda.so.1", "nvcuda.dll")


def train_gru(
    train: tuple[Array, Array], validation: tuple[Array, Array] | None, settings: ModelSettings, epochs: int
) -> Lesson:
    """Train a GRU on scaled sequences and their labels; the best validation loss wins and ends it.

    Adam on the log loss, dropout before the output, batches in seeded random order. Two runs give the same weights,
    bit for bit. It takes one core of the CPU: alone, a network this small leaves a GPU idle.

    Args:
        train: sequences [n, length, features] and labels [n] of 0 and 1.
        validation: the same from a later block, or None to run every epoch.
        settings: units, dropout, learning rate, batch, patience and seed.
        epochs: passes at most.
    """
    return train_grus([Assignment(train, validation, settings.seed)], settings, epochs, device="cpu")[0]


def train_grus(
    assignments: Sequence[Assignment],
    settings: ModelSettings,
    epochs: int,
    *,
    checkpoint: Path | None = None,
    threads: int | None = None,
    device: str | None = None,
) -> list[Lesson]:
    """Train a network of its own for each assignment, all at once; one that has stopped costs nothing more.

    On the CPU a network's weights are bit for bit those of `train_gru` with its seed: neither the others nor the
    number of threads change them. On a GPU they are the same to about 1e-5.

    Args:
        assignments: blocks, seeds and their own number of epochs; `settings.seed` is not read.
        settings: units, dropout, learning rate, batch and patience.
        epochs: passes at most, where an assignment does not say.
        checkpoint: a folder to keep the state in: called again after it was killed, training goes on from there and
            on the CPU ends with the same weights, bit for bit. Files of other assignments are left alone; its own
            are removed at the end.
        threads: of the CPU; None is every core that this process may use.
        device: `cpu`, or PyTorch's name of a GPU; None is a GPU where there is one.

    Returns:
        The lessons, in the order of the assignments.
    """

    def begun(assignment: Assignment) -> Study:
        return Study.begin(assignment, settings, epochs, checkpoint)

    def learn_apart(start: int, _: int) -> Study:
        study = begun(assignments[start])
        learn(study)
        return study

    where = device or _device()
    if where == "cpu":
        studies = in_chunks(len(assignments), learn_apart, size=1, threads=threads)
    else:
        studies = [begun(assignment) for assignment in assignments]
        learn_together(studies, where)
    for study in studies:
        study.checkpoint.remove()
    return [study.course.lesson() for study in studies]


def _device() -> str:
    """Where there is no driver of a GPU, PyTorch need not be imported to know."""
    if not any(map(_is_there, DRIVERS)):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _is_there(library: str) -> bool:
    try:
        CDLL(library)
    except OSError:
        return False
    return True
