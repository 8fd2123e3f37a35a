"""What one process at a time may do in a home."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.market import TandemError


@contextmanager
def only_one(lock: Path, what: str, mend: str) -> Iterator[None]:
    """Be the one process that holds a lock; the kernel lets go of one that is killed.

    Args:
        lock: a file, made where it is missing, as its folder is.
        what, mend: said where another process holds it.

    Raises:
        TandemError: one does.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TandemError(what, mend) from None
        yield
