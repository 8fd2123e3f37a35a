"""How long a decision takes, from the last bars of 100 pairs to all their signals, on one core.

    python benchmarks/signals.py [--full] [--json]

Every pair has a GRU that trades (64 units, sequences of 10), 315 bars of formation window, and a session of minute
bars that completes one model bar of five minutes at every decision: the most work that a decision can be. Measured is
everything from handing the last minute's bars to the watches to the list of signals, all decisions of three sessions
(`--full`: ten). Beside it stands the former way, which filtered the whole window and made all features of it for every
pair at every decision, on the same bars in turn with the new one; its signals must be the same.

The process is kept on one core. Processor time is what a decision takes; the clock shows the same where nobody else
uses that core, and is held to the same goal: on a busy machine it tells how long the others' turns are. With `--json`
each line is a row of {name, value, unit, goal, met}.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from time import perf_counter, process_time

import numpy as np
from threadpoolctl import threadpool_limits

from figures import Figure, at_least, at_most, line, row
from tandem.config import ModelSettings, RuleSettings
from tandem.forecast import Calibration, Forecast, PairModel, Question
from tandem.forecast.answering.network import Network
from tandem.forecast.features import features
from tandem.forecast.gru import Gru
from tandem.forecast.scaler import Scaler
from tandem.market import Bar, Calendar, Pair, Session, Timeframe
from tandem.rules import FLAT, Observation, decide
from tandem.screening import Passport, Score
from tandem.signals import Case, PairWatch, Signal, judge_all
from tandem.statistics import GarchFit

PAIRS, FORMATION, PHI, STEP = 100, 315, 0.95, 0.003
RECIPE = ModelSettings(timeframe=Timeframe.MIN_5)
RULE = RuleSettings()
FIRST = date(2026, 4, 14)
CHANCE = np.linspace(0.05, 0.95, 200)
RECORD = Calibration.fit(CHANCE, (CHANCE > 0.5).astype(float), 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with threadpool_limits(limits=1):
        figures = list(measure(10 if asked.full else 3))
    for figure in figures:
        print(row(figure) if asked.json else line(figure))


@dataclass(frozen=True)
class Taken:
    """Seconds that something took: of the processor, and by the clock."""

    processor: float
    clock: float

    @classmethod
    def by(cls, work: Callable[[], object]) -> "Taken":
        """What a piece of work takes."""
        processor, clock = process_time(), perf_counter()
        work()
        return cls(process_time() - processor, perf_counter() - clock)


def measure(days: int) -> Iterator[Figure]:
    sessions = Calendar().sessions(FIRST, FIRST + timedelta(days=30))[:days]
    done = [each for session in sessions for each in decisions(session, np.random.default_rng(session.day.toordinal()))]
    ours, theirs = [new for new, _, _ in done], [old for _, old, _ in done]
    name = f"from the last bars of {PAIRS} pairs to all signals"
    yield at_most(f"{name}, 99th percentile of {len(done)} decisions", quantile(ours, 0.99), "ms", 50)
    yield Figure(f"{name}, median", quantile(ours, 0.5), "ms")
    yield at_most(f"{name}, 99th percentile by the clock", quantile(ours, 0.99, "clock"), "ms", 50)
    yield Figure(f"{name}, median by the clock", quantile(ours, 0.5, "clock"), "ms")
    yield Figure("the former way: everything from the whole window, 99th percentile", quantile(theirs, 0.99), "ms")
    yield at_least("times the former way, medians", quantile(theirs, 0.5) / quantile(ours, 0.5), "x", 2.0)
    yield at_least("decisions whose signals are the former way's own", 100 * np.mean([s for _, _, s in done]), "%", 100)


def quantile(taken: Sequence[Taken], share: float, which: str = "processor") -> float:
    """Milliseconds."""
    return 1000 * float(np.quantile([getattr(each, which) for each in taken], share))


def decisions(session: Session, rng: np.random.Generator) -> Iterator[tuple[Taken, Taken, bool]]:
    """What both ways took at every decision, and whether they say the same."""
    watches = [watch_of(place, session, rng) for place in range(PAIRS)]
    bars, decided = minutes_of(watches, session, rng), set(session.decisions)
    said: list[object] = []
    former: list[tuple[float, str]] = []

    def now(moment: datetime, place: int) -> None:
        learn(watches, bars[place])
        said[:] = judge_all([Case(each) for each in watches], moment, session, RULE)

    def before(moment: datetime) -> None:
        former[:] = [formerly(each, moment, session) for each in watches]

    for place, moment in enumerate(session.minutes):
        if moment in decided:
            ours = Taken.by(lambda moment=moment, place=place: now(moment, place))
            theirs = Taken.by(lambda moment=moment: before(moment))
            yield ours, theirs, all(map(is_same, said, former))
        else:
            learn(watches, bars[place])


def learn(watches: Sequence[PairWatch], bars: list[Bar]) -> None:
    own = {bar.symbol: bar for bar in bars}
    for watch in watches:
        watch.learn(own[symbol] for symbol in watch.passport.pair.symbols)


def formerly(watch: PairWatch, moment: datetime, session: Session) -> tuple[float, str]:
    """Probability and action as they were reckoned before: everything from all bars, pair by pair."""
    passport, network, recipe = watch.passport, watch.model.network, watch.model.settings
    prices = watch.prices(moment)
    spreads = passport.spread(*watch.closes(moment, session.close))
    path = passport.garch.filter(spreads)
    z = float(passport.z(passport.spread(*prices)))
    rows = features(spreads, path, recipe).values[-recipe.sequence_length :]
    probability = float(network.gru.probability(network.scaler.scale(rows)[None])[0])
    watch.model.calibration.confidence(probability)
    passport.garch.change_deviation(float(path.residuals[-1]), float(path.variances[-1]), 78)
    return probability, decide(FLAT, Observation(z, probability), passport.half_life, RULE).action


def is_same(said: object, former: tuple[float, str]) -> bool:
    assert isinstance(said, Signal), said
    return abs(said.probability - former[0]) < 1e-12 and said.action == former[1]


def watch_of(place: int, session: Session, rng: np.random.Generator) -> PairWatch:
    """A pair whose spread is simulated, with a network of random weights."""
    pair = Pair(f"A{place}", f"B{place}")
    spread = walk(FORMATION, rng)
    closes_b = 100 * np.exp(np.cumsum(1e-4 * rng.standard_normal(FORMATION)))
    last = Calendar().before(session.day, 1)[0].close - timedelta(minutes=5)
    garch = GarchFit(
        0.0, PHI, 0.3 * STEP**2, 0.05, 0.65, None, 1.0, STEP**2, 0.0, 0.0, 0.0, 0.7, True, 0.5, 0.5
    )  # fmt: skip
    passport = Passport(
        pair, "technology", Timeframe.MIN_5, session.day, last, last, FORMATION, 1.0, 0.0, 0.0, 0.01, PHI, 13.5, garch,
        0.9, 0.8, -4.0, 0.01, 0, 0.02, 0.03, 0.01, Score(0.8, 0.9, 0.8, 0.5, 1.0, 1, ()), "", (),
        tuple((closes_b * np.exp(spread)).tolist()), tuple(closes_b.tolist()),
    )  # fmt: skip
    model = PairModel(
        pair, session.day, PHI, 14, RECIPE, "gru", "", {}, network=network(spread, garch, rng), calibration=RECORD
    )
    said = model.forecast(spread, passport, 0.0)
    assert isinstance(said, Forecast), said
    assert Question(model, spread, garch.filter(spread), 0.0).sight is not None
    return PairWatch(passport, model)


def network(spread: np.ndarray, garch: GarchFit, rng: np.random.Generator) -> Network:
    seen = features(spread, garch.filter(spread), RECIPE)
    rows = seen.values[seen.complete]
    width, units = len(seen.names), RECIPE.gru_units
    shapes = {
        "gru.weight_ih_l0": (3 * units, width), "gru.weight_hh_l0": (3 * units, units), "gru.bias_ih_l0": (3 * units,),
        "gru.bias_hh_l0": (3 * units,), "head.weight": (1, units), "head.bias": (1,),
    }  # fmt: skip
    weights = {name: rng.uniform(-1, 1, shape).astype(np.float32) / 8 for name, shape in shapes.items()}
    scaler = Scaler.fit(seen.names, rows)
    reach = 10 * (scaler.high - scaler.low)
    return Network(Gru(weights), replace(scaler, low=scaler.low - reach, high=scaler.high + reach))


def walk(bars: int, rng: np.random.Generator) -> np.ndarray:
    spread = np.zeros(bars)
    for bar in range(1, bars):
        spread[bar] = PHI * spread[bar - 1] + STEP * rng.standard_normal()
    return spread


def minutes_of(watches: Sequence[PairWatch], session: Session, rng: np.random.Generator) -> list[list[Bar]]:
    """The bars of each minute of a session."""
    count = len(session.minutes)
    bars: list[list[Bar]] = [[] for _ in range(count)]
    for watch in watches:
        steps = np.repeat(walk(count // 5 + 1, rng), 5)[:count]
        closes_b = watch.passport.closes_b[-1] * np.exp(np.cumsum(1e-5 * rng.standard_normal(count)))
        for symbol, closes in zip(watch.passport.pair.symbols, (closes_b * np.exp(steps), closes_b), strict=True):
            for place, close in enumerate(closes.tolist()):
                start = session.open + timedelta(minutes=place)
                bars[place].append(Bar(symbol, start, close, close, close, close, 1000))
    return bars


if __name__ == "__main__":
    main()
