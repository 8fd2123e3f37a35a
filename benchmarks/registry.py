"""How long MLflow takes to be told of a day of models, and what a move of a stage costs.

    python benchmarks/registry.py [--full] [--json]

One small pair model is trained and recorded under 100 names, on an embedded PostgreSQL of its own with MLflow's
database beside Tandem's, its disk writes as in use. The plain way is MLflow's fluent calls, one parameter, metric and
epoch at a time, for five pairs. `--full` records the day five times. With `--json` each line is a row of {name, value,
unit, goal, met}.
"""

import argparse
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np

from figures import Figure, at_least, at_most, line, row
from tandem.config import GarchSettings, Settings
from tandem.forecast import MlflowRegistry, ModelRegistered, PairModel, train_pair, with_record
from tandem.forecast.registry import lineage
from tandem.forecast.registry.drawing import Drawing
from tandem.forecast.registry.pictures import pictures
from tandem.market import Pair, Session, Stopwatch, Timeframe, World, WorldKind
from tandem.screening import Passport, Score
from tandem.statistics import fit_equilibrium, fit_hedge, fit_spread, half_life
from tandem.store import Record, Stages, Store

PAIRS, PLAIN, BARS = 100, 5, 1_800
FIRST = datetime(2025, 6, 2, 14, 0, tzinfo=UTC)
SETTINGS = Settings.model_validate({"model": {"epochs": 50, "patience": 50, "gru_units": 8}})
DAY = Session(date(2026, 4, 14), datetime(2026, 4, 14, 13, 30, tzinfo=UTC), datetime(2026, 4, 14, 20, 0, tzinfo=UTC))
WORLD = World(WorldKind.PAPER, 1)
TECH = "technology"
TIMES = count()
Models = Mapping[Pair, PairModel]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home, Store.open(Path(home)) as store:
        for figure in measure(store, Path(home), 5 if asked.full else 1):
            print(row(figure) if asked.json else line(figure), flush=True)


def measure(store: Store, home: Path, times: int) -> Iterator[Figure]:
    passports, models = a_day()
    registry = MlflowRegistry(store.database("mlflow_db"), home / "artifacts")
    first = timed(lambda: recorded(registry, passports[:1], models))
    yield Figure("MLflow's first use: import, tables, one pair", first, "s")
    bare = min(timed(lambda: recorded(registry, passports, models)) for _ in range(times))
    yield at_most(f"a day of {PAIRS} pairs logged and registered as one model", bare, "s", 60)
    yield Figure("of that a pair", bare / PAIRS * 1000, "ms")
    drawn = min(timed(lambda: draw(passports, models, home / "pictures")) for _ in range(times))
    yield Figure(f"figures of {PAIRS} pairs in {os.cpu_count()} processes", drawn, "s")
    one = timed(lambda: [pictures(passport, models[passport.pair]) for passport in passports[:PLAIN]]) * PAIRS / PLAIN
    yield Figure("figures drawn one after another, times that", one / drawn, "x")
    both = min(timed(lambda: recorded(registry, passports, models, pictures=True)) for _ in range(times))
    yield Figure(f"a day of {PAIRS} pairs with its figures, drawn beside the logging", both, "s")
    yield from plain_way(store, home, passports, models, bare / PAIRS)
    yield from moves(store, registry, passports, models)


