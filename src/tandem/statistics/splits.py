"""Blocks in time order that do not look into each other (STATISTICS 6)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocks:
    """Positions of three blocks, oldest first; what lies between them is used by none."""

    train: slice
    validation: slice
    test: slice


def purged_blocks(n: int, validation: float, test: float, purge: int, embargo: int) -> Blocks:
    """Cut n samples into train, validation and test with a gap of `purge + embargo` before each of the latter two.

    Validation and test keep their full shares; the gaps come out of the block before them.

    Args:
        n: samples in time order.
        validation, test: shares of n.
        purge: longest look-back plus the label's horizon, samples.
        embargo: further samples left out.

    Raises:
        ValueError: a block would be empty.
    """
    gap = purge + embargo
    test_first = n - round(n * test)
    validation_first = test_first - round(n * validation)
    blocks = Blocks(slice(0, validation_first - gap), slice(validation_first, test_first - gap), slice(test_first, n))
    if min(block.stop - block.start for block in (blocks.train, blocks.validation, blocks.test)) < 1:
        raise ValueError(f"{n} samples leave an empty block with gaps of {gap}")
    return blocks
