"""How fast a universe is screened, as a ratio to statsmodels and arch on the same data in the same run.

    python benchmarks/screening.py [--full] [--json] [--only NAME] [--curve]

Sections: engle_granger, daily, universe, garch, identify. Kernels are compiled before anything is timed. An oracle does
a sample of the same pairs or series one after the other, with one BLAS thread; a ratio is of wall time, ours on every
core, with the same on one thread beside it. `--full` samples more of the oracle. `--curve` prints seconds and memory
for 100, 500, 1,000 and 3,000 symbols instead, and draws docs/scaling.svg. With `--json` each line is a row of
{name, value, unit, goal, met}.

Real prices are the S&P file of ../shared/data; where it is missing, simulated ones of its shape stand in and the
figure's name says so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache, partial
from itertools import combinations
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figures import Figure, at_least, at_most, line, row
from tandem.config import Settings
from tandem.market import Calendar, Session, Stopwatch, Timeframe
from tandem.screening import Screen, engine_of
from tandem.screening import identify as screen_panel
from tandem.statistics import fit_garch, one_thread, screen_cointegration
from tandem.store import Panel

Matrix = NDArray[np.float64]

SHARED: Final = Path(__file__).parents[2] / "shared" / "data"
DAILY: Final = SHARED / "sp500_daily_2013_2018.parquet"
SECTORS: Final = SHARED / "sectors.csv"
SEED: Final = 7
DAY: Final = date(2024, 3, 12)
CURVE: Final = (100, 500, 1_000, 3_000)
PICTURE: Final = Path(__file__).parents[1] / "docs" / "scaling.svg"
GIB: Final = 1024**3
ROUNDS: Final = 4
SESSIONS: Final = 504


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--curve", action="store_true")
    asked = parser.parse_args()
    for figure in curve() if asked.curve else measure(asked.full, asked.only):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(full: bool, only: str) -> Iterator[Figure]:
    sections = (engle_granger, daily, universe, garch, identify)
    for section in sections:
        if only in section.__name__:
            yield from section(full)


def engle_granger(full: bool) -> Iterator[Figure]:
    """One order of every pair of 500 simulated symbols."""
    prices = walks(500, 400)
    name = "Engle-Granger, one order, 500 symbols x 400 bars"
    yield from beside_statsmodels(name, prices, goal=2_000, sample=120 if full else 40, seconds=1.5)
    watch = timed(lambda: screen_cointegration(prices), best_of=3)
    yield Figure("Engle-Granger, both orders, the same on every core", watch, "s")


def daily(full: bool) -> Iterator[Figure]:
    """One order of every pair of the S&P symbols that have all 1,259 bars."""
    prices, note = daily_log_prices()
    whole = np.ascontiguousarray(prices[np.isfinite(prices).all(axis=1)])
    name = f"Engle-Granger, one order, {len(whole)} symbols x {whole.shape[1]:,} bars{note}"
    yield from beside_statsmodels(name, whole, goal=1_500, sample=60 if full else 20)
    if len(prices) > len(whole):
        seconds = timed(lambda: screen_cointegration(prices, both_orders=False))
        name = f"the same, all {len(prices)} symbols, those with shorter histories too{note}"
        yield Figure(f"{name}, {pairs_of(len(prices)):,} pairs", seconds, "s")


def universe(full: bool) -> Iterator[Figure]:
    """Both orders of every pair of 3,000 symbols, in a process of its own."""
    seconds, peak, tested = apart(screened, 3_000, 400)
    name = f"Engle-Granger, both orders, 3,000 symbols x 400 bars, {tested:,} pairs, every core"
    yield at_most(name, seconds, "s", 100)
    yield at_most(f"{name}: peak memory of the process", peak / GIB, "GiB", 3)


def garch(full: bool) -> Iterator[Figure]:
    """AR(1)-GARCH(1,1), simulated and real series."""
    for n_obs, goal, n_series in ((400, 80, 2_000), (2_000, 35, 400)):
        yield from beside_arch(reverting(n_series, n_obs), goal, 60 if full else 20)
    prices, note = daily_log_prices()
    yield shortfall(f"real spreads x 400{note}", spreads(prices, 200), 200 if full else 60)


def identify(full: bool) -> Iterator[Figure]:
    """The command as a person runs it, on a fresh home whose bars are there."""
    if not DAILY.exists():
        yield Figure("tandem identify on the S&P file: left out, ../shared/data is missing", 0.0, "s")
        return
    with tempfile.TemporaryDirectory(prefix="tandem-screening-") as home:
        environment = settings_of(Path(home))
        tandem(environment, "data", "load", str(DAILY), "--timeframe", "1Day")
        tandem(environment, "sectors", "import", str(SECTORS))
        words = ("identify", "--all-sectors", "--timeframe", "1Day", "--formation-days", str(SESSIONS), "--record")
        seconds = timed(lambda: tandem(environment, *words))
    name = f"tandem identify, S&P daily file, all sectors, {SESSIONS} sessions, end to end with MLflow"
    yield at_most(f"{name}, the first in its home", seconds, "s", 60)


def beside_statsmodels(
    name: str, prices: Matrix, *, goal: float, sample: int, seconds: float | None = None
) -> Iterator[Figure]:
    """How many times faster a pair is than statsmodels' `coint`, and what all pairs take."""
    from statsmodels.tsa.stattools import coint

    chosen = np.random.default_rng(SEED).integers(len(prices), size=(sample, 2))
    chosen = chosen[chosen[:, 0] != chosen[:, 1]]
    screen_cointegration(prices[:4], both_orders=False)
    every_core, one, theirs = in_turns(
        lambda: screen_cointegration(prices, both_orders=False),
        lambda: screen_cointegration(prices, both_orders=False, threads=1),
        lambda: [coint(prices[i], prices[j], trend="c", autolag="aic") for i, j in chosen],
    )
    pairs = pairs_of(len(prices))
    yield at_least(f"{name}, times statsmodels", theirs / len(chosen) / (every_core / pairs), "x", goal)
    yield Figure("the same on one thread", theirs / len(chosen) / (one / pairs), "x")
    took = f"{name}, {pairs:,} pairs"
    yield Figure(took, every_core, "s") if seconds is None else at_most(took, every_core, "s", seconds)


