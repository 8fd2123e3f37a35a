"""How many of a screen's findings are true, and how many of the true pairs it finds, where the truth is known.

    python benchmarks/discovery.py [--full] [--json]

A market of 500 symbols: a market factor moves all of them, and each symbol has a random walk of its own beside it,
except that 37 of them share their walk with another symbol: 17 groups of two and one of three. Within a group each
symbol is its hedge ratio times the shared walk plus an Ornstein-Uhlenbeck process of its own, so every pair of a
group is cointegrated (17 + 3 = 20 pairs), with a half-life that grows from 5 bars in the first group to 60 in the
last. Every other pair is not cointegrated, those included that share a leg with a true pair: no combination of two
walks that differ comes back. Returns correlate through the market factor, so tests depend on one another as they do
on real days.

Every pair (124,750) is tested with Engle-Granger in both orders. `realised` is the share of findings that are not
cointegrated, mean over the markets (0 where nothing was found); `recall` the share of the 20 that were found. `in
sectors` tests only pairs of one sector (ten sectors of 50 symbols; groups lie within a sector), the usual way to
screen: the family is ten times smaller. Last comes the whole screen with its default settings: how many pairs each
gate leaves and how many of them are true, and what is left in the end with `screen.max_fdr` on. `--full` draws 40
markets for each window instead of 12. With `--json` each line is a row of {name, value, unit, goal, met,
standard_error, draws}.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from figures import Figure, mean, row
from tandem.config import Settings
from tandem.market import Calendar, Timeframe
from tandem.screening import identify
from tandem.screening.gates import STEPS
from tandem.statistics import (
    Series,
    SimulatedNull,
    benjamini_hochberg,
    benjamini_yekutieli,
    screen_cointegration,
    simulated_null,
)
from tandem.store import Panel

SYMBOLS, SECTORS = 500, 10
GROUPS = [2] * 9 + [3] + [2] * 8
HALF_LIVES = np.geomspace(5, 60, len(GROUPS))
BUCKETS = ((5, 10), (10, 20), (20, 35), (35, 60))
WINDOWS = (250, 400, 1000, 2000)
MARKETS, MARKETS_IN_FULL = 12, 40
SCREENS, SCREENS_IN_FULL = 4, 12
DRAWS = 20_000
MAX_FDR = 0.1
DAY = date(2024, 3, 12)
LEVELS = (0.05, 0.10, 0.20)
CORRECTIONS = {"BH": benjamini_hochberg, "BY": benjamini_yekutieli}
SEED = 7

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Market:
    """Simulated log prices and what is true of them.

    Attributes:
        log_prices: shape (symbols, bars).
        group: which walk each symbol follows; symbols of one group are cointegrated, shape (symbols,).
        half_life: bars, of each symbol's group, NaN for a symbol alone, shape (symbols,).
        sector: shape (symbols,).
    """

    log_prices: NDArray[np.float64]
    group: NDArray[np.int64]
    half_life: Series
    sector: NDArray[np.int64]


@dataclass(frozen=True)
class Family:
    """The tests of one market: p-values, and the half-life of the true pairs, NaN of the others."""

    pvalue: Series
    half_life: Series

    @property
    def true(self) -> Flags:
        """Which tests are of cointegrated pairs."""
        return ~np.isnan(self.half_life)


@dataclass(frozen=True)
class Study:
    """Families of equal size from markets of equal length."""

    name: str
    bars: int
    families: Sequence[Family]

    @property
    def pairs(self) -> int:
        """Tests of one family."""
        return self.families[0].pvalue.size

    @property
    def true(self) -> int:
        """Cointegrated pairs in one family."""
        return int(self.families[0].true.sum())

    @property
    def counts(self) -> list[int]:
        """Tests with p < 0.05 in each market."""
        return [int((family.pvalue < 0.05).sum()) for family in self.families]

    def null(self) -> SimulatedNull:
        """Tests of one family that would have p < 0.05 if no pair were cointegrated."""
        return simulated_null([self.bars], [1e-3], [1e-3], 0.05, tested=self.pairs, draws=DRAWS)


@dataclass(frozen=True)
class Finding:
    """What one rule made of one family: pairs found, true ones among them, true ones there are; by half-life too."""

    found: int
    true: int
    share_false: float
    recall: float
    recall_by_half_life: tuple[float, ...]

    @classmethod
    def of(cls, family: Family, passed: Flags) -> "Finding":
        """Compare what passed with the truth."""
        hits = passed & family.true
        buckets = [(family.half_life >= low) & (family.half_life <= high) for low, high in BUCKETS]
        return cls(
            found=int(passed.sum()),
            true=int(hits.sum()),
            share_false=float(1 - hits.sum() / max(passed.sum(), 1)) if passed.any() else 0.0,
            recall=float(passed[family.true].mean()),
            recall_by_half_life=tuple(float(passed[bucket].mean()) for bucket in buckets),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for bars in WINDOWS:
        for study in studies(bars, MARKETS_IN_FULL if asked.full else MARKETS):
            for text in map(row, figures(study)) if asked.json else table(study):
                print(text, flush=True)
    for bars in WINDOWS:
        passed = [screened(simulated(bars, seed)) for seed in range(SCREENS_IN_FULL if asked.full else SCREENS)]
        for text in map(row, gate_figures(bars, passed)) if asked.json else gate_table(bars, passed):
            print(text, flush=True)


def studies(bars: int, markets: int) -> tuple[Study, Study]:
    """The same markets with every pair as the family, and with the pairs within sectors."""
    everywhere, in_sectors = zip(*(tested(simulated(bars, seed)) for seed in range(markets)), strict=True)
    return Study(f"{bars} bars", bars, everywhere), Study(f"{bars} bars, in sectors", bars, in_sectors)


def tested(market: Market) -> tuple[Family, Family]:
    """Every pair of the market, and every pair within a sector."""
    found = screen_cointegration(market.log_prices)
    first, second = found.first, found.second
    true = market.group[first] == market.group[second]
    family = Family(found.pvalue, np.where(true, market.half_life[first], np.nan))
    within = market.sector[first] == market.sector[second]
    return family, Family(family.pvalue[within], family.half_life[within])


def screened(market: Market) -> dict[str, tuple[int, int]]:
    """Pairs, and truly cointegrated ones among them, that each gate of the whole screen leaves."""
    usual, strict = judged(market), judged(market, max_fdr=MAX_FDR)
    return {**usual, f"all, max_fdr {MAX_FDR:g}": strict[STEPS[-1]]}


def judged(market: Market, **screen: float) -> dict[str, tuple[int, int]]:
    symbols = tuple(f"S{symbol:03d}" for symbol in range(SYMBOLS))
    sectors = [f"sector {sector}" for sector in market.sector]
    settings = Settings.model_validate(
        {"model": {"timeframe": "5Min"}, "sectors": {"active": sorted(set(sectors))}, "screen": screen}
    )
    closes = np.exp(market.log_prices)
    starts, volumes = starts_of(closes.shape[1]), np.full(closes.shape, 1e6)
    panel = Panel(symbols, Timeframe.MIN_5, starts, closes, closes, volumes, "simulated")
    pairs = identify(panel, Calendar().session(DAY), settings, dict(zip(symbols, sectors, strict=True))).table
    true = market.group[pairs.first] == market.group[pairs.second]
    left = {"pairs": pairs.gate >= 0, **{name: pairs.gate > at for at, name in enumerate(STEPS)}}
    return {name: (int(passes.sum()), int((passes & true).sum())) for name, passes in left.items()}


def starts_of(bars: int) -> NDArray[np.datetime64]:
    """Starts of the last five-minute bars before the day."""
    sessions = Calendar().before(DAY, -(-bars // 78))
    opens = np.array([session.open.replace(tzinfo=None) for session in sessions], "datetime64[us]")
    return (opens[:, np.newaxis] + np.arange(78) * np.timedelta64(5, "m")).ravel()[-bars:]


def findings(study: Study) -> Iterator[tuple[str, float | None, list[Finding]]]:
    """Each rule, its nominal rate of false discoveries where it has one, and what it found in each market."""
    yield "p < 0.05", None, [Finding.of(family, family.pvalue < 0.05) for family in study.families]
    for name, correct in CORRECTIONS.items():
        rates = [correct(family.pvalue) for family in study.families]
        for level in LEVELS:
            kept = [Finding.of(family, q <= level) for family, q in zip(study.families, rates, strict=True)]
            yield f"{name} {level:.0%}", level, kept


def simulated(bars: int, seed: int) -> Market:
    """A market of `bars` five-minute bars: volatilities of the order of 0.1% a bar."""
    generator = np.random.default_rng([SEED, seed, bars])
    group = np.r_[np.repeat(np.arange(len(GROUPS)), GROUPS), len(GROUPS) + np.arange(SYMBOLS - sum(GROUPS))]
    sector = np.r_[np.repeat(np.arange(len(GROUPS)) % SECTORS, GROUPS), np.zeros(SYMBOLS - sum(GROUPS), int)]
    sector[sum(GROUPS) :] = filled(sector[: sum(GROUPS)])
    own = generator.standard_normal((group.max() + 1, bars)) * generator.uniform(5e-4, 2e-3, (group.max() + 1, 1))
    factor = generator.standard_normal(bars) * 7e-4
    trend = np.cumsum(own + generator.uniform(0.5, 1.5, (group.max() + 1, 1)) * factor, axis=1)
    hedge = generator.uniform(0.7, 1.4, (SYMBOLS, 1))
    log_prices = np.log(generator.uniform(10, 400, (SYMBOLS, 1))) + hedge * trend[group]
    half_life = np.full(SYMBOLS, np.nan)
    half_life[: sum(GROUPS)] = HALF_LIVES[group[: sum(GROUPS)]]
    for symbol in range(sum(GROUPS)):
        log_prices[symbol] += reverting(half_life[symbol], bars, generator)
    return Market(log_prices, group, half_life, sector)


def filled(grouped: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sectors of the symbols that are alone, so that every sector has as many symbols."""
    left = SYMBOLS // SECTORS - np.bincount(grouped, minlength=SECTORS)
    return np.repeat(np.arange(SECTORS), left)


