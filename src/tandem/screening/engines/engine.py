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

    def map(self, work: Callable[[Shared, Block], Result], shared: Shared, blocks: Sequence[Block]) -> Iterator[Result]:
        """The results in the order of the blocks; no more are held than twice the threads."""
        count = self.threads or cpu_count() or 1
        with ThreadPoolExecutor(count) as pool:
            ahead: deque[Future[Result]] = deque()
            for block in blocks:
                ahead.append(pool.submit(work, shared, block))
                if len(ahead) >= 2 * count:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
