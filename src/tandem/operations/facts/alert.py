"""Alerts as facts: raised, over, and whether they arrived."""

from dataclasses import dataclass
from typing import ClassVar

from tandem.config import Severity


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """Something needs a person, or is worth knowing. While it lasts it is one fact, whatever finds it again.

    Attributes:
        rule: that found it.
        severity: `info`, `warning` or `critical`.
        subject: what it is about within its rule, such as a pair or a process.
        title: one line.
        text: what is known of it, with figures and their units.
    """

    kind: ClassVar = "alert_raised"

    rule: str
    severity: Severity
    subject: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class AlertOver:
    """What an alert was raised for is no longer so.

    Attributes:
        rule, subject: of the alert.
        why: in words.
    """

    kind: ClassVar = "alert_over"

    rule: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class AlertDelivered:
    """One attempt to tell a target of an alert.

    Attributes:
        alert: key of the fact that raised it.
        target: its name; the address may hold a secret and is never here.
        ok: whether it arrived.
        why: why it did not; how it was told where that was not in a message of its own.
        attempt: of this alert at this target, from 1.
    """

    kind: ClassVar = "alert_delivered"

    alert: str
    target: str
    ok: bool
    why: str = ""
    attempt: int = 1