def beside_arch(series: Matrix, goal: float, sample: int) -> Iterator[Figure]:
    n_series, n_obs = series.shape
    fit_garch(series[:4])
    every_core, one, theirs = in_turns(
        lambda: fit_garch(series),
        lambda: fit_garch(series, threads=1),
        lambda: [of_arch(one) for one in series[:sample]],
    )
    name = f"GARCH(1,1), AR(1) mean, {n_obs:,} observations, times arch"
    yield at_least(name, theirs / sample / (every_core / n_series), "x", goal)
    yield Figure("the same on one thread", theirs / sample / (one / n_series), "x")
    yield Figure(f"the same, {n_series:,} series, per series", 1e3 * every_core / n_series, "ms")
    yield shortfall(f"simulated series x {n_obs:,}", series, 100)


def shortfall(what: str, series: Matrix, sample: int) -> Figure:
    """How far our log-likelihood is below arch's at most; negative where it is above everywhere."""
    some = series[:sample]
    table = fit_garch(some)
    with one_thread():
        theirs = np.array([of_arch(one) for one in some])[table.row]
    worst = float((theirs - table.loglikelihood).max())
    return at_most(f"log-likelihood below arch's at most, {len(theirs)} {what}", worst, "", 1e-4)


def of_arch(series: Matrix) -> float:
    """arch's log-likelihood of a series in unit variance."""
    import warnings

    from arch.univariate import ARX, GARCH

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ARX(series, lags=1, constant=True, rescale=False, volatility=GARCH(1, 0, 1))
        return float(model.fit(disp="off", show_warning=False).loglikelihood)


