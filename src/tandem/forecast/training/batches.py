"""Trainings of many pairs, a batch at a time, here or on a cluster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tandem.config import Settings
from tandem.forecast.model import PairModel
from tandem.forecast.ranking.rating import Rating
from tandem.forecast.training.checkpoint import Checkpoint, Kept
from tandem.forecast.training.pair_bars import PairBars
from tandem.forecast.training.train import Pupil, rate_pairs, train_pairs
from tandem.screening import Engine, LocalEngine, Passport, Progress, Versions

# Cut here and not by an engine, so that no result depends on who worked on it with how many others.
PAIRS_AT_ONCE: Final = 16
TRAINED: Final = "pairs trained"

Item = TypeVar("Item")
R = TypeVar("R", bound=Kept)


@dataclass(frozen=True, slots=True)
class Training:
    """How many pairs are trained: in batches that are always the same, wherever they are worked on.

    Attributes:
        settings: `model` and `garch` are read.
        engine: where batches are worked on; without it here, one after another.
        folder: keeps finished batches, so that a training that was killed goes on; None keeps none. Whoever has put
            the results on record deletes it.
        progress: called with a stage, the pairs done and the pairs in all.
    """

    settings: Settings
    engine: Engine = field(default_factory=lambda: LocalEngine(1))
    folder: Path | None = None
    progress: Progress | None = None

    def models(self, pupils: Sequence[Pupil]) -> list[PairModel]:
        """The model of each pair, as `train_pairs` gives it."""
        return self._all(_trained, pupils, Checkpoint(self.folder, PairModel.from_bytes), "model")

    def ratings(self, pairs: Sequence[PairBars]) -> list[Rating]:
        """How a model of each pair does, as `rate_pairs` says."""
        return self._all(_rated, pairs, Checkpoint(self.folder, Rating.from_bytes), "rating")

    def _all(self, work: Callable[..., list[R]], items: Sequence[Item], kept: Checkpoint[R], kind: str) -> list[R]:
        batches = [items[start : start + PAIRS_AT_ONCE] for start in range(0, len(items), PAIRS_AT_ONCE)]
        names = [f"{kind}-{self._name(batch)}" for batch in batches]
        found = [kept.find(name) for name in names]
        missing = [batch for batch, known in zip(batches, found, strict=True) if known is None]
        fresh = self.engine.map(partial(work, threads=self.engine.threads_each), self.settings, missing)
        results: list[R] = []
        for name, known in zip(names, found, strict=True):
            done = next(fresh) if known is None else known
            if known is None:
                kept.keep(name, done)
            results += done
            self._tell(len(results), len(items))
        next(fresh, None)
        return results

    def _name(self, batch: Sequence[object]) -> str:
        """SHA-256 of all that decides a batch's results."""
        recipe = [getattr(self.settings, block).model_dump(mode="json") for block in ("model", "garch")]
        digest = sha256(msgspec.json.encode([recipe, Versions.here()]))
        for part in (part for item in batch for part in _parts(item)):
            digest.update(sha256(part).digest())
        return digest.hexdigest()[:32]

    def _tell(self, done: int, of: int) -> None:
        if self.progress is not None:
            self.progress(TRAINED, done, of)


def _trained(settings: Settings, batch: Sequence[Pupil], threads: int) -> list[PairModel]:
    return train_pairs(batch, settings, threads=threads)


def _rated(settings: Settings, batch: Sequence[PairBars], threads: int) -> list[Rating]:
    return rate_pairs(batch, settings, threads=threads)


def _parts(item: object) -> Iterator[bytes]:
    if isinstance(item, tuple):
        for part in item:
            yield from _parts(part)
    elif isinstance(item, PairBars):
        yield msgspec.json.encode([item.pair, item.starts])
        yield item.closes_a.tobytes()
        yield item.closes_b.tobytes()
    else:
        assert isinstance(item, Passport)
        yield msgspec.json.encode(item)
