"""A series of float64 values."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Series = NDArray[np.float64]


def series_of(values: ArrayLike, *, least: int = 2) -> Series:
    """The values as a one-dimensional float64 array.

    Raises:
        ValueError: not one-dimensional, fewer than `least` values, or a value that is not finite.
    """
    array: NDArray[Any] = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < least:
        raise ValueError(f"a series of at least {least} values is needed, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("a series holds a value that is not a finite number")
    return array
