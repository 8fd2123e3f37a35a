"""Where blocks of pairs are worked on: threads of this process, or a cluster behind the same seam."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Block = TypeVar("Block")
Result = TypeVar("Result")


class Engine(Protocol):
    """Works on blocks that do not depend on one another; every engine gives the same bits.

    Blocks are cut by whoever asks, never by an engine, so no result depends on the number of workers.
    """

    @property
    def threads_each(self) -> int:
        """Threads that the work on one block may take, so that all blocks together have a core for each."""
        ...

    def map(self, work: Callable[[Shared, Block], Result], shared: Shared, blocks: Sequence[Block]) -> Iterator[Result]:
        """The results of `work(shared, block)` in the order of the blocks, as they come.

        Args:
            work: a function at the top of a module, so that it can be sent elsewhere by name; pure.
            shared: what every block needs, the same for all; sent once.
            blocks: small.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Blocks on threads of this process.

    Attributes:
        threads: at once; None is one for each core.
    """

    threads: int | None = None

    @property
    def threads_each(self) -> int:
        """The cores, divided by the blocks at work at once."""
        return max(1, (cpu_count() or 1) // self._at_once)

    def map(self, work: Callable[[Shared, Block], Result], shared: Shared, blocks: Sequence[Block]) -> Iterator[Result]:
        """The results in the order of the blocks; no more are held than twice the threads."""
        count = self._at_once
        with ThreadPoolExecutor(count) as pool:
            ahead: deque[Future[Result]] = deque()
            for block in blocks:
                ahead.append(pool.submit(work, shared, block))
                if len(ahead) >= 2 * count:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    @property
    def _at_once(self) -> int:
        return self.threads or cpu_count() or 1
