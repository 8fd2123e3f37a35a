"""The GRU and its rivals against the best possible forecast, where the truth is known (STATISTICS 6).

    python benchmarks/skill.py [--seeds N] [--bars N] [--json]

Two worlds with a half-life of 12 bars and their true equilibrium. In `ou` the spread is an Ornstein-Uhlenbeck process:
the AR(1) forecast is optimal and no model can beat it. In `garch` its noise is GARCH(1,1) with alpha 0.15 and beta
0.84, so the volatility of the moment matters and a model that sees it could win. `bayes` knows the parameters and the
true state: the closed form of STATISTICS 6 in `ou`, 2,000 simulated futures per bar in `garch`. All forecasts are
trained on the same train block and scored on the same test block, the GRU with its default settings. Figures
are means over the seeds (30 unless told) with their standard errors; `replaced` is how often the evidence let the GRU
trade. With `--json` each line is a row of {name, value, unit, goal, met, standard_error, draws}.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from figures import Figure, line, mean, row
from tandem.config import GarchSettings, ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.judgement import judge
from tandem.forecast.labels import horizon_of
from tandem.forecast.skill import Skill
from tandem.forecast.window import Spread, Window
from tandem.statistics import Equilibrium, fit_spread, half_life, one_thread, reversion_probability

PHI = 0.5 ** (1 / 12)
WORLDS = {"ou": (0.0, 0.0), "garch": (0.15, 0.84)}
SCORES = ("f1_score", "mcc", "roc_auc", "brier", "log_loss")
RIVALS = ("ar1", "logistic", "always_one")
BURN_IN = 500
PATHS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--bars", type=int, default=1800)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for figure in measure(asked.seeds, asked.bars):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(seeds: int, bars: int) -> Iterator[Figure]:
    with one_thread():
        for world, (alpha, beta) in WORLDS.items():
            drawn = [scores(alpha, beta, bars, seed) for seed in range(seeds)]
            for name in drawn[0]:
                yield mean(f"{world}: {name}", [each[name] for each in drawn])


def scores(alpha: float, beta: float, bars: int, seed: int) -> dict[str, float]:
    """Test scores of every forecast on one simulated spread."""
    recipe = ModelSettings(seed=seed)
    truth = simulated(alpha, beta, bars + BURN_IN, seed)
    window = window_of(truth.spread[BURN_IN:], recipe)
    judged, test = judge(window, recipe), window.test
    best = bayes(truth, test.bars + BURN_IN, window.spread.horizon, seed)
    by_forecast = {
        "bayes": asdict(Skill.of(test.labels, best, best >= 0.5)),
        "gru": {score: judged.metrics[f"test_{score}"] for score in SCORES},
        **{rival: {score: judged.metrics[f"test_{score}_{rival}"] for score in SCORES} for rival in RIVALS},
    }
    named = {f"{score} {who}": figures[score] for score in SCORES for who, figures in by_forecast.items()}
    return {"base rate": judged.metrics["test_base_rate"], **named, "replaced": float(judged.choice(recipe)[0])}


@dataclass(frozen=True)
class Truth:
    """A simulated spread with the innovations and variances behind it."""

    alpha: float
    beta: float
    spread: Array
    innovations: Array
    variances: Array

    def next_variance(self, innovation: Array, variance: Array) -> Array:
        """Variance of the bar after one with this innovation and variance."""
        return 1 - self.alpha - self.beta + self.alpha * innovation**2 + self.beta * variance


def simulated(alpha: float, beta: float, bars: int, seed: int) -> Truth:
    noise = np.random.default_rng(seed).standard_normal(bars)
    truth = Truth(alpha, beta, np.zeros(bars), np.zeros(bars), np.ones(bars))
    for bar in range(1, bars):
        truth.variances[bar] = truth.next_variance(truth.innovations[bar - 1], truth.variances[bar - 1])
        truth.innovations[bar] = np.sqrt(truth.variances[bar]) * noise[bar]
        truth.spread[bar] = PHI * truth.spread[bar - 1] + truth.innovations[bar]
    return truth


def window_of(values: Array, recipe: ModelSettings) -> Window:
    seen = int(len(values) * (1 - recipe.validation_split - recipe.test_split)) - 50
    speed = half_life(values[:seen])
    path = fit_spread(values[:seen], GarchSettings()).filter(values)
    equilibrium = Equilibrium(0.0, float(values[:seen].std(ddof=1)))
    window = Window.of(Spread(values, equilibrium, speed.phi, horizon_of(speed.bars or 1.0), path), recipe)
    assert isinstance(window, Window), window
    return window


def bayes(truth: Truth, at: Array, horizon: int, seed: int) -> Array:
    """The best probability there is that the spread is closer to zero `horizon` bars after each bar."""
    if not truth.alpha:
        return reversion_probability(truth.spread[at] * np.sqrt(1 - PHI**2), PHI**horizon)
    generator = np.random.default_rng(seed + 1_000_000)
    spread, innovation, variance = (
        np.repeat(values[at][:, None], PATHS, axis=1) for values in (truth.spread, truth.innovations, truth.variances)
    )
    for _ in range(horizon):
        variance = truth.next_variance(innovation, variance)
        innovation = np.sqrt(variance) * generator.standard_normal(variance.shape)
        spread = PHI * spread + innovation
    return (np.abs(spread) < np.abs(truth.spread[at])[:, None]).mean(axis=1)


if __name__ == "__main__":
    main()
