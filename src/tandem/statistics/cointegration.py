"""Whether two price series share one trend (STATISTICS 3)."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.dickey_fuller import Criterion, lag_choice, pair_tests
from tandem.statistics.johansen import screen_johansen
from tandem.statistics.mackinnon import mackinnon_pvalues
from tandem.statistics.pairs import Matrix, Pairs, RefusedPairs, prices_and_pairs
from tandem.statistics.series import Series
from tandem.statistics.threads import in_chunks

CHUNK: Final = 1024


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
        hedge_ratio, intercept: of the deciding order: of the second on the first where `backward`.
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

    `hedge_ratio` is that of the order that decides: where `backward` it is units of the first leg per unit of the
    second. What a pair is traded with is `measure_spreads(log_prices, pairs).hedge_ratio`, or `hedge_ratio_forward`
    here: always the first leg on the second.

        log_prices = np.log(closes.to_numpy().T)  # from a frame with bars in rows and symbols in columns
        table = screen_cointegration(log_prices)
        best = np.argsort(table.pvalue)[:10]
        for row in best:
            print(names[table.first[row]], names[table.second[row]], table.pvalue[row])
        print(table.refused.reasons())

    Args:
        log_prices: shape (n_symbols, n_bars); NaN or infinite where a symbol has no bar.
        pairs: rows, shape (n_pairs, 2); None is every i < j.
        method: "engle_granger", or "johansen" for the trace test of `screen_johansen`.
        both_orders: test the second leg on the first too, and let the weaker order decide.
        autolag: information criterion that chooses among 0..maxlag lags; None takes maxlag.
        maxlag: None is Schwert's rule, ceil(12 (bars / 100)^(1/4)).
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, pairs that are not rows of the matrix, or an unknown choice.
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
