"""The daily identification of pairs: gates, score, passports and refusals (STATISTICS 1-5)."""

from tandem.screening.identify import identify
from tandem.screening.passport import Passport
from tandem.screening.score import Score
from tandem.screening.screen import Funnel, RefusedPair, Screen, Step

__all__ = ["Funnel", "Passport", "RefusedPair", "Score", "Screen", "Step", "identify"]
