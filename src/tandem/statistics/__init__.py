"""Tests, models and measures; NumPy in, results with names out (STATISTICS)."""

from tandem.statistics.cointegration import EngleGranger, Johansen, engle_granger, johansen
from tandem.statistics.diagnostics import (
    ArchLm,
    DieboldMariano,
    LjungBox,
    arch_lm,
    diebold_mariano,
    ljung_box,
    qlike,
)
from tandem.statistics.discovery import (
    SimulatedNull,
    Walk,
    benjamini_hochberg,
    benjamini_yekutieli,
    expected_by_chance,
    simulated_null,
)
from tandem.statistics.garch import Band, GarchFit, GarchPath, fit_constant, fit_spread
from tandem.statistics.performance import (
    avg_trade_duration,
    break_even_cost_bps,
    calmar_ratio,
    max_drawdown,
    profit_factor,
    total_return,
    win_rate,
)
from tandem.statistics.series import Series, series_of
from tandem.statistics.sharpe import (
    SharpeRatio,
    deflated_sharpe,
    expected_best_sharpe,
    probabilistic_sharpe,
    sharpe_ratio,
)
from tandem.statistics.splits import Blocks, purged_blocks
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
from tandem.statistics.threads import in_chunks, one_thread
from tandem.statistics.unit_root import UnitRoot, adf

__all__ = [
    "ArchLm",
    "Band",
    "Blocks",
    "DieboldMariano",
    "EngleGranger",
    "Equilibrium",
    "GarchFit",
    "GarchPath",
    "HalfLife",
    "Hedge",
    "Johansen",
    "LjungBox",
    "Series",
    "SharpeRatio",
    "SimulatedNull",
    "UnitRoot",
    "Walk",
    "adf",
    "arch_lm",
    "avg_trade_duration",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "break_even_cost_bps",
    "calmar_ratio",
    "deflated_sharpe",
    "diebold_mariano",
    "engle_granger",
    "expected_best_sharpe",
    "expected_by_chance",
    "fit_constant",
    "fit_equilibrium",
    "fit_hedge",
    "fit_hedge_tls",
    "fit_spread",
    "half_life",
    "in_chunks",
    "johansen",
    "ljung_box",
    "max_drawdown",
    "one_thread",
    "probabilistic_sharpe",
    "profit_factor",
    "purged_blocks",
    "qlike",
    "reversion_probability",
    "series_of",
    "sharpe_ratio",
    "simulated_null",
    "total_return",
    "win_rate",
]
