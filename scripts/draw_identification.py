"""Draw the pictures of docs/identification.md, and print the figures it quotes.

    python scripts/draw_identification.py [SP500_DAILY.parquet]

All but one are drawn from the daily bars that ship with Tandem. The file (columns symbol, date, close) serves the
picture of share classes; without it that one stays as it is.
"""

import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tandem.config import Settings
from tandem.market import Calendar, Timeframe, flaw_of
from tandem.operations.writing.ink import BAND, FAINT, GAIN, INK, LEG_A, LEG_B, LOOK, LOSS, PAPER, SOFT, grid
from tandem.screening import PairTable, Screen, identify
from tandem.sources.samples import daily_bars, sectors
from tandem.statistics import (
    correlations,
    expected_by_chance,
    fit_garch,
    kalman_hedge,
    ljung_boxes,
    measure_spreads,
    screen_cointegration,
)
from tandem.store import Panel

FOLDER: Final = Path(__file__).parents[1] / "docs" / "identification"
DAY: Final = date(2010, 8, 23)


class Year:
    """The year that ships: its panel, its screen with default gates on daily bars, and pairs by name."""

    def __init__(self) -> None:
        bars = daily_bars()
        figures = bars[["open", "high", "low", "close", "volume"]].itertuples(index=False)
        bars = bars[[not flaw_of(*figure) for figure in figures]]
        named = sectors().set_index("symbol")["sector"].to_dict()
        active = sorted(set(named.values()) - {"unknown"})
        self.settings = Settings.model_validate({"model": {"timeframe": "1Day"}, "sectors": {"active": active}})
        self.panel = Panel.of(bars, Timeframe.DAY_1)
        self.screen: Screen = identify(self.panel, Calendar().session(DAY), self.settings, named)
        self.table: PairTable = self.screen.table
        self.log_prices = np.log(self.panel.closes)
        self.tested = np.flatnonzero(self.table.tested)
        self.correlated = self.tested[self.table.correlation_prices[self.tested] >= 0.8]

    def row(self, symbol: str) -> int:
        """The row of a symbol in the panel."""
        return self.panel.symbols.index(symbol)

    def at(self, name: str) -> int:
        """The row of a pair in the table."""
        a, b = map(self.row, name.split("/"))
        return int(np.flatnonzero((self.table.first == a) & (self.table.second == b))[0])

    def legs(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times and log prices of both legs on their common bars."""
        first, second = (self.log_prices[self.row(symbol)] for symbol in name.split("/"))
        common = np.isfinite(first) & np.isfinite(second)
        return self.panel.starts[common], first[common], second[common]

    def spread(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Times and spread of a pair, by least squares."""
        starts, first, second = self.legs(name)
        pair = measure_spreads(np.vstack([first, second]))
        return starts, first - pair.intercept[0] - pair.hedge_ratio[0] * second

    def dollars(self, symbol: str) -> np.ndarray:
        """Closes of a symbol."""
        return self.panel.closes[self.row(symbol)]


def main(path: Path | None) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    year = Year()
    draw("funnel", 2.9, (funnel,), year)
    draw("data-quality", 2.5, (split, gap, ended), year)
    draw("liquidity", 2.4, (liquidity,), year)
    draw("correlation", 3.0, (both_correlations, trend_alone, moves_alone), year)
    draw("cointegration", 3.0, (both_orders, cointegrated, not_cointegrated), year)
    draw("false-discovery", 3.0, (histogram, step_up), year)
    draw("half-life", 2.8, (half_lives, decay), year)
    draw("hedge-ratio", 3.0, (three_hedges, drifting), year)
    draw("garch", 2.8, (persistences, volatilities), year)
    draw("diagnostics", 2.8, (residuals_clean, residuals_unclean), year)
    draw("score", 3.0, (scores, one_score), year)
    if path is not None:
        draw("same-source", 2.8, (classes, classes_paths), Classes(path))


def draw(name: str, height: float, panels: tuple, subject: object) -> None:
    with rc_context(LOOK):
        figure = Figure(figsize=(8.6, height), layout="constrained")
        for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
            grid(axes)
            print(f"{name}: {panel(axes, subject)}")
        drawn = BytesIO()
        figure.savefig(drawn, dpi=150, facecolor=PAPER)
        Image.open(drawn).convert("RGB").quantize(48).save(FOLDER / f"{name}.png", optimize=True)


def funnel(axes: Axes, year: Year) -> object:
    steps = year.screen.funnel.steps
    left = [step.left for step in steps]
    names = [step.gate for step in steps]
    axes.barh(names[::-1], left[::-1], color=LEG_A)
    axes.set_xscale("log")
    axes.set_xlim(30, 40_000)
    axes.grid(visible=False)
    for place, count in enumerate(left[::-1]):
        axes.annotate(f"{count:,}", (count, place), xytext=(4, 0), textcoords="offset points", va="center", color=INK)
    axes.set_title("Pairs left after each gate")
    return year.screen.funnel


def split(axes: Axes, year: Year) -> object:
    axes.plot(year.panel.starts, year.dollars("DHR"), color=LOSS, linewidth=1)
    axes.set_title("DHR: a split of 2 for 1 that nobody undid")
    dates(axes, "dollars")
    return [(one.symbol, one.refusal.why) for one in year.screen.symbols_refused if "split" in one.refusal.why]


def gap(axes: Axes, year: Year) -> object:
    axes.plot(year.panel.starts, year.dollars("ETFC"), color=LOSS, linewidth=1, marker=".", markersize=2)
    axes.set_title("ETFC: 25 bars missing, then 10 for 1")
    dates(axes, "dollars")
    return [(one.symbol, one.refusal.why) for one in year.screen.symbols_refused if "missing" in one.refusal.why]


def ended(axes: Axes, year: Year) -> object:
    for symbol, colour in (("BNI", LOSS), ("UNP", GAIN)):
        axes.plot(year.panel.starts, year.dollars(symbol), color=colour, linewidth=1)
        axes.annotate(
            symbol, (year.panel.starts[60], year.dollars(symbol)[60]), (0, 6), textcoords="offset points", color=colour
        )
    axes.set_title("BNI: no bar since February; UNP goes on")
    dates(axes, "dollars")
    stale = np.mean(np.diff(year.panel.closes, axis=1) == 0, axis=1)
    return len(year.screen.symbols_refused), year.panel.symbols[stale.argmax()], stale.max()


def liquidity(axes: Axes, year: Year) -> object:
    dollars = np.nanmedian(year.panel.closes * year.panel.volumes, axis=1)
    order = np.argsort(dollars)
    axes.plot(dollars[order], color=LEG_A, linewidth=1.4)
    axes.set_yscale("log")
    for level, text in ((1e6, "default: $1 million"), (2e7, "$20 million")):
        axes.axhline(level, color=LOSS, linewidth=0.8, linestyle="--")
        axes.annotate(text, (520, level), xytext=(0, 3), textcoords="offset points", color=LOSS, ha="right")
    for place in (0, 1, order.size - 1):
        name = year.panel.symbols[order[place]]
        axes.annotate(name, (place, dollars[order[place]]), xytext=(3, -9 if place else 3), textcoords="offset points")
    axes.set_title("Dollars traded in the median session, 524 symbols in order")
    return [(year.panel.symbols[i], round(dollars[i] / 1e6, 1)) for i in order[:6]], int((dollars < 2e7).sum())


def both_correlations(axes: Axes, year: Year) -> object:
    prices, returns = (getattr(year.table, name)[year.tested] for name in ("correlation_prices", "correlation_returns"))
    axes.plot(returns, prices, ".", color=FAINT, markersize=1.2, alpha=0.5, rasterized=True)
    axes.axhline(0.8, color=LOSS, linewidth=0.9)
    for name in ("FDO/HAS", "KLAC/NVLS", "ETN/GWW"):
        row = year.at(name)
        point = year.table.correlation_returns[row], year.table.correlation_prices[row]
        axes.plot(*point, "o", color=INK, markersize=3)
        axes.annotate(name, point, xytext=(4, -10), textcoords="offset points", fontsize=7)
    axes.set_xlabel("correlation of returns")
    axes.set_ylabel("of log prices")
    axes.set_title("The gate, over 11,266 pairs")
    return {name: (year.table.correlation_prices[year.at(name)], year.table.correlation_returns[year.at(name)])
            for name in ("FDO/HAS", "KLAC/NVLS", "ETN/GWW")}  # fmt: skip


def trend_alone(axes: Axes, year: Year) -> object:
    both_legs(axes, year, "FDO/HAS")
    axes.set_title("FDO and HAS: one trend, separate days")
    return year.table.why(year.at("FDO/HAS"))


def moves_alone(axes: Axes, year: Year) -> object:
    both_legs(axes, year, "KLAC/NVLS")
    axes.set_title("KLAC and NVLS: one day, two trends")
    return year.table.why(year.at("KLAC/NVLS"))


def both_legs(axes: Axes, year: Year, name: str) -> None:
    starts, *legs = year.legs(name)
    for symbol, leg, colour in zip(name.split("/"), legs, (LEG_A, LEG_B), strict=True):
        axes.plot(starts, leg - leg[0], color=colour, linewidth=1, label=symbol)
    axes.legend(frameon=False, fontsize=7)
    dates(axes, "log price, from the first day")


def both_orders(axes: Axes, year: Year) -> object:
    found = screen_cointegration(year.log_prices, year.table.legs(year.correlated))
    axes.plot(found.pvalue_forward, found.pvalue_backward, ".", color=FAINT, markersize=2)
    axes.plot([5e-5, 1], [5e-5, 1], color=SOFT, linewidth=0.6)
    axes.axhline(0.05, color=LOSS, linewidth=0.8)
    axes.axvline(0.05, color=LOSS, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("p, a on b")
    axes.set_ylabel("p, b on a")
    axes.set_title("Both orders of 1,493 pairs")
    smaller, larger = np.minimum(found.pvalue_forward, found.pvalue_backward), found.pvalue
    return int((smaller < 0.05).sum()), int((larger < 0.05).sum())


def cointegrated(axes: Axes, year: Year) -> object:
    return one_spread(axes, year, "ETN/GWW", GAIN)


def not_cointegrated(axes: Axes, year: Year) -> object:
    return one_spread(axes, year, "A/TMO", LOSS)


def one_spread(axes: Axes, year: Year, name: str, colour: str) -> object:
    starts, spread = year.spread(name)
    axes.plot(starts, spread / spread.std(), color=colour, linewidth=0.9)
    axes.axhline(0, color=SOFT, linewidth=0.6)
    row = year.at(name)
    axes.set_title(f"{name}: p {year.table.pvalue[row]:.4f}")
    dates(axes, "spread, deviations")
    return year.table.statistic[row], year.table.pvalue[row], int(year.table.lags[row]), year.table.why(row)


def histogram(axes: Axes, year: Year) -> object:
    pvalues, bins = year.table.pvalue[year.tested], np.linspace(0, 1, 41)
    axes.hist(pvalues, bins, color=LEG_A, label="every eligible pair: the family")
    axes.hist(year.table.pvalue[year.correlated], bins, color=LEG_B, label="those that pass the correlation gate")
    axes.axhline(pvalues.size / 40, color=SOFT, linewidth=0.8, linestyle="--")
    axes.annotate("uniform", (0.02, pvalues.size / 40), xytext=(0, 3), textcoords="offset points", color=SOFT)
    axes.legend(frameon=False, fontsize=7)
    axes.set_xlabel("p, the larger of both orders")
    axes.set_title("11,266 p-values")
    below = [float((year.table.pvalue[rows] < 0.05).mean()) for rows in (year.tested, year.correlated)]
    return below, expected_by_chance(pvalues.size, 0.05), year.screen.funnel.simulated_null


def step_up(axes: Axes, year: Year) -> object:
    pvalues = np.sort(year.table.pvalue[year.tested])
    rank = np.arange(1, pvalues.size + 1)
    axes.plot(rank, pvalues, color=LEG_A, linewidth=1.4, label="p-values in order")
    for rate, colour in ((0.5, BAND), (0.05, LOSS)):
        axes.plot(rank, rate * rank / rank.size, color=colour, linewidth=0.9, linestyle="--", label=f"max_fdr {rate:g}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rank")
    axes.legend(frameon=False, fontsize=7)
    axes.set_title("Benjamini-Hochberg: what lies under the line passes")
    q_bh, q_by = (np.sort(getattr(year.table, name)[year.tested]) for name in ("q_bh", "q_by"))
    return pvalues[:6], q_bh[:6], q_by[:3], int((q_bh <= 0.5).sum())


def half_lives(axes: Axes, year: Year) -> object:
    found = measure_spreads(year.log_prices, year.table.legs(year.correlated))
    pvalue = year.table.pvalue[year.correlated[found.row]]
    longest = 0.1 * np.median(found.bars)
    axes.plot(found.half_life, pvalue, ".", color=FAINT, markersize=2)
    axes.axvline(longest, color=LOSS, linewidth=0.9)
    axes.axhline(0.05, color=SOFT, linewidth=0.7, linestyle="--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("half-life, bars")
    axes.set_ylabel("p of cointegration")
    axes.set_title(f"1,493 correlated pairs; the gate at {longest:.1f} bars")
    through = found.half_life[pvalue < 0.05]
    return np.percentile(through, [0, 50, 100]), int((found.half_life > longest).sum()), np.median(found.hurst)


def decay(axes: Axes, year: Year) -> object:
    said = {}
    for name, colour in (("ETN/GWW", GAIN), ("BIG/MAR", LOSS)):
        spread = year.spread(name)[1]
        own = [1.0] + [float(np.corrcoef(spread[lag:], spread[:-lag])[0, 1]) for lag in range(1, 41)]
        found = measure_spreads(year.log_prices, year.table.legs(np.array([year.at(name)])))
        axes.plot(own, color=colour, linewidth=1.2, label=f"{name}: half-life {found.half_life[0]:.1f}")
        axes.plot(found.phi[0] ** np.arange(41), color=colour, linewidth=0.7, linestyle=":")
        said[name] = {
            name: float(getattr(found, name)[0])
            for name in ("phi", "half_life", "hurst", "crossing_rate", "variance_ratio")
        }
    axes.axhline(0.5, color=SOFT, linewidth=0.6)
    axes.legend(frameon=False, fontsize=7)
    axes.set_xlabel("bars later")
    axes.set_title("Autocorrelation of the spread; dotted: the AR(1)")
    return said


def three_hedges(axes: Axes, year: Year) -> object:
    rows = year.correlated[year.table.pvalue[year.correlated] < 0.05]
    found = measure_spreads(year.log_prices, year.table.legs(rows))
    axes.plot(found.ols, found.tls, ".", color=LEG_A, markersize=4, label="total least squares")
    axes.plot(found.ols, found.johansen, ".", color=LEG_B, markersize=4, label="Johansen")
    axes.plot([0.1, 10], [0.1, 10], color=SOFT, linewidth=0.6)
    for bound in (0.1, 10):
        axes.axvline(bound, color=LOSS, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("hedge ratio by least squares")
    axes.legend(frameon=False, fontsize=7)
    axes.set_title(f"{rows.size} pairs past the family's gates")
    loose = year.tested[(year.table.correlation_returns[year.tested] >= 0.5) & (year.table.pvalue[year.tested] < 0.05)]
    other = measure_spreads(year.log_prices, year.table.legs(loose))
    odd = (other.ols < 0.1) | (other.ols > 10)
    names = [(str(year.table.pair(loose[row])), float(other.ols[row])) for row in np.flatnonzero(odd)]
    return np.percentile(found.ols, [0, 50, 100]), np.median(found.tls / found.ols), loose.size, names[:5]


def drifting(axes: Axes, year: Year) -> object:
    said = {}
    for name, colour in (("ETN/GWW", LEG_A), ("FDO/HAS", LEG_B)):
        starts, first, second = year.legs(name)
        path, whole = kalman_hedge(first, second), measure_spreads(np.vstack([first, second]))
        axes.plot(starts[20:], path.hedge_ratio[20:], color=colour, linewidth=1.1, label=name)
        axes.axhline(whole.ols[0], color=colour, linewidth=0.7, linestyle=":")
        said[name] = float(whole.ols[0]), float(whole.tls[0]), float(whole.johansen[0]), path.last.hedge_ratio
    axes.legend(frameon=False, fontsize=7)
    dates(axes, "hedge ratio")
    axes.set_title("By Kalman filter, day by day; dotted: least squares")
    return said


def persistences(axes: Axes, year: Year) -> object:
    spreads = year.table.examined
    axes.hist(spreads.persistence[np.isfinite(spreads.persistence)], np.linspace(0, 1, 41), color=LEG_A)
    axes.axvline(1, color=LOSS, linewidth=1)
    axes.set_xlabel("persistence, alpha + beta")
    axes.set_title(f"GARCH of {np.isfinite(spreads.persistence).sum()} spreads")
    refused = [year.table.why(row) for row in np.flatnonzero(year.table.gate == 8)]
    return np.percentile(spreads.persistence, [10, 50, 90]), [one.why for one in refused]


def volatilities(axes: Axes, year: Year) -> object:
    said = {}
    for name, colour in (("ETN/GWW", GAIN), ("EXC/PPL", LOSS)):
        starts, spread = year.spread(name)
        found = fit_garch(spread[None])
        axes.plot(
            starts,
            1e4 * found.conditional_volatility[0],
            color=colour,
            linewidth=1,
            label=f"{name}: persistence {found.persistence[0]:.3f}",
        )
        said[name] = [float(getattr(found, name)[0]) for name in ("phi", "alpha", "beta", "persistence", "aic")]
    axes.legend(frameon=False, fontsize=7)
    dates(axes, "basis points a day")
    axes.set_title("Conditional volatility of the spread")
    return said


def residuals_clean(axes: Axes, year: Year) -> object:
    return residuals(axes, year, "ETN/GWW", GAIN)


def residuals_unclean(axes: Axes, year: Year) -> object:
    return residuals(axes, year, "BA/EMR", LOSS)


def residuals(axes: Axes, year: Year, name: str, colour: str) -> object:
    row = year.table.spread(year.at(name))
    starts, spread = year.spread(name)
    found = fit_garch(spread[None]).standardised_residuals[0]
    axes.vlines(starts[-found.size :], 0, found, color=colour, linewidth=0.8)
    spreads = year.table.examined
    axes.set_title(
        f"{name}: Ljung-Box p {spreads.ljung_box_pvalue[row]:.3f}, ARCH-LM p {spreads.arch_lm_pvalue[row]:.4f}"
    )
    dates(axes, "standardised residual")
    return float(ljung_boxes(found[np.isfinite(found)][None]).pvalue[0]), year.table.why(year.at(name))


def scores(axes: Axes, year: Year) -> object:
    spreads = year.table.examined
    rows = np.flatnonzero(np.isfinite(spreads.score))
    rows = rows[np.argsort(-spreads.score[rows])]
    bottom = np.zeros(rows.size)
    for name, weight, colour in (
        ("fit", 0.4, LEG_A),
        ("volatility", 0.3, LEG_B),
        ("trading", 0.2, BAND),
        ("diagnostics", 0.1, GAIN),
    ):
        part = weight * getattr(spreads, name)[rows]
        axes.bar(np.arange(rows.size), part, bottom=bottom, width=1, color=colour, label=name)
        bottom += part
    axes.axhline(0.7, color=INK, linewidth=0.9)
    axes.legend(frameon=False, fontsize=6.5, ncols=4, loc="upper right")
    axes.set_ylim(0, 1.12)
    axes.set_xlabel("pairs, best first")
    axes.set_title(f"{rows.size} scores and what they are made of")
    return int((spreads.score[rows] > 0.7).sum()), [str(passport.pair) for passport in year.screen.passports[:5]]


def one_score(axes: Axes, year: Year) -> object:
    parts = ("fit", "volatility", "trading", "diagnostics", "score")
    said = {}
    for name, colour, shift in (("ETN/GWW", GAIN, 0.2), ("THC/XRAY", LOSS, -0.2)):
        row = year.table.spread(year.at(name))
        values = [float(getattr(year.table.examined, part)[row]) for part in parts]
        axes.barh(np.arange(5)[::-1] + shift, values, height=0.36, color=colour, label=name)
        said[name] = values, float(year.table.examined.round_trips[row])
    axes.set_yticks(range(5), parts[::-1])
    axes.axvline(0.7, color=INK, linewidth=0.7)
    axes.legend(frameon=False, fontsize=7, loc="center right")
    axes.set_title("One selected, one refused")
    return said


class Classes:
    """A year of the S&P file, with the share classes of four companies in it."""

    def __init__(self, path: Path) -> None:
        bars = pd.read_parquet(path)
        closes = bars.pivot(index="date", columns="symbol", values="close").iloc[-252:]
        self.dates = pd.to_datetime(closes.index).to_numpy()
        self.symbols, self.log_prices = list(closes.columns), np.log(closes.to_numpy().T)


def classes(axes: Axes, year: Classes) -> object:
    found = correlations(year.log_prices)
    axes.hist(found.returns, np.linspace(-0.5, 1, 76), color=LEG_A)
    axes.set_yscale("log")
    said = {}
    for name in ("GOOG/GOOGL", "FOX/FOXA", "NWS/NWSA"):
        own = correlations(np.array([year.log_prices[year.symbols.index(symbol)] for symbol in name.split("/")]))
        axes.axvline(own.returns[0], color=LOSS, linewidth=0.9)
        said[name] = float(own.prices[0]), float(own.returns[0])
    axes.annotate("share classes", (0.97, 3e3), ha="right", color=LOSS)
    axes.set_xlabel("correlation of returns")
    axes.set_title(f"All {len(found):,} pairs of the S&P names, to February 2018")
    return said


def classes_paths(axes: Axes, year: Classes) -> object:
    said = {}
    for name, colour in (("ADI/TXN", LEG_A), ("GOOG/GOOGL", LOSS)):
        legs = np.array([year.log_prices[year.symbols.index(symbol)] for symbol in name.split("/")])
        pair, test = measure_spreads(legs), screen_cointegration(legs)
        spread = legs[0] - pair.intercept[0] - pair.hedge_ratio[0] * legs[1]
        axes.plot(
            year.dates,
            1e4 * spread,
            color=colour,
            linewidth=1,
            label=f"{name}: deviation {1e4 * pair.deviation[0]:.0f}",
        )
        said[name] = float(pair.deviation[0]), float(test.pvalue[0])
    axes.legend(frameon=False, fontsize=7)
    dates(axes, "spread, basis points")
    axes.set_title("Two shares of one company beside two companies")
    return said


def dates(axes: Axes, unit: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel(unit)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
