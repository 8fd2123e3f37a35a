"""Tests, models and measures; NumPy in, results with names out (STATISTICS)."""

from tandem.statistics.cointegration import CointegrationTable, screen_cointegration
from tandem.statistics.correlation import CorrelationTable, correlations
from tandem.statistics.diagnostics import (
    ArchLm,
    ArchLms,
    DieboldMariano,
    DieboldMarianos,
    JarqueBeras,
    LjungBox,
    LjungBoxes,
    arch_lm,
    arch_lms,
    diebold_mariano,
    diebold_marianos,
    jarque_beras,
    ljung_box,
    ljung_boxes,
    qlike,
)
from tandem.statistics.discovery import (
    SimulatedNull,
    benjamini_hochberg,
    benjamini_yekutieli,
    expected_by_chance,
    simulated_null,
)
from tandem.statistics.garch import Band, GarchFit, GarchPath
from tandem.statistics.garch_filter import GarchFilter
from tandem.statistics.garch_spread import fit_constant, fit_spread
from tandem.statistics.garch_table import GarchTable, fit_constant_variance, fit_garch
from tandem.statistics.garch_variants import VariantFit, fit_variant
from tandem.statistics.johansen import JohansenTable, screen_johansen
from tandem.statistics.kalman import HedgePath, kalman_hedge
from tandem.statistics.mackinnon import mackinnon_pvalues
from tandem.statistics.null_market import SimulatedMarkets, simulated_markets, volatilities
from tandem.statistics.pairs import RefusedPairs, Unfit, all_pairs
from tandem.statistics.performance import (
    avg_trade_duration,
    break_even_cost_bps,
    calmar_ratio,
    max_drawdown,
    profit_factor,
    total_return,
    win_rate,
)
from tandem.statistics.rows import RefusedSeries
from tandem.statistics.series import Series, series_of
from tandem.statistics.sharpe import (
    SESSIONS_PER_YEAR,
    SharpeRatio,
    deflated_sharpe,
    deflated_sharpes,
    expected_best_sharpe,
    min_track_record,
    probabilistic_sharpe,
    probabilistic_sharpes,
    sharpe_ratio,
    track_record_length,
)
from tandem.statistics.splits import Blocks, WalkStep, purged_blocks, purged_walk_forward
from tandem.statistics.spread import (
    Equilibrium,
    HalfLife,
    Hedge,
    fit_equilibrium,
    fit_hedge,
    fit_hedge_tls,
    half_life,
    reversion_probability,
)
from tandem.statistics.spread_table import HedgeBy, SpreadTable, measure_spreads
from tandem.statistics.threads import in_chunks, one_thread
from tandem.statistics.unit_root import UnitRootTable, screen_unit_roots

__all__ = [
    "SESSIONS_PER_YEAR",
    "ArchLm",
    "ArchLms",
    "Band",
    "Blocks",
    "CointegrationTable",
    "CorrelationTable",
    "DieboldMariano",
    "DieboldMarianos",
    "Equilibrium",
    "GarchFilter",
    "GarchFit",
    "GarchPath",
    "GarchTable",
    "HalfLife",
    "Hedge",
    "HedgeBy",
    "HedgePath",
    "JarqueBeras",
    "JohansenTable",
    "LjungBox",
    "LjungBoxes",
    "RefusedPairs",
    "RefusedSeries",
    "Series",
    "SharpeRatio",
    "SimulatedMarkets",
    "SimulatedNull",
    "SpreadTable",
    "Unfit",
    "UnitRootTable",
    "VariantFit",
    "WalkStep",
    "all_pairs",
    "arch_lm",
    "arch_lms",
    "avg_trade_duration",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "break_even_cost_bps",
    "calmar_ratio",
    "correlations",
    "deflated_sharpe",
    "deflated_sharpes",
    "diebold_mariano",
    "diebold_marianos",
    "expected_best_sharpe",
    "expected_by_chance",
    "fit_constant",
    "fit_constant_variance",
    "fit_equilibrium",
    "fit_garch",
    "fit_hedge",
    "fit_hedge_tls",
    "fit_spread",
    "fit_variant",
    "half_life",
    "in_chunks",
    "jarque_beras",
    "kalman_hedge",
    "ljung_box",
    "ljung_boxes",
    "mackinnon_pvalues",
    "max_drawdown",
    "measure_spreads",
    "min_track_record",
    "one_thread",
    "probabilistic_sharpe",
    "probabilistic_sharpes",
    "profit_factor",
    "purged_blocks",
    "purged_walk_forward",
    "qlike",
    "reversion_probability",
    "screen_cointegration",
    "screen_johansen",
    "screen_unit_roots",
    "series_of",
    "sharpe_ratio",
    "simulated_markets",
    "simulated_null",
    "total_return",
    "track_record_length",
    "volatilities",
    "win_rate",
]
