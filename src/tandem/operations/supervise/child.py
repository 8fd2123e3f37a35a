"""A process that the desk needs, and what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Health = Callable[[], bool]

SECONDS_TO_START: Final = 120.0


def always() -> bool:
    """The health of a process that is well as long as it runs."""
    return True


@dataclass(frozen=True, slots=True)
class Child:
    """What is started, and how to tell that it is well.

    Attributes:
        name: unique among the children.
        command: what is run.
        environment: variables beside those of this process.
        is_well: asked every few seconds; False, or any exception, means no.
        url: where people find it; empty where there is nothing to see.
        seconds: that it may take to be well after its start.
        may_end: whether its work comes to an end; another one that ends by itself has died.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_well: Health = always
    url: str = ""
    seconds: float = SECONDS_TO_START
    may_end: bool = False
