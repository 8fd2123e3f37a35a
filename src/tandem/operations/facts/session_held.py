"""When a session was begun and ended by a desk that trades by itself."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from tandem.store import Facts


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """A desk has taken up a session.

    Attributes:
        pairs: that may be entered.
        why: what it lives by, in words.
    """

    kind: ClassVar = "session_began"

    pairs: int
    why: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is over and its desk has let go of it.

    Attributes:
        decisions: that are on record.
    """

    kind: ClassVar = "session_ended"

    decisions: int


def has_begun(facts: Facts, day: date) -> bool:
    """Whether a desk has taken up the session of a date."""
    return bool(facts.read(SessionBegan, session=day))


def has_ended(facts: Facts, day: date) -> bool:
    """Whether the session of a date is over."""
    return bool(facts.read(SessionEnded, session=day))
