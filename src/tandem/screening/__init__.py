"""The daily identification of pairs: gates, score, passports and refusals (STATISTICS 1-5)."""

from tandem.screening.identify import identify
from tandem.screening.life import PairLife, PairState, next_morning
from tandem.screening.lineage import DISTRIBUTION, code_version, experiments_of, slug, world_tag
from tandem.screening.passport import Passport
from tandem.screening.score import Score
from tandem.screening.screen import Funnel, RefusedPair, Screen, Step

__all__ = [
    "DISTRIBUTION",
    "Funnel",
    "PairLife",
    "PairState",
    "Passport",
    "RefusedPair",
    "Score",
    "Screen",
    "Step",
    "code_version",
    "experiments_of",
    "identify",
    "next_morning",
    "slug",
    "world_tag",
]