def a_day() -> tuple[list[Passport], Models]:
    """One pair model under many names."""
    closes = simulated()
    passport = passport_of(*closes)
    starts = [FIRST + timedelta(days=bar // 7, hours=bar % 7) for bar in range(BARS)]
    model = with_record(train_pair(passport, *closes, SETTINGS, starts), *closes, SETTINGS, starts)
    pairs = [Pair(f"A{number:03d}", f"B{number:03d}") for number in range(PAIRS)]
    return [replace(passport, pair=pair) for pair in pairs], {pair: replace(model, pair=pair) for pair in pairs}


def recorded(
    registry: MlflowRegistry, passports: list[Passport], models: Models, *, pictures: bool = False
) -> ModelRegistered:
    own = {passport.pair: models[passport.pair] for passport in passports}
    # What is registered already would be left as it is.
    passports = [replace(passport, data_version=str(next(TIMES))) for passport in passports]
    return registry.record_day(DAY, TECH, passports, own, SETTINGS, world=WORLD, pictures=pictures)


def draw(passports: list[Passport], models: Models, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with Drawing([(passport, models[passport.pair]) for passport in passports]) as drawing:
        for passport in passports:
            drawing.keep(passport.pair, folder)


def plain_way(store: Store, home: Path, passports: list[Passport], models: Models, ours: float) -> Iterator[Figure]:
    """MLflow's fluent calls, as its tutorials have them."""
    import mlflow

    mlflow.set_tracking_uri(store.database("mlflow_db"))
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("plain", (home / "plain").as_uri()))

    def log() -> None:
        for passport in passports[:PLAIN]:
            model = models[passport.pair]
            with mlflow.start_run(run_name=str(passport.pair)):
                for name, value in lineage.params(TECH, SETTINGS, model).items():
                    mlflow.log_param(name, value)
                for name, figure in lineage.figures(passport, model).items():
                    mlflow.log_metric(name, figure)
                for name, figure, step in lineage.epochs(model):
                    mlflow.log_metric(name, figure, step=step)

    plain = timed(log) / PLAIN
    yield Figure("the plain way: fluent calls one by one, a pair without its model", plain * 1000, "ms")
    yield at_least("the plain way, times ours with the model", plain / ours, "x", 5)


def moves(store: Store, registry: MlflowRegistry, passports: list[Passport], models: Models) -> Iterator[Figure]:
    facts, versions = store.facts(WORLD), [recorded(registry, passports[:2], models) for _ in range(2)]
    stages = Stages(facts)
    for recipe, made in zip(("v1", "v2"), versions, strict=True):
        stages.stage(TECH, recipe, why="new", by="benchmark", at=DAY.morning)
        known = replace(made, recipe=recipe)
        facts.append(Record(known, DAY.day, DAY.morning, f"registered.{known.name}.{known.version}"))
    registry.mirror(facts)
    evidence = {"spa_pvalue": 0.01}
    promoting = timed(lambda: stages.promote(TECH, "v2", why="better", by="benchmark", at=DAY.open, evidence=evidence))
    yield at_most("a promotion in the store, durable", promoting * 1000, "ms", 100)
    yield at_most("the same mirrored to MLflow", timed(lambda: registry.mirror(facts)), "s", 5)
    yield Figure("MLflow found to be as the store says", timed(lambda: registry.mirror(facts)), "s")
    asked = min(timed(lambda: stages.production(TECH, DAY.open)) for _ in range(20))
    yield at_most("what is in Production, as each decision asks", asked * 1000, "ms", 10)


def simulated() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    log_b = 4 + np.cumsum(0.003 * rng.standard_normal(BARS))
    spread = np.zeros(BARS)
    for bar in range(1, BARS):
        spread[bar] = 0.9 * spread[bar - 1] + 0.002 * rng.standard_normal()
    return np.exp(1 + 0.8 * log_b + spread), np.exp(log_b)


def passport_of(closes_a: np.ndarray, closes_b: np.ndarray) -> Passport:
    log_a, log_b = np.log(closes_a), np.log(closes_b)
    hedge = fit_hedge(log_a, log_b)
    spread = hedge.spread(log_a, log_b)
    level, speed = fit_equilibrium(spread), half_life(spread)
    starts = tuple(FIRST + timedelta(days=bar // 7, hours=bar % 7) for bar in range(BARS))
    return Passport(
        pair=Pair("A", "B"), sector=TECH, timeframe=Timeframe.HOUR_1, session=DAY.day, window_first=starts[0],
        window_last=starts[-1], bars=BARS, hedge_ratio=hedge.hedge_ratio, intercept=hedge.intercept, mean=level.mean,
        deviation=level.deviation, phi=speed.phi, half_life=speed.bars or 1.0,
        garch=fit_spread(spread, GarchSettings()),
        correlation_prices=0.9, correlation_returns=0.8, statistic=-4.0, pvalue=0.01, lags=1, q_bh=0.02, q_by=0.03,
        adf_pvalue=0.001, score=Score(0.8, 1.0, 0.6, 0.5, 1.0, 2), data_version="abc", starts=starts,
        closes_a=tuple(closes_a.tolist()), closes_b=tuple(closes_b.tolist()),
    )  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    watch = Stopwatch()
    work()
    return watch.seconds


if __name__ == "__main__":
    main()
