"""What a rule found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tandem.operations.alerts.known import Known


@dataclass(frozen=True, slots=True)
class Finding:
    """What holds at a moment.

    Attributes:
        subject: what it is about; the same finding is known by it from one moment to the next.
        title: one line.
        text: figures with their units.
        pair: `A/B`, where it concerns one pair.
    """

    subject: str
    title: str
    text: str
    pair: str | None = None


# What is known, market time, and the threshold in the rule's unit.
Find = Callable[[Known, datetime, float], Iterable[Finding]]