def reverting(half_life: float, bars: int, generator: np.random.Generator) -> Series:
    """An Ornstein-Uhlenbeck process that starts anywhere in its equilibrium."""
    phi = 0.5 ** (1 / half_life)
    shocks = generator.standard_normal(bars) * 7e-4
    shocks[0] /= np.sqrt(1 - phi**2)
    for bar in range(1, bars):
        shocks[bar] += phi * shocks[bar - 1]
    return shocks


def table(study: Study) -> Iterator[str]:
    null = study.null()
    yield (
        f"{study.name}: {study.pairs:,} pairs, {study.true} cointegrated. By chance {study.pairs * 0.05:,.0f} have "
        f"p < 0.05, among simulated walks {null.passing:,.0f} +- {null.standard_error:,.0f}; "
        f"found from {min(study.counts):,} in one market to {max(study.counts):,} in another."
    )
    yield f"{'':<12}{'found':>9}{'true':>7}{'realised':>17}{'recall':>9}  by half-life{buckets()}"
    for rule, _, kept in findings(study):
        realised = mean("", [each.share_false for each in kept])
        by_half_life = np.mean([each.recall_by_half_life for each in kept], axis=0)
        yield (
            f"  {rule:<10}{np.mean([each.found for each in kept]):>9,.1f}{np.mean([each.true for each in kept]):>7.1f}"
            f"{realised.value:>9.1%} +- {realised.standard_error:>4.1%}{np.mean([each.recall for each in kept]):>9.0%}"
            f"{'':>14}{''.join(f'{share:>7.0%}' for share in by_half_life)}"
        )
    yield ""


