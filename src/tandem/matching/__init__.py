"""The matching engine: a pure state machine that serves the recycler's broker and the backtest."""

from tandem.matching.changed import Changed, Charge, Execution, HeldShares, Hours, LedgerState
from tandem.matching.columns import Columns, MinuteBars
from tandem.matching.engine import Engine
from tandem.matching.prices import Prices
from tandem.matching.reel import Act, Place, Reel, last_closes, midnight
from tandem.matching.rejection import Rejected, forbidden, malformed, unknown, unprocessable
from tandem.matching.replay import Barrier, Minute, Replay
from tandem.matching.request import Changes, OrderClass, OrderType, Request, StopLoss, TimeInForce
from tandem.matching.ticket import NEXT, Status, Ticket
from tandem.matching.timeline import Piece, Timeline, moved

__all__ = [
    "NEXT",
    "Act",
    "Barrier",
    "Changed",
    "Changes",
    "Charge",
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
    "Piece",
    "Place",
    "Prices",
    "Reel",
    "Rejected",
    "Replay",
    "Request",
    "Status",
    "StopLoss",
    "Ticket",
    "TimeInForce",
    "Timeline",
    "forbidden",
    "last_closes",
    "malformed",
    "midnight",
    "moved",
    "unknown",
    "unprocessable",
]
