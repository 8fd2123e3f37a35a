"""Threads: one for linear algebra, and many for rows that do not know each other."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread while the block runs.

    On busy cores a regression of 500 rows takes twenty times longer on several threads, and the
    order of sums, hence the last digits of a fit, depends on how many there are.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def in_chunks(count: int, work: Callable[[int, int], T], *, size: int, threads: int | None = None) -> list[T]:
    """Call `work(start, stop)` for runs of at most `size` rows out of `count`, and give the results in order.

    The runs depend on `count` and `size` alone, so results do not depend on the number of threads. `work`
    must let go of the interpreter (compiled code, NumPy) for threads to help.

    Args:
        count: rows in all.
        work: called with the first row of a run and the row after its last.
        size: the most rows in a run; all are as long as each other, or a row longer, so that threads end together.
        threads: None is every core that this process may use; 1 works in the caller's thread.
    """
    runs = -(-count // size)
    bounds = [run * count // max(runs, 1) for run in range(runs + 1)]
    starts, stops = bounds[:-1], bounds[1:]
    workers = min(threads or len(os.sched_getaffinity(0)), runs)
    if workers <= 1:
        return list(map(work, starts, stops))
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, starts, stops))
