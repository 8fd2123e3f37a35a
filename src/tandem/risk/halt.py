"""Stopping new entries until a person says otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Standing(StrEnum):
    """What may be done in a world."""

    ARMED = "armed"
    HALTED = "halted"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True)
class Switch:
    """A person or a limit says what may be done from here on.

    Attributes:
        standing: `armed` allows entries, `halted` exits only, `flatten` also closes every trade.
        why: the reason, for the record.
        by: who says so; `risk` where a limit did.
    """

    kind: ClassVar = "switch"

    standing: Standing
    why: str
    by: str


def in_force(switches: Iterable[Switch]) -> Switch:
    """The last word, oldest first; entries are armed until somebody says otherwise."""
    last = Switch(Standing.ARMED, "", "")
    for switch in switches:
        last = switch
    return last
