"""The passports of the selected pairs, best score first."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.screening.eligible.universe import Universe
from tandem.screening.examination.score import Score, notes_of
from tandem.screening.examination.spreads import Legs
from tandem.screening.market import Market
from tandem.screening.passport import Passport
from tandem.screening.table import PairTable
from tandem.statistics import GarchTable, fit_garch, measure_spreads, screen_johansen, screen_unit_roots

Rows = NDArray[np.intp]


def passports_of(table: PairTable, universe: Universe, market: Market, session: date) -> tuple[Passport, ...]:
    """All we know of each selected pair.

    Args:
        table: every pair considered.
        universe: where they come from.
        market: the formation window.
        session: the trading day.
    """
    rows = ranked(table)
    if not rows.size:
        return ()
    windows = _Windows(market)
    spreads, garch = _spreads(table, rows, market)
    figures = zip(
        rows.tolist(), _in_rows(_tested(table, rows)), _in_rows(_more(table, rows, spreads, market)), strict=True
    )
    return tuple(
        Passport(
            pair=table.pair(row),
            sector=universe.sector(table.first[row], table.second[row]),
            timeframe=market.panel.timeframe,
            session=session,
            garch=garch.fit(rank),
            score=_score(table, row),
            data_version=market.panel.version,
            rank=rank + 1,
            hedge_by=market.screen.hedge,
            **windows.of(int(table.first[row]), int(table.second[row])),
            **tested,
            **more,
        )
        for rank, (row, tested, more) in enumerate(figures)
    )


def ranked(table: PairTable) -> Rows:
    """Rows of the selected pairs, best score first, then by name."""
    rows = table.selected
    return rows[np.lexsort((rows, -_examined(table, rows, "score")))]


def _examined(table: PairTable, rows: Rows, name: str) -> NDArray[np.float64]:
    column: NDArray[np.float64] = getattr(table.examined, name)[np.searchsorted(table.examined.row, rows)]
    return column


def _spreads(table: PairTable, rows: Rows, market: Market) -> tuple[NDArray[np.float64], GarchTable]:
    hedge_ratio, intercept = (_examined(table, rows, name) for name in ("hedge_ratio", "intercept"))
    spreads = Legs.of(market.log_prices, table.legs(rows)).spreads(hedge_ratio, intercept)
    settings = market.garch
    threads = market.screen.threads
    return spreads, fit_garch(spreads, distribution=settings.distribution, backcast=settings.backcast, threads=threads)


def _tested(table: PairTable, rows: Rows) -> dict[str, NDArray[Any]]:
    family = ("correlation_prices", "correlation_returns", "statistic", "pvalue", "lags", "q_bh", "q_by")
    measured = ("hedge_ratio", "intercept", "mean", "deviation", "phi", "half_life")
    shape = ("hurst", "crossing_rate", "variance_ratio")
    return {name: getattr(table, name)[rows] for name in family} | {
        name: _examined(table, rows, name) for name in (*measured, *shape)
    }


def _more(table: PairTable, rows: Rows, spreads: NDArray[np.float64], market: Market) -> dict[str, NDArray[Any]]:
    pairs = table.legs(rows)
    hedges = measure_spreads(market.log_prices, pairs)
    johansen = screen_johansen(market.log_prices, pairs)
    johansen_pvalue = np.ones(rows.size)
    johansen_pvalue[johansen.row] = johansen.pvalue
    return {
        "adf_pvalue": screen_unit_roots(spreads).pvalue,
        "johansen_pvalue": johansen_pvalue,
        "hedge_ratio_ols": hedges.ols,
        "hedge_ratio_tls": hedges.tls,
        "hedge_ratio_johansen": hedges.johansen,
    }


def _in_rows(columns: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield dict(zip(columns, values, strict=True))


def _score(table: PairTable, row: int) -> Score:
    spreads, at = table.examined, table.spread(row)
    total, fit, volatility, trading, diagnostics = (
        float(getattr(spreads, name)[at]) for name in ("score", "fit", "volatility", "trading", "diagnostics")
    )
    round_trips, converged = int(spreads.round_trips[at]), bool(spreads.trial_converged[at])
    return Score(total, fit, volatility, trading, diagnostics, round_trips, notes_of(round_trips, converged))


class _Windows:
    """Bars of pairs; what many passports say alike (a leg's closes, the starts) is held once."""

    def __init__(self, market: Market) -> None:
        self._panel = market.panel
        self._closes: dict[tuple[int, bytes], tuple[float, ...]] = {}
        self._starts: dict[bytes, tuple[datetime, ...]] = {}

    def of(self, a: int, b: int) -> dict[str, Any]:
        common = np.isfinite(self._panel.closes[a]) & np.isfinite(self._panel.closes[b])
        key = np.packbits(common).tobytes()
        if key not in self._starts:
            moments = self._panel.starts[common].astype(object)
            self._starts[key] = tuple(start.replace(tzinfo=UTC) for start in moments)
        starts = self._starts[key]
        return {
            "window_first": starts[0],
            "window_last": starts[-1],
            "bars": len(starts),
            "starts": starts,
            "closes_a": self._leg(a, common, key),
            "closes_b": self._leg(b, common, key),
        }

    def _leg(self, symbol: int, common: NDArray[np.bool_], key: bytes) -> tuple[float, ...]:
        if (symbol, key) not in self._closes:
            self._closes[symbol, key] = tuple(self._panel.closes[symbol, common].tolist())
        return self._closes[symbol, key]
