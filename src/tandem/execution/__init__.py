"""Two-leg orders and the seams to brokers and feeds."""

from tandem.execution.alpaca import AlpacaBroker, AlpacaFeed
from tandem.execution.inprocess import InProcess, in_process
from tandem.execution.live import LiveFeed
from tandem.execution.lockstep import Connection, LockstepClock, connect
from tandem.execution.logbook import Tally
from tandem.execution.origin import Origin, at_alpaca, at_recycler
from tandem.execution.pair_order import Outcome, PairOrder, Purpose, name_of
from tandem.execution.reconcile import Reconciliation, reconcile
from tandem.execution.recycler_time import RecyclerTime
from tandem.execution.roll_call import RollCall, call_roll
from tandem.execution.seams import Broker, Feed
from tandem.execution.trader import PairOrderEnded, Trader

__all__ = [
    "AlpacaBroker",
    "AlpacaFeed",
    "Broker",
    "Connection",
    "Feed",
    "InProcess",
    "LiveFeed",
    "LockstepClock",
    "Origin",
    "Outcome",
    "PairOrder",
    "PairOrderEnded",
    "Purpose",
    "Reconciliation",
    "RecyclerTime",
    "RollCall",
    "Tally",
    "Trader",
    "at_alpaca",
    "at_recycler",
    "call_roll",
    "connect",
    "in_process",
    "name_of",
    "reconcile",
]
