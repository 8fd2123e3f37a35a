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
    """Call `work(start, stop)` for each run of `size` rows out of `count`, and give the results in order.

    The runs depend on `count` and `size` alone, so results do not depend on the number of threads. `work`
    must let go of the interpreter (compiled code, NumPy) for threads to help.

    Args:
        count: rows in all.
        work: called with the first row of a run and the row after its last.
        size: rows in a run; the last may be shorter.
        threads: None is every core that this process may use; 1 works in the caller's thread.
    """
    starts = range(0, count, size)
    stops = [min(start + size, count) for start in starts]
    workers = min(threads or len(os.sched_getaffinity(0)), len(stops))
    if workers <= 1:
        return list(map(work, starts, stops))
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, starts, stops))
