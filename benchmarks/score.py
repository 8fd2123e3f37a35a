"""How often the composite score passes 0.7 where the truth is known (STATISTICS 5).

    python benchmarks/score.py [--full] [--json]

Three worlds: an Ornstein-Uhlenbeck spread with constant variance, one with GARCH(1,1) noise, and a walk
regressed on another walk. Each pair has 546 bars (seven sessions of five minutes) and a half-life of 12
bars; the score is computed before any gate. Beside the pass rate stand the mean of each component, and
for walks the rate among those that also pass the cointegration gate. `--full` draws 500 pairs per world
instead of 60. With `--json` each line is a row of {name, value, unit, goal, met, standard_error, draws}.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from figures import Figure, line, mean, row, share
from tandem.config import Settings
from tandem.screening.score import Score, fit_models, score_pair
from tandem.statistics import Series, engle_granger, fit_hedge, one_thread

BARS = 546
PHI = 0.5 ** (1 / 12)
NOISE = 0.001
ALPHA, BETA = 0.08, 0.88
SEED = 7
COMPONENTS = ("fit", "volatility", "trading", "diagnostics")

Draw = Callable[[np.random.Generator], tuple[Series, Series]]


@dataclass(frozen=True)
class Drawn:
    """A scored pair and whether it passes the cointegration gate."""

    score: Score
    cointegrated: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for figure in measure(500 if asked.full else 60):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(draws: int) -> Iterator[Figure]:
    settings = Settings()
    for world, draw in WORLDS.items():
        with one_thread():
            drawn = [scored(draw(np.random.default_rng([SEED, n])), settings) for n in range(draws)]
        yield from described(world, drawn, settings.screen.min_score)


def described(world: str, drawn: Sequence[Drawn], least: float) -> Iterator[Figure]:
    yield share(f"{world}: score above {least:g}", [one.score.total > least for one in drawn])
    kept = [one for one in drawn if one.cointegrated]
    yield share(f"{world}: cointegration p < 0.05", [one.cointegrated for one in drawn])
    if kept:
        yield share(f"{world}: score above {least:g} where cointegrated", [one.score.total > least for one in kept])
    yield mean(f"{world}: score", [one.score.total for one in drawn], "probability")
    for component in COMPONENTS:
        yield mean(f"{world}: {component}", [getattr(one.score, component) for one in drawn], "probability")
    yield mean(f"{world}: round trips", [one.score.trading_round_trips for one in drawn], "trips")


def scored(legs: tuple[Series, Series], settings: Settings) -> Drawn:
    log_a, log_b = legs
    models = fit_models(fit_hedge(log_a, log_b).spread(log_a, log_b), settings.garch)
    score = score_pair(log_a, log_b, models, settings)
    return Drawn(score, engle_granger(log_a, log_b).pvalue < settings.screen.max_pvalue)


def constant_variance(generator: np.random.Generator) -> tuple[Series, Series]:
    return beside_a_walk(reverting(generator.standard_normal(BARS) * NOISE), generator)


def garch_variance(generator: np.random.Generator) -> tuple[Series, Series]:
    return beside_a_walk(reverting(garch_noise(generator)), generator)


def two_walks(generator: np.random.Generator) -> tuple[Series, Series]:
    steps = generator.standard_normal((2, BARS)) * 2 * NOISE
    return np.cumsum(steps[0]), np.cumsum(steps[1])


WORLDS: dict[str, Draw] = {
    "Ornstein-Uhlenbeck, constant variance": constant_variance,
    "Ornstein-Uhlenbeck, GARCH variance": garch_variance,
    "a walk on another walk": two_walks,
}


def reverting(noise: Series) -> Series:
    spread = np.empty(noise.size)
    spread[0] = noise[0] / np.sqrt(1 - PHI**2)
    for bar in range(1, noise.size):
        spread[bar] = PHI * spread[bar - 1] + noise[bar]
    return spread


def garch_noise(generator: np.random.Generator) -> Series:
    shocks, noise = generator.standard_normal(BARS), np.empty(BARS)
    variance = NOISE**2
    for bar, shock in enumerate(shocks):
        noise[bar] = np.sqrt(variance) * shock
        variance = NOISE**2 * (1 - ALPHA - BETA) + ALPHA * noise[bar] ** 2 + BETA * variance
    return noise


def beside_a_walk(spread: Series, generator: np.random.Generator) -> tuple[Series, Series]:
    walk = np.cumsum(generator.standard_normal(BARS) * 2 * NOISE)
    return spread + walk, walk


if __name__ == "__main__":
    main()
