"""The stages of a longer piece of work, for whoever wants to see them one by one."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Step(Protocol):
    """Does one stage of some work: at once, or as a task that somebody watches, repeats and times."""

    def __call__(self, name: str, do: Callable[[], T]) -> T:
        """What the stage came to.

        Args:
            name: of the stage, as people read it.
            do: the stage; doing it again does no harm.
        """
        ...


def at_once(name: str, do: Callable[[], T]) -> T:
    """A stage that nobody watches."""
    return do()