def walks(n_symbols: int, n_bars: int) -> Matrix:
    """Log prices that share a market and nothing else."""
    generator = np.random.default_rng([SEED, n_symbols, n_bars])
    market = generator.standard_normal(n_bars) * 0.006
    steps = generator.standard_normal((n_symbols, n_bars)) * 0.01 + market
    return np.ascontiguousarray(4 + np.cumsum(steps, axis=1))


def reverting(n_series: int, n_obs: int) -> Matrix:
    """AR(1) series with GARCH(1,1) noise, in unit variance."""
    generator = np.random.default_rng([SEED, n_series, n_obs])
    shocks = generator.standard_normal((n_series, n_obs + 200))
    series = np.zeros((n_series, n_obs + 200))
    variance = np.ones(n_series)
    noise = shocks[:, 0]
    for bar in range(1, n_obs + 200):
        variance = 0.05 + 0.08 * noise**2 + 0.87 * variance
        noise = np.sqrt(variance) * shocks[:, bar]
        series[:, bar] = 0.9 * series[:, bar - 1] + noise
    return unit(series[:, 200:])


def spreads(prices: Matrix, count: int) -> Matrix:
    """Residuals of random pairs over the last 400 bars, in unit variance."""
    recent = prices[:, -400:]
    recent = recent[np.isfinite(recent).all(axis=1)]
    chosen = np.random.default_rng(SEED).permutation(list(combinations(range(len(recent)), 2)))[:count]
    y, x = (recent[chosen[:, leg]] - recent[chosen[:, leg]].mean(axis=1, keepdims=True) for leg in (0, 1))
    hedge = (y * x).sum(axis=1) / (x * x).sum(axis=1)
    return unit(y - hedge[:, None] * x)


def unit(series: Matrix) -> Matrix:
    return np.ascontiguousarray(series / series.std(axis=1, keepdims=True))


@cache
def daily_log_prices() -> tuple[Matrix, str]:
    """Log closes of the S&P file; NaN where a symbol has no bar."""
    if not DAILY.exists():
        return walks(505, 1_259), " (simulated: ../shared/data is missing)"
    import pandas as pd

    bars = pd.read_parquet(DAILY, columns=["symbol", "date", "close"])
    wide = bars.pivot(index="symbol", columns="date", values="close")
    return np.ascontiguousarray(np.log(wide.to_numpy(np.float64))), ""


