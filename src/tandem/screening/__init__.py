"""The daily identification of pairs: gates, score, passports and refusals (STATISTICS 1-5)."""

from tandem.screening.eligible.quality import SymbolRefused
from tandem.screening.engines.dask import engine_of
from tandem.screening.engines.engine import Engine, LocalEngine
from tandem.screening.engines.workplace import Versions
from tandem.screening.examination.record import RuleRecord
from tandem.screening.examination.score import Score
from tandem.screening.identify import Progress, identify
from tandem.screening.life import PairLife, PairState, next_morning, not_looked_at
from tandem.screening.misses import check_asked, gate_called, nearest_misses, refused_rows
from tandem.screening.passport import Passport
from tandem.screening.record.lineage import DISTRIBUTION, code_version, experiments_of, slug, world_tag
from tandem.screening.record.pictures import Inks, draw_funnel, draw_score, draw_spread
from tandem.screening.record.tracking import Origin, passport_figures, track
from tandem.screening.screen import Funnel, Refusals, RefusedPair, Screen, Step
from tandem.screening.table import PairTable

__all__ = [
    "DISTRIBUTION",
    "Engine",
    "Funnel",
    "Inks",
    "LocalEngine",
    "Origin",
    "PairLife",
    "PairState",
    "PairTable",
    "Passport",
    "Progress",
    "Refusals",
    "RefusedPair",
    "RuleRecord",
    "Score",
    "Screen",
    "Step",
    "SymbolRefused",
    "Versions",
    "check_asked",
    "code_version",
    "draw_funnel",
    "draw_score",
    "draw_spread",
    "engine_of",
    "experiments_of",
    "gate_called",
    "identify",
    "nearest_misses",
    "next_morning",
    "not_looked_at",
    "passport_figures",
    "refused_rows",
    "slug",
    "track",
    "world_tag",
]
