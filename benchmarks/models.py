"""Every model on real bars, for both labels, beside the base rate and every baseline.

    python benchmarks/models.py [--pairs N] [--processes N] [--json]

Pairs are chosen on the first 60% of the bars and by nothing later: of the daily S&P file of ../shared/data the best by
the screen's score (the gates and the score of `tandem identify`, all sectors, each symbol once); of the shipped
five-minute bars of four technology stocks in January 2023 the three with the lowest cointegration p-values, since
hardly one of six pairs passes every gate. Where the S&P file is missing the shipped daily bars stand in and the table
says so.

Every model is trained on the train block, stopped on the validation block, and scored once on the test block, the last
20% of the bars, which no choice was made on. Figures are means over the pairs. Prints the Markdown table of the README;
with `--json` each line is a row of {name, value, unit, goal, met}.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from figures import mean, row
from tandem.config import Settings
from tandem.forecast.rivals import fit_pooled
from tandem.forecast.training.judgement import judge
from tandem.forecast.window import Window
from tandem.market import Calendar, Pair, Timeframe, resample
from tandem.screening import identify
from tandem.sources import samples
from tandem.statistics import one_thread
from tandem.store import Panel

if TYPE_CHECKING:
    import pandas as pd

SHARED: Final = Path(__file__).parents[2] / "shared" / "data"
DAILY: Final = SHARED / "sp500_daily_2013_2018.parquet"
FORMATION: Final = 0.6
LABELS: Final = ("reverts", "toward")
MODELS: Final = ("gru", "pooled_gru", "garch_gru", "boosting", "logistic", "ar1", "always_one")
SCORES: Final = ("f1_score", "mcc", "roc_auc", "brier", "log_loss")
HEAD: Final = """| bars | label | base rate | model | F1 | MCC | ROC AUC | Brier | log loss |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
FOR_COMPARISON: Final = (
    "| the mission's bar, on a test set of its own | not stated | not stated | GRU | 0.7445 | | | | |",
    f"| any with that base rate | any | 0.593 | `always_one` | {2 * 0.593 / 1.593:.4f} | 0.000 | 0.500 | | |",
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """Pairs of one set of bars with their aligned log prices, shape [2, bars] each."""

    bars: str
    pairs: tuple[Pair, ...]
    legs: tuple[Matrix, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    chosen = [daily(asked.pairs), minutes(min(asked.pairs, 3))]
    tasks = [(each, label) for each in chosen for label in LABELS]
    if not asked.json:
        print(HEAD)
    with ProcessPoolExecutor(asked.processes) as pool:
        for (each, label), metrics in zip(tasks, pool.map(scored, *zip(*tasks, strict=True)), strict=True):
            print("\n".join((rows if asked.json else table)(each, label, metrics)), flush=True)
    if not asked.json:
        print(
            "\n".join([*FOR_COMPARISON, "", *(f"{each.bars}: {', '.join(map(str, each.pairs))}." for each in chosen)])
        )


def scored(chosen: Chosen, label: str) -> list[dict[str, float]]:
    """The test figures of every model on each pair that can be cut into blocks."""
    settings = Settings.model_validate({"model": {"label": label, "rivals": list(MODELS[1:])}})
    recipe = settings.model
    with one_thread():
        cut = [Window.cut(*legs, settings) for legs in chosen.legs]
        windows = [window for window in cut if isinstance(window, Window)]
        pooled = fit_pooled(windows, recipe) if windows else ()
        return [judge(window, recipe, [own]).metrics for window, own in zip(windows, pooled, strict=True)]


def table(chosen: Chosen, label: str, metrics: Sequence[dict[str, float]]) -> Iterator[str]:
    if not metrics:
        yield f"| {chosen.bars} | `{label}` | | no pair could be cut into blocks | | | | | |"
        return
    base_rate = np.mean([each["test_base_rate"] for each in metrics])
    for model in MODELS:
        scores = " | ".join(f"{np.mean([each[_key(score, model)] for each in metrics]):.3f}" for score in SCORES)
        yield f"| {chosen.bars}, {len(metrics)} pairs | `{label}` | {base_rate:.3f} | `{model}` | {scores} |"


def rows(chosen: Chosen, label: str, metrics: Sequence[dict[str, float]]) -> Iterator[str]:
    for name in ("base_rate", *(_key(score, model) for model in MODELS for score in SCORES)) if metrics else ():
        key = name if name.startswith("test_") else f"test_{name}"
        yield row(mean(f"{chosen.bars}, {label}: {key}", [each[key] for each in metrics]))


def _key(score: str, model: str) -> str:
    return f"test_{score}" if model == "gru" else f"test_{score}_{model}"


def daily(count: int) -> Chosen:
    """The best pairs of the S&P names by the screen's score on the formation bars, each symbol once."""
    import pandas as pd

    if DAILY.exists():
        bars = pd.read_parquet(DAILY).rename(columns={"date": "start"})
        bars["start"] = pd.to_datetime(bars["start"]).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
        with (SHARED / "sectors.csv").open() as lines:
            sectors = {each["symbol"]: each["sector"] for each in csv.DictReader(lines) if each["sector"]}
        name = "daily, S&P 500, 2013 to 2018"
    else:
        bars, known = samples.daily_bars(), samples.sectors()
        sectors = dict(zip(known["symbol"], known["sector"], strict=True))
        name = "daily, S&P 500, 2009 to 2010 (shipped; ../shared/data is missing)"
    dates = np.sort(bars["start"].unique())
    formation = bars[bars["start"] < dates[int(len(dates) * FORMATION)]]
    panel = Panel.of(formation, Timeframe.DAY_1)
    asked = {"model": {"timeframe": "1Day"}, "sectors": {"active": sorted(set(sectors.values()))}}
    session = Calendar().after(panel.starts[-1].item().date())
    screen = identify(panel, session, Settings.model_validate(asked), sectors)
    closes = bars.pivot(index="start", columns="symbol", values="close")
    return _chosen(name, [passport.pair for passport in screen.passports], closes, count)


def minutes(count: int) -> Chosen:
    """The pairs of the four shipped technology stocks with the lowest p-values on the formation bars."""
    from itertools import combinations

    from tandem.statistics import screen_cointegration

    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    closes = bars.pivot(index="start", columns="symbol", values="close").dropna()
    log = np.log(closes.to_numpy().T)
    found = screen_cointegration(log[:, : int(log.shape[1] * FORMATION)], threads=1)
    names = list(combinations(closes.columns, 2))
    order = [Pair(*names[each]) for each in found.row[np.argsort(found.pvalue)].tolist()]
    return _chosen("five minutes, technology, January 2023", order, closes, count, once=False)


def _chosen(name: str, order: Sequence[Pair], closes: "pd.DataFrame", count: int, *, once: bool = True) -> Chosen:
    pairs: list[Pair] = []
    for pair in order:
        used = {symbol for each in pairs for symbol in each.symbols}
        whole = bool(closes[list(pair.symbols)].notna().all().all())
        if len(pairs) < count and whole and not (once and used & set(pair.symbols)):
            pairs.append(pair)
    legs = [np.log(closes[list(pair.symbols)].to_numpy().T) for pair in pairs]
    return Chosen(name, tuple(pairs), tuple(legs))


if __name__ == "__main__":
    main()