def apart(work: Callable[[int, int], tuple[float, int, int]], n_symbols: int, n_bars: int) -> tuple[float, int, int]:
    """What the work gives in a fresh process, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, n_symbols, n_bars).result()


def screened(n_symbols: int, n_bars: int) -> tuple[float, int, int]:
    """Seconds, peak of memory in bytes, and pairs tested, both orders, on every core."""
    prices = walks(n_symbols, n_bars)
    screen_cointegration(prices[:4])
    watch = Stopwatch()
    with one_thread():
        table = screen_cointegration(prices)
    return watch.seconds, peak_memory(), len(table)


def curve() -> Iterator[Figure]:
    """The tests alone and the whole screen, every pair x 400 bars, as the universe grows."""
    seconds: dict[str, list[float]] = {"the tests, both orders": [], "the whole screen": []}
    for n_symbols in CURVE:
        for what, work in zip(seconds, (screened, identified), strict=True):
            spent, peak, tested = apart(work, n_symbols, 400)
            seconds[what].append(spent)
            name = f"{n_symbols:,} symbols x 400 bars, {tested:,} pairs: {what}"
            yield Figure(name, spent, "s")
            yield Figure(f"{name}, a pair", 1e6 * spent / tested, "us")
            yield Figure(f"{name}, peak memory", peak / GIB, "GiB")
    for engine in ("local", "dask"):
        spent, _, tested = apart(partial(identified, engine=engine), 1_000, 400)
        name = f"1,000 symbols x 400 bars, {tested:,} pairs: the whole screen, engine {engine}, {cpu_count()} cores"
        yield Figure(name, spent, "s")
    draw(seconds)


def identified(n_symbols: int, n_bars: int, engine: str = "local") -> tuple[float, int, int]:
    """The same of every gate, with the start of the engine in it; memory is this process's, not its workers'."""
    with tempfile.TemporaryDirectory() as home:
        settings, session = universe_settings(n_bars, engine), Calendar().session(DAY)
        assert session is not None
        screen_all(simulated_panel(8, n_bars), session, settings, Path(home))
        panel = simulated_panel(n_symbols, n_bars)
        watch = Stopwatch()
        screen = screen_all(panel, session, settings, Path(home))
        return watch.seconds, peak_memory(), screen.funnel.tested


def screen_all(panel: Panel, session: Session, settings: Settings, home: Path) -> Screen:
    with engine_of(settings.screen.engine, settings.screen.threads, home) as engine:
        return screen_panel(panel, session, settings, dict.fromkeys(panel.symbols, "technology"), engine=engine)


def universe_settings(n_bars: int, engine: str) -> Settings:
    """Daily bars and one sector; everything else as it comes."""
    screen = {"engine": engine, "formation_days": n_bars}
    return Settings.model_validate({"model": {"timeframe": "1Day"}, "screen": screen})


def simulated_panel(n_symbols: int, n_bars: int) -> Panel:
    """Daily bars of the walks, which trade enough to be let through."""
    sessions = Calendar().before(DAY, n_bars)
    starts = [Timeframe.DAY_1.start_of(session.open).replace(tzinfo=None) for session in sessions]
    closes = np.exp(walks(n_symbols, n_bars))
    symbols = [f"S{number:04d}" for number in range(n_symbols)]
    return Panel.whole(
        symbols, Timeframe.DAY_1, np.array(starts, "datetime64[us]"), closes, closes, np.full(closes.shape, 1e6)
    )


def draw(seconds: dict[str, list[float]]) -> None:
    """Seconds over symbols, both in logs: pairs grow with the square of the symbols, and so do the lines."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Picture

    with mpl.rc_context({"svg.hashsalt": "tandem", "svg.fonttype": "none", "font.family": "sans-serif"}):
        picture = Picture(figsize=(7, 3.6), layout="constrained")
        axes = picture.add_subplot(xlabel="symbols", ylabel="seconds", xscale="log", yscale="log")
        for (what, values), colour in zip(seconds.items(), ("#0b6e99", "#c2571a"), strict=True):
            axes.plot(CURVE, values, marker="o", color=colour, label=what)
            for x, y in zip(CURVE, values, strict=True):
                axes.annotate(f"{y:.3g}", (x, y), xytext=(0, 7), textcoords="offset points", ha="center", color=colour)
        axes.set_xticks(CURVE, [f"{n_symbols:,}" for n_symbols in CURVE])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.margins(y=0.15)
        axes.legend(frameon=False)
        picture.savefig(PICTURE, metadata={"Date": None})


def peak_memory() -> int:
    """Bytes; the kernel counts in KiB, and in bytes on macOS."""
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def settings_of(home: Path) -> dict[str, str]:
    """The environment of the command: a home of its own and no other setting."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return {**others, "TANDEM_HOME": str(home), "TANDEM_MODEL__TIMEFRAME": "1Day"}


def tandem(environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "tandem", *words]
    home = environment["TANDEM_HOME"]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def pairs_of(n_symbols: int) -> int:
    return n_symbols * (n_symbols - 1) // 2


def in_turns(*works: Callable[[], object]) -> list[float]:
    """Seconds of each, the quickest of several rounds: whatever else runs here slows all of them."""
    with one_thread():
        rounds = [[timed(work) for work in works] for _ in range(ROUNDS)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def timed(work: Callable[[], object], best_of: int = 1) -> float:
    """Seconds of the quickest of several runs."""
    seconds = []
    for _ in range(best_of):
        watch = Stopwatch()
        work()
        seconds.append(watch.seconds)
    return min(seconds)


if __name__ == "__main__":
    main()
