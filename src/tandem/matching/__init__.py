"""The matching engine: a pure state machine that serves the recycler's broker and the backtest."""

from tandem.matching.engine import Engine, status_of
from tandem.matching.reel import Reel
from tandem.matching.rejection import Rejected, malformed, unknown, unprocessable
from tandem.matching.replay import Barrier, Minute, Replay
from tandem.matching.ticket import Ticket

__all__ = [
    "Barrier",
    "Engine",
    "Minute",
    "Reel",
    "Rejected",
    "Replay",
    "Ticket",
    "malformed",
    "status_of",
    "unknown",
    "unprocessable",
]
