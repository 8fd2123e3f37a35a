"""The gates of the screen, in order; each refuses with the figures that decided (STATISTICS 1-5)."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tandem.config import ScreenSettings
from tandem.market import Pair, Refusal
from tandem.screening.score import Score
from tandem.statistics import GarchFit, HalfLife, Series

SAME_COMPANY: Final = (
    frozenset({"BF.A", "BF.B"}),
    frozenset({"BRK.A", "BRK.B"}),
    frozenset({"CWEN", "CWEN.A"}),
    frozenset({"DISCA", "DISCB", "DISCK"}),
    frozenset({"FOX", "FOXA"}),
    frozenset({"GOOG", "GOOGL"}),
    frozenset({"HEI", "HEI.A"}),
    frozenset({"LBRDA", "LBRDK"}),
    frozenset({"LEN", "LEN.B"}),
    frozenset({"LBTYA", "LBTYB", "LBTYK"}),
    frozenset({"NWS", "NWSA"}),
    frozenset({"UA", "UAA"}),
    frozenset({"Z", "ZG"}),
)
# Beyond this R-squared statsmodels calls a cointegration test unreliable.
COLLINEAR: Final = 1 - 100 * np.sqrt(np.finfo(np.float64).eps)

STEPS: Final = (
    "bars",
    "same source",
    "correlation",
    "cointegration",
    "false discovery",
    "half-life",
    "hedge ratio",
    "garch",
    "diagnostics",
    "score",
)


def refuse(reason: str, why: str) -> Refusal:
    """A refusal by the screen; `reason` is one of STEPS."""
    return Refusal(reason, why, "screening")


def enough_bars(log_a: Series, log_b: Series, settings: ScreenSettings) -> Refusal | None:
    """Both legs share enough bars, and both moved."""
    if log_a.size < settings.min_bars:
        return refuse("bars", f"{log_a.size} common bars, {settings.min_bars} are needed")
    for name, prices in (("a", log_a), ("b", log_b)):
        if prices.max() == prices.min():
            return refuse("bars", f"the price of leg {name} never moved")
    return None


def own_sources(pair: Pair, log_a: Series, log_b: Series, same_source: Mapping[str, str]) -> Refusal | None:
    """The legs are two things: not one source under two names, one company, or one price times a constant."""
    first, second = (same_source.get(symbol, symbol) for symbol in pair.symbols)
    if first == second:
        return refuse("same source", f"both legs are {first}")
    if any(pair.a in classes and pair.b in classes for classes in SAME_COMPANY):
        return refuse("same source", f"{pair.a} and {pair.b} are shares of one company")
    if float(np.corrcoef(log_a, log_b)[0, 1]) ** 2 > COLLINEAR:
        return refuse(
            "same source", f"{pair.a} and {pair.b} move as one: each is a fixed multiple or power of the other"
        )
    return None


def correlated(prices: float, returns: float, settings: ScreenSettings) -> Refusal | None:
    """Correlation of log prices, or of returns, reaches the minimum (STATISTICS 2)."""
    value = prices if settings.correlation_on == "prices" else returns
    if value >= settings.min_correlation:
        return None
    return refuse(
        "correlation",
        f"correlation of {settings.correlation_on} {value:.3f} is below {settings.min_correlation:g} "
        f"(prices {prices:.3f}, returns {returns:.3f})",
    )


def cointegrated(pvalue: float, settings: ScreenSettings) -> Refusal | None:
    """The cointegration test rejects, whichever order is weaker (STATISTICS 3)."""
    if pvalue < settings.max_pvalue:
        return None
    return refuse("cointegration", f"{settings.cointegration} p {pvalue:.4f} is not below {settings.max_pvalue:g}")


def discovered(q_bh: float, settings: ScreenSettings) -> Refusal | None:
    """The Benjamini-Hochberg q-value is within `max_fdr`, where that is set (STATISTICS 3)."""
    if settings.max_fdr is None or q_bh <= settings.max_fdr:
        return None
    return refuse("false discovery", f"q-value {q_bh:.4f} is above {settings.max_fdr:g}")


def comes_back(half: HalfLife, bars: int, settings: ScreenSettings) -> Refusal | None:
    """phi lies between 0 and 1 and the half-life between one bar and a share of the window (STATISTICS 1)."""
    if half.bars is None:
        return refuse("half-life", f"phi {half.phi:.4f} is not between 0 and 1: the spread does not come back")
    longest = settings.max_half_life_share * bars
    if 1 <= half.bars <= longest:
        return None
    return refuse("half-life", f"half-life {half.bars:.2f} bars is not between 1 and {longest:.1f}")


def hedgeable(hedge_ratio: float, settings: ScreenSettings) -> Refusal | None:
    """The hedge ratio is positive and within bounds."""
    if hedge_ratio > 0 and settings.min_hedge_ratio <= hedge_ratio <= settings.max_hedge_ratio:
        return None
    return refuse(
        "hedge ratio",
        f"hedge ratio {hedge_ratio:.3f} is not between {settings.min_hedge_ratio:g} and {settings.max_hedge_ratio:g}",
    )


def garch_fits(garch: GarchFit) -> Refusal | None:
    """The GARCH fit converged and its shocks die out (STATISTICS 4)."""
    if not garch.converged:
        return refuse("garch", "the GARCH fit did not converge")
    if not garch.is_stationary:
        return refuse("garch", f"GARCH persistence {garch.persistence:.6f} is not below 1")
    return None


def clean_residuals(fit: GarchFit, settings: ScreenSettings) -> Refusal | None:
    """Ljung-Box and ARCH-LM of the chosen variance model leave nothing to explain (STATISTICS 5)."""
    if min(fit.ljung_box_pvalue, fit.arch_lm_pvalue) >= settings.min_diagnostic_p:
        return None
    return refuse(
        "diagnostics",
        f"Ljung-Box p {fit.ljung_box_pvalue:.4f} and ARCH-LM p {fit.arch_lm_pvalue:.4f}, "
        f"both must reach {settings.min_diagnostic_p:g}",
    )


def scored(score: Score, settings: ScreenSettings) -> Refusal | None:
    """The composite score is above the minimum (STATISTICS 5)."""
    if score.total > settings.min_score:
        return None
    return refuse(
        "score",
        f"score {score.total:.3f} is not above {settings.min_score:g} (fit {score.fit:.3f}, volatility "
        f"{score.volatility:.3f}, trading {score.trading:.3f}, diagnostics {score.diagnostics:.3f})",
    )
