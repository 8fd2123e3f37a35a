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


@dataclass(frozen=True, slots=True)
class WalkStep:
    """Positions of one step of a walk forward, oldest first; what lies between the blocks is used by none.

    Attributes:
        train: from the first sample on.
        stopping: ends a training early.
        validation: judges it.
    """

    train: slice
    stopping: slice
    validation: slice


def purged_walk_forward(
    n: int, steps: int, share: float, stopping: float, purge: int, embargo: int
) -> tuple[WalkStep, ...]:
    """Walk through n samples: each step trains on what came before its validation block, and the next goes on after it.

    The validation blocks are the last samples, one after another, without a gap between them: each is judged by a
    training of its own that ends a gap before it. Stopping and validation blocks begin where they begin whatever the
    gap; it comes out of the block before them, as in `purged_blocks`. A test block is no part of the n samples.

    Args:
        n: samples in time order, those of the test block left out.
        steps: how many.
        share: of n, of each validation block.
        stopping: share of what comes before a validation block that ends its training.
        purge: longest look-back plus the label's horizon, samples.
        embargo: further samples left out.

    Raises:
        ValueError: a block would be empty.
    """
    gap, size = purge + embargo, round(n * share)
    found = []
    for step in range(steps):
        first = n - (steps - step) * size
        stopping_first = first - round(first * stopping)
        blocks = (
            slice(0, stopping_first - gap),
            slice(stopping_first, first - gap),
            slice(first, first + size),
        )
        if min(block.stop - block.start for block in blocks) < 1:
            raise ValueError(f"{n} samples leave an empty block in step {step + 1} of {steps} with gaps of {gap}")
        found.append(WalkStep(*blocks))
    return tuple(found)
