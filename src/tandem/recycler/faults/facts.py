"""What is remembered of faults."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FaultStruck:
    """A fault happened.

    Attributes:
        number: of the armed fault, counted from 1 since the recycler began.
        name: of the fault.
        strike: which of its strikes, from 1.
        what: what it happened to, such as a symbol, a request or a client order id.
    """

    kind: ClassVar = "fault_struck"

    number: int
    name: str
    strike: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """A fault was taken back."""

    kind: ClassVar = "fault_ended"

    number: int
    name: str
    strikes: int
