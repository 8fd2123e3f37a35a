"""The matching engine: a pure state machine that serves the recycler's broker and the backtest."""

from tandem.matching.changed import Changed, Execution, HeldShares, Hours, LedgerState
from tandem.matching.columns import Columns, MinuteBars
from tandem.matching.engine import Engine, status_of
from tandem.matching.reel import Reel
from tandem.matching.rejection import Rejected, malformed, unknown, unprocessable
from tandem.matching.replay import Barrier, Minute, Replay
from tandem.matching.request import Changes, OrderClass, OrderType, Request, StopLoss, TimeInForce
from tandem.matching.ticket import NEXT, Status, Ticket

__all__ = [
    "NEXT",
    "Barrier",
    "Changed",
    "Changes",
    "Columns",
    "Engine",
    "Execution",
    "HeldShares",
    "Hours",
    "LedgerState",
    "Minute",
    "MinuteBars",
    "OrderClass",
    "OrderType",
    "Reel",
    "Rejected",
    "Replay",
    "Request",
    "Status",
    "StopLoss",
    "Ticket",
    "TimeInForce",
    "malformed",
    "status_of",
    "unknown",
    "unprocessable",
]
