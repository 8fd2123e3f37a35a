"""PostgreSQL: the embedded server, the schema, bars, facts and stages."""

from tandem.store.backup import Backup, back_up, backups, checked, facts_digest, restore
from tandem.store.bars.bars import Bars, Loaded
from tandem.store.bars.digest import BarDigest
from tandem.store.bars.panel import Panel
from tandem.store.bars.track import Strip, Track
from tandem.store.blobs import Blobs
from tandem.store.facts import Facts, MemoryFacts, PostgresFacts
from tandem.store.history import Asked, History, ModelSession, PairSession, SignalRow, TradeSession
from tandem.store.leases import Leases
from tandem.store.ledger import Ledger, Trial, TrialCount, key_of
from tandem.store.paper import (
    PaperAccount,
    PaperCharge,
    PaperEntry,
    PaperExecution,
    PaperHold,
    PaperKept,
    PaperOrder,
    PaperTaken,
)
from tandem.store.record import Body, Record
from tandem.store.sectors import Sectors
from tandem.store.stages.board import Board
from tandem.store.stages.change import Move, Stage, StageChanged
from tandem.store.stages.stages import Stages
from tandem.store.store import Store
from tandem.store.tail import Entry, Tail
from tandem.store.tracking import Runs, Tracking
from tandem.store.turn import turn, turn_if_free
from tandem.store.vacuum import Vacuumed, vacuum

__all__ = [
    "Asked",
    "Backup",
    "BarDigest",
    "Bars",
    "Blobs",
    "Board",
    "Body",
    "Entry",
    "Facts",
    "History",
    "Leases",
    "Ledger",
    "Loaded",
    "MemoryFacts",
    "ModelSession",
    "Move",
    "PairSession",
    "Panel",
    "PaperAccount",
    "PaperCharge",
    "PaperEntry",
    "PaperExecution",
    "PaperHold",
    "PaperKept",
    "PaperOrder",
    "PaperTaken",
    "PostgresFacts",
    "Record",
    "Runs",
    "Sectors",
    "SignalRow",
    "Stage",
    "StageChanged",
    "Stages",
    "Store",
    "Strip",
    "Tail",
    "Track",
    "Tracking",
    "TradeSession",
    "Trial",
    "TrialCount",
    "Vacuumed",
    "back_up",
    "backups",
    "checked",
    "facts_digest",
    "key_of",
    "restore",
    "turn",
    "turn_if_free",
    "vacuum",
]
