"""How loops over many rows are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

ANY_ORDER = {"reassoc", "contract", "nsz"}
Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """A compiled loop, kept on disk, that leaves the interpreter to other threads while it runs."""
    return cast(Loop, numba.njit(cache=True, nogil=True, error_model="numpy")(loop))


def summing(loop: Loop) -> Loop:
    """A compiled loop of sums, whose terms may be added in any order; for finite numbers only."""
    return cast(Loop, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=ANY_ORDER)(loop))
