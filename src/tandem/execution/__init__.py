"""Two-leg orders and the seams to brokers and feeds."""

from tandem.execution.alpaca import AlpacaBroker, AlpacaFeed
from tandem.execution.inprocess import InProcess, in_process
from tandem.execution.lockstep import Connection, connect
from tandem.execution.pair_order import Outcome, PairOrder, Purpose, name_of
from tandem.execution.reconcile import Reconciliation, reconcile
from tandem.execution.seams import Broker, Feed
from tandem.execution.trader import PairOrderEnded, Trader

__all__ = [
    "AlpacaBroker",
    "AlpacaFeed",
    "Broker",
    "Connection",
    "Feed",
    "InProcess",
    "Outcome",
    "PairOrder",
    "PairOrderEnded",
    "Purpose",
    "Reconciliation",
    "Trader",
    "connect",
    "in_process",
    "name_of",
    "reconcile",
]
