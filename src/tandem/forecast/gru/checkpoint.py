"""How far a training is, on disk."""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.gru.course import Course
from tandem.forecast.gru.lesson import Assignment, Epoch
from tandem.forecast.gru.registers import LANES

FORMAT: Final = 1
# A checkpoint every so many sequences read: a fraction of a second of work, a hundredth of which writing it takes.
OFTEN: Final = 20_000
FLOATS: Final = ("weights", "means", "squares", "best")


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training: named by a digest of its data and settings, so that no other one takes it up.

    Attributes:
        path: None keeps nothing.
        every: epochs from one writing to the next.
    """

    path: Path | None
    every: int

    @classmethod
    def of(cls, folder: Path | None, assignment: Assignment, settings: ModelSettings, epochs: int) -> Self:
        """Where the training of an assignment is kept in a folder."""
        every = max(1, OFTEN // max(len(assignment.train[1]), 1))
        return cls(folder and folder / f"{_digest(assignment, settings, epochs)}.npz", every)

    def resume(self, course: Course) -> None:
        """Bring a course that has not begun to where it was; a file that is damaged counts as none."""
        if self.path is None or not self.path.exists():
            return
        with suppress(OSError, BadZipFile, ValueError, KeyError, EOFError), self.path.open("rb") as file:
            kept = np.load(file)
            floats = {name: kept[name] for name in FLOATS}
            history, best_epoch = [_epoch(row) for row in kept["history"].tolist()], int(kept["best_epoch"])
            for name, row in floats.items():
                getattr(course, name)[:] = row
            course.history, course.best_epoch = history, best_epoch

    def keep(self, course: Course) -> None:
        """Write the course where it is time to, in one step: a reader finds the file before or the file after."""
        if self.path is None or not (course.has_ended or len(course.history) % self.every == 0):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        history = [
            [np.nan if figure is None else figure for figure in vars(epoch).values()] for epoch in course.history
        ]
        written = self.path.with_name(f"{self.path.stem}.{id(course):x}.part")
        with written.open("wb") as file:
            np.savez(
                file,
                history=np.array(history),
                best_epoch=np.array(course.best_epoch),
                **{name: getattr(course, name) for name in FLOATS},
            )
        written.replace(self.path)

    def remove(self) -> None:
        """The training is over: no file, and no folder where it was the last."""
        if self.path is not None:
            for left in self.path.parent.glob(f"{self.path.stem}.*"):
                left.unlink(missing_ok=True)
            with suppress(OSError):
                self.path.parent.rmdir()


def _epoch(figures: list[float]) -> Epoch:
    return Epoch(*figures[:2], *(None if np.isnan(figure) else figure for figure in figures[2:]))


def _digest(assignment: Assignment, settings: ModelSettings, epochs: int) -> str:
    digest = sha256()
    recipe = (settings.gru_units, settings.dropout_rate, settings.learning_rate, settings.batch_size, settings.patience)
    digest.update(repr((FORMAT, LANES, *recipe, assignment.seed, epochs)).encode())
    for block in (assignment.train, assignment.validation):
        for part in block or ():
            values = np.ascontiguousarray(part, np.float32)
            digest.update(repr(values.shape).encode() + values.tobytes())
    return digest.hexdigest()[:32]
