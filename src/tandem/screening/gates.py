"""The gates in order: what each asks of its figures, and what it says where they fail (STATISTICS 1-5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tandem.config import ScreenSettings
from tandem.market import Refusal

if TYPE_CHECKING:
    from tandem.screening.examination.examined import Examined
    from tandem.screening.table import PairTable

Mask = NDArray[np.bool_]
Figures = TypeVar("Figures")

ELIGIBILITY: Final = ("data quality", "same source", "liquidity")
# Shocks to a variance die out below this persistence; at 1 to the last digits they last for ever.
STATIONARY: Final = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Gate(Generic[Figures]):
    """One condition on a table of figures, for all its rows at once, and one sentence for a row that fails.

    Attributes:
        name: one of STEPS.
        passes: rows that may go on; a figure that is not there (NaN) fails.
        says: why a row may not, with the figures that decided.
    """

    name: str
    passes: Callable[[Figures, ScreenSettings], Mask]
    says: Callable[[Figures, int, ScreenSettings], str]

    def refusal(self, figures: Figures, row: int, settings: ScreenSettings) -> Refusal:
        """The refusal of a row that does not pass."""
        return Refusal(self.name, self.says(figures, row, settings), "screening")


def _correlated(table: "PairTable", settings: ScreenSettings) -> Mask:
    prices = settings.correlation_on == "prices"
    mask: Mask = (table.correlation_prices if prices else table.correlation_returns) >= settings.min_correlation
    return mask


def _uncorrelated(table: "PairTable", row: int, settings: ScreenSettings) -> str:
    prices, returns = table.correlation_prices[row], table.correlation_returns[row]
    value = prices if settings.correlation_on == "prices" else returns
    return (
        f"correlation of {settings.correlation_on} {value:.3f} is below {settings.min_correlation:g} "
        f"(prices {prices:.3f}, returns {returns:.3f})"
    )


def _cointegrated(table: "PairTable", settings: ScreenSettings) -> Mask:
    mask: Mask = table.pvalue < settings.max_pvalue
    return mask


def _not_cointegrated(table: "PairTable", row: int, settings: ScreenSettings) -> str:
    return f"{settings.cointegration} p {table.pvalue[row]:.4f} is not below {settings.max_pvalue:g}"


def _discovered(table: "PairTable", settings: ScreenSettings) -> Mask:
    rate = 1.0 if settings.max_fdr is None else settings.max_fdr
    mask: Mask = table.q_bh <= rate
    return mask


def _by_chance(table: "PairTable", row: int, settings: ScreenSettings) -> str:
    return f"q-value {table.q_bh[row]:.4f} is above {settings.max_fdr:g}"


def _comes_back(spreads: "Examined", settings: ScreenSettings) -> Mask:
    longest = settings.max_half_life_share * spreads.bars
    mask: Mask = (spreads.half_life >= 1) & (spreads.half_life <= longest)
    return mask


def _stays_away(spreads: "Examined", row: int, settings: ScreenSettings) -> str:
    half_life, longest = spreads.half_life[row], settings.max_half_life_share * spreads.bars[row]
    if not np.isfinite(half_life):
        return f"phi {spreads.phi[row]:.4f} is not between 0 and 1: the spread does not come back"
    return f"half-life {half_life:.2f} bars is not between 1 and {longest:.1f}"


def _hedgeable(spreads: "Examined", settings: ScreenSettings) -> Mask:
    ratio = spreads.hedge_ratio
    mask: Mask = (ratio > 0) & (ratio >= settings.min_hedge_ratio) & (ratio <= settings.max_hedge_ratio)
    return mask


def _badly_hedged(spreads: "Examined", row: int, settings: ScreenSettings) -> str:
    bounds = f"{settings.min_hedge_ratio:g} and {settings.max_hedge_ratio:g}"
    return f"hedge ratio {spreads.hedge_ratio[row]:.3f} is not between {bounds}"


def _modelled(spreads: "Examined", _settings: ScreenSettings) -> Mask:
    mask: Mask = (spreads.garch_converged == 1) & (spreads.persistence < STATIONARY)
    return mask


def _not_modelled(spreads: "Examined", row: int, _settings: ScreenSettings) -> str:
    if spreads.garch_converged[row] != 1:
        return "the GARCH fit did not converge"
    return f"GARCH persistence {spreads.persistence[row]:.6f} is not below 1"


def _clean(spreads: "Examined", settings: ScreenSettings) -> Mask:
    mask: Mask = np.minimum(spreads.ljung_box_pvalue, spreads.arch_lm_pvalue) >= settings.min_diagnostic_p
    return mask


def _unclean(spreads: "Examined", row: int, settings: ScreenSettings) -> str:
    return (
        f"Ljung-Box p {spreads.ljung_box_pvalue[row]:.4f} and ARCH-LM p {spreads.arch_lm_pvalue[row]:.4f}, "
        f"both must reach {settings.min_diagnostic_p:g}"
    )


def _good(spreads: "Examined", settings: ScreenSettings) -> Mask:
    mask: Mask = spreads.score > settings.min_score
    return mask


def _not_good(spreads: "Examined", row: int, settings: ScreenSettings) -> str:
    return (
        f"score {spreads.score[row]:.3f} is not above {settings.min_score:g} (fit {spreads.fit[row]:.3f}, volatility "
        f"{spreads.volatility[row]:.3f}, trading {spreads.trading[row]:.3f}, "
        f"diagnostics {spreads.diagnostics[row]:.3f})"
    )


CORRELATION: Final = Gate("correlation", _correlated, _uncorrelated)
COINTEGRATION: Final = Gate("cointegration", _cointegrated, _not_cointegrated)
FALSE_DISCOVERY: Final = Gate("false discovery", _discovered, _by_chance)
HALF_LIFE: Final = Gate("half-life", _comes_back, _stays_away)
HEDGE_RATIO: Final = Gate("hedge ratio", _hedgeable, _badly_hedged)
GARCH: Final = Gate("garch", _modelled, _not_modelled)
DIAGNOSTICS: Final = Gate("diagnostics", _clean, _unclean)
SCORE: Final = Gate("score", _good, _not_good)

FAMILY_GATES: Final = (CORRELATION, COINTEGRATION, FALSE_DISCOVERY)
SPREAD_GATES: Final = (HALF_LIFE, HEDGE_RATIO, GARCH, DIAGNOSTICS, SCORE)
STEPS: Final = (*ELIGIBILITY, *(gate.name for gate in FAMILY_GATES), *(gate.name for gate in SPREAD_GATES))
SELECTED: Final = len(STEPS)
