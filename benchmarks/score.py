"""How often the composite score passes 0.7 where the truth is known (STATISTICS 5).

    python benchmarks/score.py [--full] [--json]

Three worlds: an Ornstein-Uhlenbeck spread with constant variance, one with GARCH(1,1) noise, and a walk regressed on
another walk. Each pair has 546 bars (seven sessions of five minutes) and a half-life of 12 bars; the score is computed
before any gate. Beside the pass rate stand the mean of each component, and the rate among the pairs that also pass the
cointegration gate. `--full` draws 10,000 pairs per world instead of 2,000. With `--json` each line is a row of {name,
value, unit, goal, met, standard_error, draws}.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from figures import Figure, line, mean, row, share
from tandem.config import Settings
from tandem.market import Timeframe
from tandem.screening.examination.score import Scores, score_legs
from tandem.screening.examination.spreads import Legs
from tandem.screening.market import Market
from tandem.statistics import one_thread, screen_cointegration
from tandem.store import Panel

BARS = 546
PHI = 0.5 ** (1 / 12)
NOISE = 0.001
ALPHA, BETA = 0.08, 0.88
SEED = 7
DRAWS, DRAWS_IN_FULL, AT_ONCE = 2_000, 10_000, 500
COMPONENTS = ("fit", "volatility", "trading", "diagnostics")

Rows = NDArray[np.float64]
Flags = NDArray[np.bool_]
Draw = Callable[[np.random.Generator], tuple[Rows, Rows]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for figure in measure(DRAWS_IN_FULL if asked.full else DRAWS):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(draws: int) -> Iterator[Figure]:
    settings = Settings()
    market = Market.of(nothing(), settings)
    for world, draw in WORLDS.items():
        with one_thread():
            parts = [scored(draw(np.random.default_rng([SEED, part])), market) for part in range(draws // AT_ONCE)]
        columns = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
        yield from described(world, columns, settings.screen.min_score)


def described(world: str, columns: dict[str, Rows], least: float) -> Iterator[Figure]:
    passed, cointegrated = columns["total"] > least, columns["cointegrated"].astype(bool)
    yield share(f"{world}: score above {least:g}", passed)
    yield share(f"{world}: cointegration p < 0.05", cointegrated)
    if cointegrated.any():
        yield share(f"{world}: score above {least:g} where cointegrated", passed[cointegrated])
    yield mean(f"{world}: score", columns["total"], "probability")
    for component in COMPONENTS:
        yield mean(f"{world}: {component}", columns[component], "probability")
    yield mean(f"{world}: round trips", columns["round_trips"], "trips")


def scored(logs: tuple[Rows, Rows], market: Market) -> dict[str, Rows]:
    """The parts of the score of each pair, and whether it passes the cointegration gate."""
    log_a, log_b = logs
    count = len(log_a)
    scores: Scores = score_legs(Legs(log_a, log_b, np.full(count, BARS)), market)
    tests = screen_cointegration(np.vstack(logs), np.arange(2 * count).reshape(2, count).T)
    assert len(tests) == count
    parts = {name: getattr(scores, name) for name in ("total", "round_trips", *COMPONENTS)}
    return {**parts, "cointegrated": tests.pvalue < market.screen.max_pvalue}


def nothing() -> Panel:
    """A panel without symbols: the pairs here are drawn, not read."""
    none = np.empty((0, 0))
    return Panel((), Timeframe.MIN_5, np.empty(0, "datetime64[us]"), none, none, none, "none")


def constant_variance(generator: np.random.Generator) -> tuple[Rows, Rows]:
    return beside_a_walk(reverting(generator.standard_normal((AT_ONCE, BARS)) * NOISE), generator)


def garch_variance(generator: np.random.Generator) -> tuple[Rows, Rows]:
    return beside_a_walk(reverting(garch_noise(generator)), generator)


def two_walks(generator: np.random.Generator) -> tuple[Rows, Rows]:
    steps = generator.standard_normal((2, AT_ONCE, BARS)) * 2 * NOISE
    return np.cumsum(steps[0], axis=1), np.cumsum(steps[1], axis=1)


WORLDS: dict[str, Draw] = {
    "Ornstein-Uhlenbeck, constant variance": constant_variance,
    "Ornstein-Uhlenbeck, GARCH variance": garch_variance,
    "a walk on another walk": two_walks,
}


def reverting(noise: Rows) -> Rows:
    spread = np.empty_like(noise)
    spread[:, 0] = noise[:, 0] / np.sqrt(1 - PHI**2)
    for bar in range(1, BARS):
        spread[:, bar] = PHI * spread[:, bar - 1] + noise[:, bar]
    return spread


def garch_noise(generator: np.random.Generator) -> Rows:
    noise = generator.standard_normal((AT_ONCE, BARS))
    variance = np.full(AT_ONCE, NOISE**2)
    for bar in range(BARS):
        noise[:, bar] *= np.sqrt(variance)
        variance = NOISE**2 * (1 - ALPHA - BETA) + ALPHA * noise[:, bar] ** 2 + BETA * variance
    return noise


def beside_a_walk(spread: Rows, generator: np.random.Generator) -> tuple[Rows, Rows]:
    walk = np.cumsum(generator.standard_normal(spread.shape) * 2 * NOISE, axis=1)
    return spread + walk, walk


if __name__ == "__main__":
    main()
