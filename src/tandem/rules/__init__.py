"""The trading rule as a pure function: signals use it bar by bar, the score over an array."""

from tandem.rules.baseline import FLAT, Action, Decision, Observation, Stance, advance, decide, inside_band
from tandem.rules.replay import Trade, Trades, replay

__all__ = [
    "FLAT",
    "Action",
    "Decision",
    "Observation",
    "Stance",
    "Trade",
    "Trades",
    "advance",
    "decide",
    "inside_band",
    "replay",
]
