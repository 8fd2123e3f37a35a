"""Champion and challenger where the truth is known: who is promoted and demoted, how often by mistake, how late.

    python benchmarks/trial.py [--draws N] [--full] [--json]

Recipes are simulated on Ornstein-Uhlenbeck spreads: what one is worth is the true Sharpe ratio of its book (days of
Student's t with 4 degrees of freedom, 70% of the variance shared with the other books) and the noise that it adds to
the best log odds there are. `equal` has two of the same worth (Sharpe 2, noise 0.4) and a baseline that is worse, so
only the champion stands in the challenger's way; `better` has a challenger of Sharpe 3.5 and noise 0.2 against a
champion of Sharpe 1.5 and noise 0.5. A promotion takes evidence *and* every gate, with default settings but for 250
draws of the bootstrap instead of 1,000.

`watch` holds a champion to the record of 120 sessions on which it was promoted: unchanged for 250 sessions, and in
two ways worse. With `--full` there are four times as many draws. With `--json` each line is a row of
{name, value, unit, goal, met, standard_error, draws}.
"""

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from figures import Figure, line, mean, row, share
from tandem.config import Settings, TrialSettings
from tandem.forecast import BASELINE, decide
from tandem.forecast.trial.cusum import Expected, average_run_length, cusum
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks
from tandem.forecast.trial.watch import standing

SETTINGS = Settings(trial=TrialSettings(draws=250))
NOMINAL = SETTINGS.trial.pvalue
EQUAL = {"v1": Worth(2.0, 0.4), "v2": Worth(2.0, 0.4), BASELINE: Worth(0.0, 0.9)}
BETTER = {"v1": Worth(1.5, 0.5), "v2": Worth(3.5, 0.2), BASELINE: Worth(0.0, 0.9)}
RECORD, LIVE = 120, 250


def main() -> None:
    parser = argparse.ArgumentParser(description="Champion and challenger where the truth is known.")
    parser.add_argument("--draws", type=int, default=100, help="simulated trials of each kind")
    parser.add_argument("--full", action="store_true", help="four times as many")
    parser.add_argument("--json", action="store_true", help="one row per line")
    given = parser.parse_args()
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        simulate = partial(over, processes, given.draws * (4 if given.full else 1))
        for figure in figures(simulate):
            print(row(figure) if given.json else line(figure), flush=True)


Simulate = Callable[..., list[Any]]


def over(processes: ProcessPoolExecutor, draws: int, work: Callable[..., Any], *arguments: object) -> list[Any]:
    return list(processes.map(partial(work, *arguments), range(draws), chunksize=4))


def figures(simulate: Simulate) -> Iterator[Figure]:
    yield from promotions(simulate)
    yield from watches(simulate)


def promotions(simulate: Simulate) -> Iterator[Figure]:
    for sessions in (60, 120, 250):
        promoted = share(f"equal, {sessions} sessions: promoted", simulate(is_promoted, EQUAL, sessions))
        yield judged(promoted, 100 * NOMINAL)
        yield share(f"better, {sessions} sessions: promoted", simulate(is_promoted, BETTER, sessions))


def judged(figure: Figure, goal: float) -> Figure:
    """Met where the rate is at most the goal, or not above it by more than two standard errors."""
    allowed = goal + 2 * np.sqrt(goal * (100 - goal) / (figure.draws or 1))
    return replace(figure, goal=goal, met=bool(figure.value <= allowed))


def is_promoted(recipes: dict[str, Worth], sessions: int, seed: int) -> bool:
    tracks = simulate_tracks(Market(sessions=sessions), recipes, seed)
    return decide("simulated", tracks["v1"], tracks["v2"], tracks[BASELINE], SETTINGS).action == "promote"


def watches(simulate: Simulate) -> Iterator[Figure]:
    trial = SETTINGS.trial
    known = Expected(0.0, 1.0, 10**9)
    for limit in (5.0, trial.cusum_limit):
        stated = average_run_length(0.0, trial.cusum_slack, limit)
        yield Figure(f"cusum to {limit:g}, normal days: sessions between false alarms, stated", stated, "days")
    yield mean(
        "cusum to 5, normal days: the same, simulated", simulate(run_length, known, trial.cusum_slack, 5.0), "days"
    )
    same, worse, blurred = Worth(2.0, 0.4), Worth(-14.0, 0.4), Worth(2.0, 1.5)
    unchanged = simulate(alarms, same)
    for name in ("net_pnl", "log_loss", "stability", "any"):
        told = f"watch, nothing changes: demoted within {LIVE} sessions, {name}"
        yield share(told, [each[name] for each in unchanged])
    for name, worth in (("its book loses a deviation a day", worse), ("its forecasts get noisy", blurred)):
        found = [each["delay"] for each in simulate(alarms, worth)]
        yield share(f"watch, {name}: demoted within {LIVE} sessions", [each is not None for each in found])
        yield mean(f"watch, {name}: sessions until then", [each for each in found if each is not None], "days")


def run_length(expected: Expected, slack: float, limit: float, seed: int) -> float:
    generator, days = np.random.default_rng(seed), np.busday_offset("2000-01-03", np.arange(40_000)).tolist()
    found = cusum(expected, dict(zip(days, generator.standard_normal(40_000).tolist(), strict=True)), slack, limit)
    return float(days.index(found.crossed) + 1) if found.crossed else 40_000.0


def alarms(worth: Worth, seed: int) -> dict[str, Any]:
    """Which alarms there were, and how many sessions the first one took."""
    record = simulate_tracks(Market(sessions=RECORD), {"v1": Worth(2.0, 0.4)}, seed)["v1"]
    live = simulate_tracks(Market(sessions=LIVE), {"v1": worth}, 1_000_000 + seed)["v1"]
    found = standing(record, live, SETTINGS.trial)
    crossed = {name: each.crossed for name, each in found.sums.items()}
    drifted = found.stability is not None and found.stability.worst > SETTINGS.trial.max_stability_index
    days = [live.days.index(day) + 1 for day in crossed.values() if day]
    kinds = {name: bool(day) for name, day in crossed.items()} | {"stability": drifted}
    return kinds | {"any": any(kinds.values()), "delay": min(days, default=LIVE if drifted else None)}


if __name__ == "__main__":
    main()
