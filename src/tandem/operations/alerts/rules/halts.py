"""Entries that are halted."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tandem.operations.alerts.known import Known
from tandem.operations.alerts.rules.finding import Finding
from tandem.risk import Standing

ROOMS: Final = ("risk", "reconcile")


def halt(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A limit stopped new entries, until a person re-arms them."""
    if known.switch.by in ROOMS:
        yield from _halted(known)


def halted_by_person(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A person stopped new entries."""
    if known.switch.by not in ROOMS:
        yield from _halted(known)


def _halted(known: Known) -> Iterator[Finding]:
    switch = known.switch
    if switch.standing is not Standing.ARMED:
        what = "Everything is being closed" if switch.standing is Standing.FLATTEN else "New entries are halted"
        yield Finding("entries", what, f"{switch.why} ({switch.by}). `tandem resume` allows entries again.")
