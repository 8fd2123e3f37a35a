"""The GRU and its rivals against the best possible forecast, where the truth is known (STATISTICS 6).

    python benchmarks/skill.py [--full] [--seeds N] [--processes N] [--json]

Three worlds. In `ou` the spread is an Ornstein-Uhlenbeck process: the AR(1) forecast is optimal and no model can beat
it. In `garch` its noise is GARCH(1,1) with alpha 0.15 and beta 0.84, so the volatility of the moment matters and a
model that sees it could win. In `walk` it is a random walk that a train block takes for a spread: there is nothing to
know. In the first two the equilibrium is known; `bayes` knows the parameters and the true state as well: the closed
form of STATISTICS 6 in `ou`, 1,000 simulated futures per bar in `garch`, each with its last step exact.

All forecasts are trained on the same train block and scored on the same test block, with the default settings, the
label `reverts` and seeds that no choice was made on. Figures are means over the seeds with their standard errors, by
half-life and over all of them. Without `--full` it is a sample of a few seeds and half-lives, good to a few hundredths;
the goals are meant for `--full`: 30 seeds, seven half-lives, well over an hour of processor time. `claims` is the GRU's
MCC less the best baseline's: the goal is that the lower end of its 95% interval is not above 0. With `--json` each line
is a row of {name, value, unit, goal, met, standard_error, draws}.
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np

from figures import Figure, at_least, at_most, line, mean, row, share
from tandem.config import GarchSettings, ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.labels import horizon_of
from tandem.forecast.skill import Skill
from tandem.forecast.training.judgement import judge
from tandem.forecast.window import Spread, Window
from tandem.market import Refusal
from tandem.statistics import (
    Equilibrium,
    fit_equilibrium,
    fit_spread,
    half_life,
    one_thread,
    reversion_probability,
)

WORLDS = {"ou": (0.0, 0.0), "garch": (0.15, 0.84)}
FORECASTS = ("bayes", "gru", "ar1", "logistic", "always_one")
BASELINES = FORECASTS[2:]
SCORES = ("mcc", "log_loss", "f1_score", "roc_auc", "brier")
SAMPLE = {2_000: (3, 8, 20), 20_000: (3, 12, 60)}
FULL = {2_000: (3, 5, 8, 12, 20), 20_000: (3, 5, 8, 12, 20, 30, 60)}
SEEDS = {2_000: 3, 20_000: 1}
WALK_BARS, WALK_SEEDS = 2_000, 8
BURN_IN = 500
PATHS = 1_000

Scored = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for figure in measure(FULL if asked.full else SAMPLE, asked.seeds or (30 if asked.full else None), asked.processes):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(half_lives: dict[int, tuple[int, ...]], seeds: int | None, processes: int) -> Iterator[Figure]:
    with ProcessPoolExecutor(processes) as pool:
        for bars, lives in half_lives.items():
            for world in WORLDS:
                drawn = range(seeds or SEEDS[bars])
                found = {life: list(pool.map(partial(scored, world, bars, life), drawn)) for life in lives}
                for life, draws in found.items():
                    yield from _of_half_life(f"{world}, {bars:,} bars, half-life {life}", draws)
                yield from _over_all(f"{world}, {bars:,} bars, all half-lives", bars, list(chain(*found.values())))
        yield from _of_walks([each for each in pool.map(walked, range(seeds or WALK_SEEDS)) if each])


def _of_half_life(name: str, draws: Sequence[Scored]) -> Iterator[Figure]:
    yield mean(f"{name}: base rate", [draw["bayes"]["base_rate"] for draw in draws])
    for score in SCORES:
        for forecast in FORECASTS:
            yield mean(f"{name}: {score} {forecast}", [draw[forecast][score] for draw in draws])
    yield ratio(f"{name}: mcc, gru over bayes", draws, "mcc")
    yield ratio(f"{name}: log_loss, gru over bayes", draws, "log_loss")


def _over_all(name: str, bars: int, draws: Sequence[Scored]) -> Iterator[Figure]:
    for forecast in BASELINES[:2]:
        yield ratio(f"{name}: mcc, {forecast} over bayes", draws, "mcc", forecast)
        yield ratio(f"{name}: log_loss, {forecast} over bayes", draws, "log_loss", forecast)
    found = ratio(f"{name}: mcc, gru over bayes", draws, "mcc")
    yield _with_goal(found, at_least(found.name, found.value, "", 0.95 if bars >= 20_000 else 0.80))
    found = ratio(f"{name}: log_loss, gru over bayes", draws, "log_loss")
    yield _with_goal(found, at_most(found.name, found.value, "", 1.02)) if bars >= 20_000 else found
    yield share(f"{name}: let trade", [draw["gru"]["trades"] > 0 for draw in draws])


def _of_walks(draws: Sequence[Scored]) -> Iterator[Figure]:
    for forecast in FORECASTS[1:]:
        yield mean(f"walk, {WALK_BARS:,} bars: mcc {forecast}", [draw[forecast]["mcc"] for draw in draws])
        yield mean(f"walk, {WALK_BARS:,} bars: log_loss {forecast}", [draw[forecast]["log_loss"] for draw in draws])
    best = [max(draw[rival]["mcc"] for rival in BASELINES) for draw in draws]
    claimed = mean(
        f"walk, {WALK_BARS:,} bars: claims", [draw["gru"]["mcc"] - high for draw, high in zip(draws, best, strict=True)]
    )
    low = claimed.value - 1.96 * (claimed.standard_error or 0.0)
    yield claimed
    yield at_most(f"walk, {WALK_BARS:,} bars: claims, lower end of the 95% interval", low, "", 0.0)
    yield share(f"walk, {WALK_BARS:,} bars: let trade", [draw["gru"]["trades"] > 0 for draw in draws])


def ratio(name: str, draws: Sequence[Scored], score: str, forecast: str = "gru") -> Figure:
    """Mean score over the best possible one's mean, with the standard error of a ratio of paired means."""
    own, best = (np.array([draw[who][score] for draw in draws]) for who in (forecast, "bayes"))
    value = float(own.mean() / best.mean())
    left = own - value * best
    error = float(left.std(ddof=1) / np.sqrt(len(draws)) / best.mean()) if len(draws) > 1 else 0.0
    return Figure(name, value, "", standard_error=error, draws=len(draws))


