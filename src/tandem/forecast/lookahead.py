"""Whether a pipeline sees the future: what it says of the past must not change when the future is cut off or changed.

    for leak in find_leaks(my_pipeline, log_a, log_b, formation=600):
        print(leak)

A pipeline is any function of two legs' log prices and the length of the formation window. It returns named arrays: what
it learned on the formation window, and, with one row a bar, what it says at every bar. Labels know the future
and belong to neither.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tandem.config import Settings
from tandem.forecast.features import Array, features, sequences
from tandem.forecast.gru import train_gru
from tandem.forecast.rivals import ScaledGru, fit_scaler
from tandem.forecast.training.practice import practised
from tandem.forecast.window import Samples, Spread
from tandem.market import DataError, Refusal
from tandem.statistics import correlations, screen_cointegration

Pipeline = Callable[[Array, Array, int], Mapping[str, Array]]

CUTS = 6
SEED = 1


@dataclass(frozen=True)
class Leak:
    """Something that a pipeline could only know from the future.

    Attributes:
        name: of the array that changed.
        cut: bars that were left, or were left as they are.
        bar: the first bar whose value changed; None for what is learned once.
        future: what was done to the bars after the cut.
    """

    name: str
    cut: int
    bar: int | None
    future: Literal["cut off", "changed"]

    def __str__(self) -> str:
        where = "what was learned" if self.bar is None else f"its value at bar {self.bar}"
        return f"{self.name}: {where} changes when the bars from {self.cut} on are {self.future}"


def find_leaks(
    pipeline: Pipeline, log_a: Array, log_b: Array, formation: int, cuts: Sequence[int] | None = None
) -> tuple[Leak, ...]:
    """Run a pipeline on all bars, on the bars before each cut, and with other bars after it, and compare bit for bit.

    Args:
        pipeline: log prices of both legs and the length of the formation window in, named arrays out. An array
            with as many rows as there are bars is compared up to the cut, any other one whole.
        log_a, log_b: log prices of both legs, shape [bars].
        formation: bars on which everything is estimated.
        cuts: bars to leave, each at least `formation` and below all bars; six of them, spread evenly, by default.

    Returns:
        The leaks found, the first bar of each; empty where there are none.

    Raises:
        ValueError: a cut that leaves less than the formation window or everything.
    """
    bars = len(log_a)
    chosen = np.linspace(formation, bars - 1, CUTS).astype(int).tolist() if cuts is None else list(cuts)
    if not chosen or not all(formation <= cut < bars for cut in chosen):
        raise ValueError(f"cuts of {chosen} bars, each has to leave {formation} to {bars - 1}")
    whole = pipeline(log_a, log_b, formation)
    found = (
        leak
        for cut in chosen
        for future, legs in _futures(log_a, log_b, cut)
        for leak in _changes(whole, pipeline(*legs, formation), cut, bars, future)
    )
    return tuple(found)


class ModelPipeline:
    """Tandem's own way from two legs to the GRU's probability; each step is a method.

    The same functions that train a pair's model, in the same order.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, log_a: Array, log_b: Array, formation: int) -> Mapping[str, Array]:
        """Everything that is learned and said, as `find_leaks` compares it.

        Raises:
            DataError: the spread does not revert over the formation window.
        """
        spread = self.spread(log_a, log_b, formation)
        rows = self.features(spread)
        samples = self.samples(spread, rows, formation)
        model = self.model(samples, spread)
        return {
            "screen": self.screen(log_a, log_b, formation),
            "spread": spread.values,
            "z_eq": spread.equilibrium.z(spread.values),
            "garch": np.column_stack([spread.path.residuals, spread.path.variances]),
            "features": rows,
            "scaler": np.stack([model.scaler.mean, model.scaler.deviation, model.scaler.low, model.scaler.high]),
            "probability": self.probability(model, rows, formation),
        }

    def screen(self, log_a: Array, log_b: Array, formation: int) -> Array:
        """The correlation of log prices and the cointegration test that let the pair in."""
        legs = np.stack([log_a, log_b])[:, :formation]
        table = screen_cointegration(legs, threads=1)
        correlation = correlations(legs, threads=1).prices
        return np.concatenate([correlation, table.statistic, table.pvalue])

    def spread(self, log_a: Array, log_b: Array, formation: int) -> Spread:
        """Hedge, equilibrium, half-life and GARCH."""
        spread = Spread.estimate(log_a, log_b, formation, self.settings)
        if isinstance(spread, Refusal):
            raise DataError(spread.why, "Choose a pair whose spread reverts.")
        return spread

    def features(self, spread: Spread) -> Array:
        """A row of features a bar."""
        return features(spread.values, spread.path, self.settings.model).values

    def samples(self, spread: Spread, rows: Array, formation: int) -> Samples:
        """The bars of the formation window whose labels are known within it."""
        recipe = self.settings.model
        labelled = spread.samples(recipe)
        inside = labelled.bars < formation - spread.horizon
        bars = labelled.bars[inside]
        seen = sequences(rows, recipe.sequence_length)[bars - recipe.sequence_length + 1]
        return Samples(labelled.names, bars, seen, labelled.z[inside], labelled.labels[inside])

    def model(self, samples: Samples, spread: Spread) -> ScaledGru:
        """The GRU and the scale of its inputs."""
        recipe, scaler = self.settings.model, fit_scaler(samples, spread, self.settings.model)
        taught = practised(samples, spread, recipe)
        lesson = train_gru((scaler.scale(taught.rows), taught.labels), None, recipe, recipe.epochs)
        return ScaledGru("gru", lesson.gru, scaler)

    def probability(self, model: ScaledGru, rows: Array, formation: int) -> Array:
        """Of reversion at every bar from the formation's last on, NaN before; each bar is asked by itself."""
        said = np.full(len(rows), np.nan)
        for bar in range(formation - 1, len(rows)):
            sequence = rows[bar - self.settings.model.sequence_length + 1 : bar + 1]
            said[bar] = model.gru.probability(model.scaler.scale(sequence)[None])[0]
        return said


Future = Literal["cut off", "changed"]


def _futures(log_a: Array, log_b: Array, cut: int) -> Iterator[tuple[Future, tuple[Array, Array]]]:
    yield "cut off", (log_a[:cut], log_b[:cut])
    steps = 0.02 * np.random.default_rng([SEED, cut]).standard_normal((2, len(log_a) - cut))
    ahead = np.stack([log_a, log_b])[:, cut - 1 : cut] + np.cumsum(steps, axis=1)
    other_a, other_b = np.concatenate([log_a[:cut], ahead[0]]), np.concatenate([log_b[:cut], ahead[1]])
    yield "changed", (other_a, other_b)


def _changes(
    whole: Mapping[str, Array], other: Mapping[str, Array], cut: int, bars: int, future: Future
) -> Iterator[Leak]:
    for name, value in whole.items():
        if value.shape[:1] != (bars,):
            if not _same(value, other[name]):
                yield Leak(name, cut, None, future)
        elif not _same(value[:cut], other[name][:cut]):
            rows = np.array([not _same(one, two) for one, two in zip(value[:cut], other[name][:cut], strict=True)])
            yield Leak(name, cut, int(np.argmax(rows)), future)


def _same(one: Array, other: Array) -> bool:
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return one.shape == other.shape and one.tobytes() == other.tobytes()
