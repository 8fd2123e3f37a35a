"""The pictures of many pairs, drawn beside the work that waits for nothing of them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Self

from tandem.forecast.model import PairModel
from tandem.forecast.registry.pictures import pictures
from tandem.market import Pair, follow_parent
from tandem.screening import Passport

# A process takes some two seconds to start, a pair's pictures a quarter of one.
LEAST_FOR_PROCESSES: Final = 24

Pictures = dict[str, bytes]


class Drawing:
    """Pictures of pairs: in processes of their own where there are many, otherwise when they are asked for.

    Args:
        asked: each pair's passport and model.
    """

    def __init__(self, asked: Sequence[tuple[Passport, PairModel]]) -> None:
        self._asked = asked
        self._drawn: dict[Pair, Callable[[], Pictures]] = {}
        self._waiting: list[tuple[Pair, Path]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if len(self._asked) < LEAST_FOR_PROCESSES:
            self._drawn = {passport.pair: partial(pictures, passport, model) for passport, model in self._asked}
            return self
        context, workers = get_context("spawn"), os.cpu_count() or 1
        pool = self._open.enter_context(ProcessPoolExecutor(workers, context, follow_parent))
        for passport, model in self._asked:
            # A model goes as its own bytes: what makes it quick to ask does not travel.
            future: Future[Pictures] = pool.submit(_pictures, passport, model.to_bytes())
            self._drawn[passport.pair] = future.result
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is None:
                self._write()
        finally:
            self._open.close()

    def keep(self, pair: Pair, folder: Path) -> None:
        """Have a pair's pictures in a folder when the block is over; nothing for a pair that is not drawn."""
        if pair in self._drawn:
            self._waiting.append((pair, folder))

    def _write(self) -> None:
        for pair, folder in self._waiting:
            for name, content in self._drawn[pair]().items():
                (folder / name).write_bytes(content)


def _pictures(passport: Passport, model: bytes) -> Pictures:
    return pictures(passport, PairModel.from_bytes(model))