def _with_goal(found: Figure, judged: Figure) -> Figure:
    return replace(found, goal=judged.goal, met=judged.met)


def scored(world: str, bars: int, half_life_bars: int, seed: int) -> Scored:
    """Test scores of every forecast on one simulated spread."""
    with one_thread():
        recipe = ModelSettings(seed=seed)
        alpha, beta = WORLDS[world]
        truth = simulated(0.5 ** (1 / half_life_bars), alpha, beta, bars + BURN_IN, seed)
        window = window_of(truth.spread[BURN_IN:], recipe, known=True)
        assert isinstance(window, Window), window
        best = bayes(truth, window.test.bars + BURN_IN, window.spread.horizon, seed)
        return {"bayes": _scores(Skill.of(window.test.labels, best, best >= 0.5), window), **_judged(window, recipe)}


def walked(seed: int) -> Scored | None:
    """Test scores on a random walk; None where the train block is not taken for a spread."""
    with one_thread():
        recipe = ModelSettings(seed=seed)
        walk = np.cumsum(np.random.default_rng([seed, 1]).standard_normal(WALK_BARS))
        window = window_of(walk, recipe, known=False)
        return _judged(window, recipe) if isinstance(window, Window) else None


def _judged(window: Window, recipe: ModelSettings) -> Scored:
    judged = judge(window, recipe)
    own = {score: judged.metrics[f"test_{score}"] for score in SCORES} | {"trades": float(judged.choice(recipe)[0])}
    rivals = {rival: {score: judged.metrics[f"test_{score}_{rival}"] for score in SCORES} for rival in BASELINES}
    return {"gru": own, **rivals}


def _scores(skill: Skill, window: Window) -> dict[str, float]:
    return {score: getattr(skill, score) for score in SCORES} | {"base_rate": float(window.test.labels.mean())}


@dataclass(frozen=True)
class Truth:
    """A simulated spread with the innovations and variances behind it."""

    phi: float
    alpha: float
    beta: float
    spread: Array
    innovations: Array
    variances: Array

    def next_variance(self, innovation: Array, variance: Array) -> Array:
        """Variance of the bar after one with this innovation and variance."""
        return 1 - self.alpha - self.beta + self.alpha * innovation**2 + self.beta * variance


def simulated(phi: float, alpha: float, beta: float, bars: int, seed: int) -> Truth:
    noise = np.random.default_rng(seed).standard_normal(bars)
    truth = Truth(phi, alpha, beta, np.zeros(bars), np.zeros(bars), np.ones(bars))
    for bar in range(1, bars):
        truth.variances[bar] = truth.next_variance(truth.innovations[bar - 1], truth.variances[bar - 1])
        truth.innovations[bar] = np.sqrt(truth.variances[bar]) * noise[bar]
        truth.spread[bar] = phi * truth.spread[bar - 1] + truth.innovations[bar]
    return truth


def window_of(values: Array, recipe: ModelSettings, *, known: bool) -> Window | Refusal:
    """The spread cut into blocks, everything estimated on the first; its equilibrium is 0 where it is known."""
    seen = values[: int(len(values) * (1 - recipe.validation_split - recipe.test_split)) - 50]
    speed, garch = half_life(seen), fit_spread(seen, GarchSettings())
    if speed.bars is None:
        return Refusal("model", "a walk that is not taken for a spread", "benchmark")
    equilibrium = Equilibrium(0.0, float(seen.std(ddof=1))) if known else fit_equilibrium(seen)
    spread = Spread(values, equilibrium, speed.phi, horizon_of(speed.bars), garch, garch.filter(values))
    return Window.of(spread, recipe)


def bayes(truth: Truth, at: Array, horizon: int, seed: int) -> Array:
    """The best probability there is that the spread is closer to zero `horizon` bars after each bar."""
    if not truth.alpha:
        return reversion_probability(truth.spread[at] * np.sqrt(1 - truth.phi**2), truth.phi**horizon)
    generator = np.random.default_rng(seed + 1_000_000)
    parts = np.array_split(np.asarray(at), max(1, len(at) // 500))
    return np.concatenate([_simulated_probability(truth, part, horizon, generator) for part in parts])


def _simulated_probability(truth: Truth, at: Array, horizon: int, generator: np.random.Generator) -> Array:
    from scipy.special import ndtr

    distance = np.abs(truth.spread[at])[:, None]
    spread, innovation, variance = (
        np.repeat(values[at][:, None], PATHS, axis=1) for values in (truth.spread, truth.innovations, truth.variances)
    )
    for _ in range(horizon - 1):
        variance = truth.next_variance(innovation, variance)
        innovation = np.sqrt(variance) * generator.standard_normal(variance.shape)
        spread = truth.phi * spread + innovation
    deviation = np.sqrt(truth.next_variance(innovation, variance))
    high, low = (distance - truth.phi * spread) / deviation, (-distance - truth.phi * spread) / deviation
    return np.asarray((ndtr(high) - ndtr(low)).mean(axis=1), dtype=np.float64)


if __name__ == "__main__":
    main()
