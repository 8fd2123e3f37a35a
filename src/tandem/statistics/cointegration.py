"""Whether two price series share one trend (STATISTICS 3)."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.dickey_fuller import Criterion, lag_choice, pair_tests
from tandem.statistics.johansen import screen_johansen
from tandem.statistics.mackinnon import mackinnon_pvalues
from tandem.statistics.pairs import Matrix, Pairs, RefusedPairs, prices_and_pairs
from tandem.statistics.series import Series, series_of
from tandem.statistics.threads import in_chunks
from tandem.statistics.unit_root import mackinnon_pvalue, unit_root

CHUNK: Final = 1024

COLLINEAR: Final = 1 - 100 * np.sqrt(np.finfo(np.float64).eps)
# A gamma law through the 90% and 99% points of the trace statistic that statsmodels tabulates for two
# series and det_order 0 (MacKinnon, Haug, Michelis 1999): it gives a p-value between and beyond them.
TRACE_SHAPE: Final = 4.33173915
TRACE_SCALE: Final = 1.8860212


@dataclass(frozen=True, slots=True)
class EngleGranger:
    """Engle-Granger test of both orders of a pair; the weaker order decides (STATISTICS 3).

    Null hypothesis: the two series are not cointegrated.

    Attributes:
        statistic: augmented Dickey-Fuller t-statistic of the residual, of the deciding order.
        pvalue: MacKinnon's asymptotic p-value, the larger of the two orders.
        lags: lagged differences in the deciding order, chosen by AIC.
        pvalue_yx: p-value with y regressed on x.
        pvalue_xy: p-value with x regressed on y.
        hedge_ratio, intercept: least squares of y on x, whichever order decided.
    """

    statistic: float
    pvalue: float
    lags: int
    pvalue_yx: float
    pvalue_xy: float
    hedge_ratio: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Johansen:
    """Johansen's trace test of two series, constant in, one lagged difference (STATISTICS 3).

    Null hypothesis: no cointegrating relation.

    Attributes:
        statistic: trace statistic for rank 0.
        pvalue: from a gamma law through the tabulated 90% and 99% points.
        critical_95: tabulated 95% point for rank 0.
        statistic_rank_1: trace statistic for rank at most 1; above 3.84 both series look stationary.
        hedge_ratio: of y on x, from the first eigenvector.
    """

    statistic: float
    pvalue: float
    critical_95: float
    statistic_rank_1: float
    hedge_ratio: float


@dataclass(frozen=True, slots=True)
class CointegrationTable:
    """Pairs that were tested for cointegration, one row each; those that could not be are in `refused`.

    Null hypothesis: the two series of a pair are not cointegrated. The weaker order of a pair decides, the one with the
    larger p-value (STATISTICS 3). Arrays have shape (n,); those of a single order are None where it was not asked for.

    Attributes:
        row: position among the pairs asked.
        first, second: rows of the price matrix.
        bars: on which both have a price.
        statistic: augmented Dickey-Fuller t-statistic of the residual in the deciding order; or Johansen's trace for
            rank 0.
        pvalue: MacKinnon's asymptotic one in the deciding order; from a gamma law for Johansen's trace.
        lags: lagged differences in the deciding order.
        hedge_ratio, intercept: of the deciding order.
        backward: the deciding order is the second on the first.
        statistic_forward, pvalue_forward, lags_forward, hedge_ratio_forward, intercept_forward: of the first on the
            second.
        statistic_backward, pvalue_backward, lags_backward, hedge_ratio_backward, intercept_backward: of the second on
            the first.
        refused: pairs without an answer, and why.
    """

    row: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    bars: NDArray[np.int64]
    statistic: Series
    pvalue: Series
    lags: NDArray[np.int64]
    hedge_ratio: Series
    intercept: Series
    backward: NDArray[np.bool_]
    refused: RefusedPairs
    statistic_forward: Series | None = None
    pvalue_forward: Series | None = None
    lags_forward: NDArray[np.int64] | None = None
    hedge_ratio_forward: Series | None = None
    intercept_forward: Series | None = None
    statistic_backward: Series | None = None
    pvalue_backward: Series | None = None
    lags_backward: NDArray[np.int64] | None = None
    hedge_ratio_backward: Series | None = None
    intercept_backward: Series | None = None

    def __len__(self) -> int:
        return self.row.size


def screen_cointegration(
    log_prices: ArrayLike,
    pairs: ArrayLike | None = None,
    *,
    method: Literal["engle_granger", "johansen"] = "engle_granger",
    both_orders: bool = True,
    autolag: Criterion = "aic",
    maxlag: int | None = None,
    threads: int | None = None,
) -> CointegrationTable:
    """Test pairs for cointegration (STATISTICS 3).

    Engle-Granger's statistic, lags and p-value of each order equal `statsmodels.tsa.stattools.coint` (trend "c"), the
    statistic to 1e-9. A row depends on its own pair alone: neither other pairs nor the number of threads change a bit
    of it. A pair is refused with fewer common bars than leave the regression with the most lags four degrees of freedom
    (24 by Schwert's rule, else 2 * maxlag + 6), with a constant price, with legs that statsmodels calls collinear, and
    where the regression of the residual is collinear or fits to within rounding.

    Args:
        log_prices: shape (n_symbols, n_bars); NaN or infinite where a symbol has no bar.
        pairs: rows, shape (n_pairs, 2); None is every i < j.
        method: "engle_granger", or "johansen" for the trace test of `screen_johansen`.
        both_orders: test the second leg on the first too, and let the weaker order decide.
        autolag: information criterion that chooses among 0..maxlag lags; None takes maxlag.
        maxlag: None is Schwert's rule, ceil(12 (bars / 100)^(1/4)).
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, a pair of rows that are not there, or an unknown choice.
    """
    if method == "johansen":
        return _johansen(log_prices, pairs, threads)
    if method != "engle_granger":
        raise ValueError(f"method is 'engle_granger' or 'johansen', got {method!r}")
    matrix, asked = prices_and_pairs(log_prices, pairs)
    criterion, most = lag_choice(autolag, maxlag)
    values, lags = np.zeros((len(asked), 6)), np.zeros((len(asked), 2), np.int64)
    bars, code = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)

    def work(start: int, stop: int) -> None:
        rows = slice(start, stop)
        pair_tests(matrix, asked[rows], both_orders, criterion, most, values[rows], lags[rows], bars[rows], code[rows])

    in_chunks(len(asked), work, size=CHUNK, threads=threads)
    return _table(asked, both_orders, values, lags, bars, code)


def _table(
    asked: Pairs,
    both_orders: bool,
    values: Matrix,
    lags: NDArray[np.int64],
    bars: NDArray[np.int64],
    code: NDArray[np.int64],
) -> CointegrationTable:
    row = np.flatnonzero(code == 0)
    forward = _order("forward", row, values[:, :3], lags[:, 0])
    backward = _order("backward", row, values[:, 3:], lags[:, 1]) if both_orders else {}
    return CointegrationTable(
        row=row,
        first=asked[row, 0],
        second=asked[row, 1],
        bars=bars[row],
        refused=RefusedPairs.of(asked, code, bars),
        **_deciding(forward, backward),
        **forward,
        **backward,
    )


def _order(name: str, row: NDArray[np.int64], values: Matrix, lags: NDArray[np.int64]) -> dict[str, Any]:
    statistic = values[row, 0]
    return {
        f"statistic_{name}": statistic,
        f"pvalue_{name}": mackinnon_pvalues(statistic, series=2),
        f"lags_{name}": lags[row],
        f"hedge_ratio_{name}": values[row, 1],
        f"intercept_{name}": values[row, 2],
    }


def _deciding(forward: dict[str, Any], backward: dict[str, Any]) -> dict[str, Any]:
    names = [name.removesuffix("_forward") for name in forward]
    here = [forward[f"{name}_forward"] for name in names]
    if not backward:
        return dict(zip(names, here, strict=True)) | {"backward": np.zeros(here[0].size, np.bool_)}
    there = [backward[f"{name}_backward"] for name in names]
    (statistic, pvalue), (other_statistic, other_pvalue) = here[:2], there[:2]
    decides = (other_pvalue > pvalue) | ((other_pvalue == pvalue) & (other_statistic > statistic))
    chosen = [np.where(decides, second, first) for first, second in zip(here, there, strict=True)]
    return dict(zip(names, chosen, strict=True)) | {"backward": decides}


def _johansen(log_prices: ArrayLike, pairs: ArrayLike | None, threads: int | None) -> CointegrationTable:
    table = screen_johansen(log_prices, pairs, threads=threads)
    return CointegrationTable(
        row=table.row,
        first=table.first,
        second=table.second,
        bars=table.bars,
        statistic=table.trace,
        pvalue=table.pvalue,
        lags=np.ones(len(table), np.int64),
        hedge_ratio=table.hedge_ratio,
        intercept=table.intercept,
        backward=np.zeros(len(table), np.bool_),
        refused=table.refused,
    )


def engle_granger(y: Series, x: Series) -> EngleGranger:
    """Test y and x for cointegration in both orders.

    Equal to the larger p-value of `statsmodels.tsa.stattools.coint` (trend "c", autolag "aic") over both
    orders; the statistic agrees to 1e-9.

    Args:
        y, x: log prices, shape (n,), aligned and finite.
    """
    y, x = series_of(y), series_of(x)
    forward, lags_forward = _residual_unit_root(y, x)
    backward, lags_backward = _residual_unit_root(x, y)
    p_forward, p_backward = mackinnon_pvalue(forward, series=2), mackinnon_pvalue(backward, series=2)
    decides_forward = forward >= backward
    hedge_ratio, intercept = least_squares(y, x)
    return EngleGranger(
        statistic=forward if decides_forward else backward,
        pvalue=max(p_forward, p_backward),
        lags=lags_forward if decides_forward else lags_backward,
        pvalue_yx=p_forward,
        pvalue_xy=p_backward,
        hedge_ratio=hedge_ratio,
        intercept=intercept,
    )


def johansen(y: Series, x: Series) -> Johansen:
    """Johansen's trace test (`statsmodels.tsa.vector_ar.vecm.coint_johansen`, det_order 0, one lag).

    The tabulated points assume that prices drift. Measured over 2,000 pairs of independent walks of 400
    bars: with a drift of one deviation per bar 5% have p < 0.05, without drift 11%.

    Args:
        y, x: log prices, shape (n,), aligned and finite.
    """
    from scipy.stats import gamma
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    result = coint_johansen(np.column_stack([series_of(y), series_of(x)]), 0, 1)
    vector = result.evec[:, 0]
    return Johansen(
        statistic=float(result.lr1[0]),
        pvalue=float(gamma.sf(result.lr1[0], TRACE_SHAPE, scale=TRACE_SCALE)),
        critical_95=float(result.cvt[0, 1]),
        statistic_rank_1=float(result.lr1[1]),
        hedge_ratio=float(-vector[1] / vector[0]),
    )


def least_squares(y: Series, x: Series) -> tuple[float, float]:
    """Slope and intercept of y on x."""
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return slope, float(y.mean() - slope * x.mean())


def _residual_unit_root(y: Series, x: Series) -> tuple[float, int]:
    slope, intercept = least_squares(y, x)
    residual = y - intercept - slope * x
    deviation = y - y.mean()
    if residual @ residual <= (1 - COLLINEAR) * (deviation @ deviation):
        return -np.inf, 0
    return unit_root(residual, constant=False)
