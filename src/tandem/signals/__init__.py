"""Bars of a pair in, a Signal or a Refusal out."""

from tandem.signals.judge import Entered, judge
from tandem.signals.signal import Signal
from tandem.signals.watch import PairWatch

__all__ = ["Entered", "PairWatch", "Signal", "judge"]
