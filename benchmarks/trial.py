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
from math import inf
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
UNCHANGED = 20
"""So many times the draws for champions that stay what they are: what is rare takes many."""


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
    unchanged = _often(simulate, same, trial.cusum_limit)
    for sessions in (60, 120, LIVE):
        for name in ("net_pnl", "log_loss", "stability", "any"):
            told = f"watch, nothing changes: demoted within {sessions} sessions, {name}"
            yield share(told, [each[name] <= sessions for each in unchanged])
    for limit in (6.0, 10.0):
        told = f"watch, nothing changes: demoted within 60 sessions, any, with a limit of {limit:g}"
        yield share(told, [each["any"] <= 60 for each in _often(simulate, same, limit)])
    for name, worth in (("its book loses a deviation a day", worse), ("its forecasts get noisy", blurred)):
        found = [each["any"] for each in simulate(alarms, worth, trial.cusum_limit, 0)]
        yield share(f"watch, {name}: demoted within {LIVE} sessions", [each <= LIVE for each in found])
        yield mean(f"watch, {name}: sessions until then", [each for each in found if each <= LIVE], "days")


def _often(simulate: Simulate, worth: Worth, limit: float) -> list[dict[str, float]]:
    return [row for part in range(UNCHANGED) for row in simulate(alarms, worth, limit, part)]


def run_length(expected: Expected, slack: float, limit: float, seed: int) -> float:
    generator, days = np.random.default_rng(seed), np.busday_offset("2000-01-03", np.arange(40_000)).tolist()
    found = cusum(expected, dict(zip(days, generator.standard_normal(40_000).tolist(), strict=True)), slack, limit)
    return float(days.index(found.crossed) + 1) if found.crossed else 40_000.0


def alarms(worth: Worth, limit: float, part: int, seed: int) -> dict[str, float]:
    """Sessions until each kind of alarm, infinite where there was none; of the index only the last session is asked."""
    seed += 100_000 * part
    trial = SETTINGS.trial.model_copy(update={"cusum_limit": limit})
    record = simulate_tracks(Market(sessions=RECORD), {"v1": Worth(2.0, 0.4)}, seed)["v1"]
    live = simulate_tracks(Market(sessions=LIVE), {"v1": worth}, 10_000_000 + seed)["v1"]
    found = standing(record, live, trial)
    after = {name: live.days.index(each.crossed) + 1.0 if each.crossed else inf for name, each in found.sums.items()}
    drifted = found.stability is not None and found.stability.worst > trial.max_stability_index
    after["stability"] = float(LIVE) if drifted else inf
    return after | {"any": min(after.values())}


if __name__ == "__main__":
    main()