def buckets() -> str:
    return "".join(f"{f'{low}-{high}':>7}" for low, high in BUCKETS)


def figures(study: Study) -> Iterator[Figure]:
    name, null = study.name, study.null()
    yield Figure(f"{name}: pairs tested", study.pairs, "pairs")
    yield Figure(f"{name}: truly cointegrated", study.true, "pairs")
    yield Figure(f"{name}: p < 0.05 by chance, nominal", study.pairs * 0.05, "pairs")
    simulated_walks = f"{name}: p < 0.05 by chance, simulated walks"
    yield Figure(simulated_walks, null.passing, "pairs", standard_error=null.standard_error, draws=null.draws)
    yield Figure(f"{name}: p < 0.05, fewest in a market", min(study.counts), "pairs")
    yield Figure(f"{name}: p < 0.05, most in a market", max(study.counts), "pairs")
    for rule, nominal, kept in findings(study):
        yield mean(f"{name}, {rule}: found", [each.found for each in kept], "pairs")
        yield mean(f"{name}, {rule}: truly cointegrated", [each.true for each in kept], "pairs")
        realised = mean(f"{name}, {rule}: false discoveries", [100 * each.share_false for each in kept], "%")
        yield realised if nominal is None else held(realised, 100 * nominal)
        yield mean(f"{name}, {rule}: recall", [100 * each.recall for each in kept], "%")
        for at, (low, high) in enumerate(BUCKETS):
            recall = [100 * each.recall_by_half_life[at] for each in kept]
            yield mean(f"{name}, {rule}: recall, half-life {low} to {high} bars", recall, "%")


def gate_table(bars: int, passed: Sequence[dict[str, tuple[int, int]]]) -> Iterator[str]:
    yield f"The whole screen, {bars} bars, in sectors, default settings, {len(passed)} markets: left after each gate"
    yield f"{'':<24}{'pairs':>12}{'true':>8}{'false':>10}"
    for name in passed[0]:
        pairs, true = np.mean([each[name] for each in passed], axis=0)
        yield f"  {name:<22}{pairs:>12,.1f}{true:>8.1f}{1 - true / pairs if pairs else 0:>10.1%}"
    yield ""


def gate_figures(bars: int, passed: Sequence[dict[str, tuple[int, int]]]) -> Iterator[Figure]:
    for name in passed[0]:
        gate = f"{bars} bars, in sectors, the whole screen, after {name}"
        yield mean(f"{gate}: pairs", [each[name][0] for each in passed], "pairs")
        yield mean(f"{gate}: truly cointegrated", [each[name][1] for each in passed], "pairs")


def held(realised: Figure, nominal: float) -> Figure:
    """Met unless the realised rate lies above the nominal one by more than two standard errors."""
    assert realised.standard_error is not None
    return replace(realised, goal=nominal, met=realised.value - 2 * realised.standard_error <= nominal)


if __name__ == "__main__":
    main()
