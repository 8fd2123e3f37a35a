"""Linear algebra on one thread: small problems run faster so, and give the same digits every time."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread while the block runs.

    On busy cores a regression of 500 rows takes twenty times longer on several threads, and the
    order of sums, hence the last digits of a fit, depends on how many there are.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield
