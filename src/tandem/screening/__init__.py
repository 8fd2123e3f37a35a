"""The daily identification of pairs: gates, score, passports and refusals (STATISTICS 1-5)."""

from tandem.screening.dask import engine_of
from tandem.screening.engine import Engine, LocalEngine
from tandem.screening.identify import identify
from tandem.screening.life import PairLife, PairState, next_morning
from tandem.screening.lineage import DISTRIBUTION, code_version, experiments_of, slug, world_tag
from tandem.screening.passport import Passport
from tandem.screening.quality import SymbolRefused
from tandem.screening.score import Score
from tandem.screening.screen import Funnel, Refusals, RefusedPair, Screen, Step
from tandem.screening.table import PairTable

__all__ = [
    "DISTRIBUTION",
    "Engine",
    "Funnel",
    "LocalEngine",
    "PairLife",
    "PairState",
    "PairTable",
    "Passport",
    "Refusals",
    "RefusedPair",
    "Score",
    "Screen",
    "Step",
    "SymbolRefused",
    "code_version",
    "engine_of",
    "experiments_of",
    "identify",
    "next_morning",
    "slug",
    "world_tag",
]
