"""Where history comes from: samples, files, Alpaca, simulation. Each has one verb, `load`, and ends in the store."""

from typing import Final

from tandem.sources import alpaca, files, samples, simulated
from tandem.sources.alpaca import Estimate
from tandem.sources.files import Layout, Reading
from tandem.sources.longer import made_of
from tandem.sources.simulated import Simulated, TruePair, simulate

NO_BARS: Final = "`tandem data load samples` brings a month, `tandem data load alpaca` what you have keys for"
"""What to do where none are stored."""

__all__ = [
    "NO_BARS",
    "Estimate",
    "Layout",
    "Reading",
    "Simulated",
    "TruePair",
    "alpaca",
    "files",
    "made_of",
    "samples",
    "simulate",
    "simulated",
]
