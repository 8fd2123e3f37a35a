"""Bars of a pair in, a Signal or a Refusal out."""

from tandem.signals.judge import Case, Entered, judge, judge_all
from tandem.signals.signal import Signal
from tandem.signals.watch import PairWatch

__all__ = ["Case", "Entered", "PairWatch", "Signal", "judge", "judge_all"]
