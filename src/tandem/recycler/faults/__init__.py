"""Faults on demand: a pure core that decides, and hooks that the streams, REST and the broker ask."""

from tandem.recycler.faults.armed import Armed, Faults, Strike
from tandem.recycler.faults.bars import SpoiltBars
from tandem.recycler.faults.chronicle import Chronicle
from tandem.recycler.faults.connection import Door, Lateness, Silence
from tandem.recycler.faults.executions import ShortFills, SpoiltEvents
from tandem.recycler.faults.facts import FaultEnded, FaultStruck
from tandem.recycler.faults.fault import KINDS, Fault
from tandem.recycler.faults.halt import Halts
from tandem.recycler.faults.panel import Panel
from tandem.recycler.faults.saboteur import Damage, Saboteur
from tandem.recycler.faults.scenario import SCENARIOS, Scenario, scenario

__all__ = [
    "KINDS",
    "SCENARIOS",
    "Armed",
    "Chronicle",
    "Damage",
    "Door",
    "Fault",
    "FaultEnded",
    "FaultStruck",
    "Faults",
    "Halts",
    "Lateness",
    "Panel",
    "Saboteur",
    "Scenario",
    "ShortFills",
    "Silence",
    "SpoiltBars",
    "SpoiltEvents",
    "Strike",
    "scenario",
]
