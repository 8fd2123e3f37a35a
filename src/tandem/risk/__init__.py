"""Sizes, limits, drift and halts: what may be done with a signal."""

from tandem.risk.drift import drifted
from tandem.risk.halt import Standing, Switch, in_force
from tandem.risk.intent import Intent
from tandem.risk.leave import close_out
from tandem.risk.limits import Baseline, Equity, breached, too_many_orders
from tandem.risk.size import Room, room_for, size_entry

__all__ = [
    "Baseline",
    "Equity",
    "Intent",
    "Room",
    "Standing",
    "Switch",
    "breached",
    "close_out",
    "drifted",
    "in_force",
    "room_for",
    "size_entry",
    "too_many_orders",
]
