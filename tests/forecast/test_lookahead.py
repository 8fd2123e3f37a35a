"""Cutting the future off changes no past value of the whole pipeline; what leaks is caught."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.config import Settings
from tandem.forecast import ModelPipeline, find_leaks
from tandem.forecast.rivals import ScaledGru
from tandem.forecast.scaler import Scaler
from tandem.statistics import fit_equilibrium, fit_spread

FORMATION = 300
BARS = 360
SMALL = Settings.model_validate({"model": {"gru_units": 4, "epochs": 1, "practice": 50}})


@pytest.fixture(scope="module")
def legs(simulated_closes):
    a, b = simulated_closes(BARS, seed=11)
    return np.log(a), np.log(b)


def leaks_of(pipeline, legs, cuts=(330,)):
    return find_leaks(pipeline, *legs, FORMATION, cuts)


def named(leaks):
    return {leak.name for leak in leaks}


def test_the_whole_pipeline_sees_nothing_of_the_future(legs):
    assert leaks_of(ModelPipeline(SMALL), legs, cuts=(FORMATION, 301, 341, 359)) == ()


@pytest.mark.parametrize("change", [{"symmetric": False, "practice": 0, "distillation": 0}, {"label": "toward"}])
def test_no_recipe_of_it_does(legs, change):
    settings = SMALL.model_copy(update={"model": SMALL.model.model_copy(update=change)})
    assert leaks_of(ModelPipeline(settings), legs) == ()


class HedgeOverAllBars(ModelPipeline):
    """Leaks: the hedge ratio, and all that follows, is estimated on bars that are still to come."""

    def spread(self, log_a, log_b, formation):
        return super().spread(log_a, log_b, len(log_a))


class ScaledOverAllBars(ModelPipeline):
    """Leaks: features are scaled by the mean and deviation of all bars."""

    def model(self, samples, spread):
        fitted = super().model(samples, spread)
        rows = self.features(spread)
        complete = rows[np.isfinite(rows).all(axis=1)]
        return ScaledGru("gru", fitted.gru, Scaler.fit(samples.names, complete[:, None], spread.equilibrium.mean))


def test_a_hedge_over_the_whole_window_is_caught(legs):
    assert {"spread", "features", "probability"} <= named(leaks_of(HedgeOverAllBars(SMALL), legs))


def test_a_scaler_fitted_on_all_bars_is_caught(legs):
    leaks = leaks_of(ScaledOverAllBars(SMALL), legs)
    assert {"scaler", "probability"} <= named(leaks)
    assert not named(leaks) & {"spread", "features", "garch"}


def test_a_leak_names_what_changed_and_where(legs):
    leaks = leaks_of(ShiftedFeature(SMALL, column=2), legs, cuts=(FORMATION,))
    leak = next(leak for leak in leaks if leak.name == "features")
    assert (leak.cut, leak.bar, leak.future) == (FORMATION, FORMATION - 1, "cut off")
    assert str(leak) == "features: its value at bar 299 changes when the bars from 300 on are cut off"


class Mutated(ModelPipeline):
    def __init__(self, settings, column=0, strength=1):
        super().__init__(settings)
        self.column, self.strength = column, strength


class OfOneFeature(Mutated):
    def features(self, spread):
        rows = super().features(spread).copy()
        rows[:, self.column] = self.leak(rows[:, self.column], spread)
        return rows


class ShiftedFeature(OfOneFeature):
    def leak(self, values, spread):
        return np.concatenate([values[self.strength :], np.full(self.strength, values[-1])])


class CentredMean(OfOneFeature):
    def leak(self, values, spread):
        filled = np.nan_to_num(values)
        return np.convolve(filled, np.ones(2 * self.strength + 1) / (2 * self.strength + 1), "same")


class WholeSampleZ(OfOneFeature):
    def leak(self, values, spread):
        return (values - np.nanmean(values)) / np.nanstd(values)


class WholeSampleRank(OfOneFeature):
    def leak(self, values, spread):
        return np.argsort(np.argsort(np.nan_to_num(values))).astype(float)


class BackwardFill(OfOneFeature):
    def leak(self, values, spread):
        sparse = values.copy()
        holes = np.arange(len(values)) % (self.strength + 1) != 0
        places = np.where(holes, len(values) - 1, np.arange(len(values)))
        return sparse[np.minimum.accumulate(places[::-1])[::-1]]


class Interpolated(OfOneFeature):
    def leak(self, values, spread):
        known = np.arange(0, len(values), self.strength + 1)
        return np.interp(np.arange(len(values)), known, np.nan_to_num(values[known]))


class LabelAsFeature(OfOneFeature):
    def leak(self, values, spread):
        distance = np.abs(spread.values - spread.equilibrium.mean)
        closer = np.zeros(len(values))
        closer[: -self.strength] = distance[self.strength :] < distance[: -self.strength]
        return closer


class FutureVolatility(OfOneFeature):
    def leak(self, values, spread):
        changes = np.abs(np.diff(spread.values, append=spread.values[-1]))
        return np.convolve(changes, np.ones(self.strength + 1), "full")[self.strength :]


class WholeSampleRange(OfOneFeature):
    def leak(self, values, spread):
        return (values - np.nanmin(values)) / (np.nanmax(values) - np.nanmin(values))


class Reversed(OfOneFeature):
    def leak(self, values, spread):
        smooth = np.nan_to_num(values).copy()
        for bar in range(len(smooth) - 2, -1, -1):
            smooth[bar] = 0.5 * smooth[bar] + 0.5 * smooth[bar + 1]
        return smooth


class OfTheSpread(Mutated):
    def spread(self, log_a, log_b, formation):
        return self.leak(super().spread(log_a, log_b, formation))


class GarchOverAllBars(OfTheSpread):
    def leak(self, spread):
        garch = fit_spread(spread.values, self.settings.garch)
        return replace(spread, garch=garch, path=garch.filter(spread.values))


class EquilibriumOverAllBars(OfTheSpread):
    def leak(self, spread):
        return replace(spread, equilibrium=fit_equilibrium(spread.values))


class SmoothedSpread(OfTheSpread):
    def leak(self, spread):
        values = spread.values.copy()
        values[:-1] = (values[:-1] + values[1:]) / 2
        return replace(spread, values=values)


class VarianceShifted(OfTheSpread):
    def leak(self, spread):
        variances = np.append(spread.path.variances[1:], spread.path.variances[-1])
        return replace(spread, path=replace(spread.path, variances=variances))


class ScreenOverAllBars(Mutated):
    def screen(self, log_a, log_b, formation):
        return super().screen(log_a, log_b, len(log_a))


class LabelsBeyondFormation(Mutated):
    def samples(self, spread, rows, formation):
        return super().samples(spread, rows, formation + spread.horizon + self.strength)


class ProbabilityRanked(Mutated):
    def probability(self, model, rows, formation):
        said = super().probability(model, rows, formation)
        return said - np.nanmean(said)


KINDS = [
    ShiftedFeature, CentredMean, WholeSampleZ, WholeSampleRank, BackwardFill, Interpolated, LabelAsFeature,
    FutureVolatility, WholeSampleRange, Reversed, GarchOverAllBars, EquilibriumOverAllBars, SmoothedSpread,
    VarianceShifted, ScreenOverAllBars, LabelsBeyondFormation, ProbabilityRanked,
]  # fmt: skip


def mutations(count, seed):
    """Kinds of leaks drawn at random, each with a column and a strength of its own."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        kind = KINDS[rng.integers(len(KINDS))]
        yield kind(SMALL, int(rng.integers(12)), int(rng.integers(1, 6)))


@pytest.mark.parametrize("seed", [1, 2])
def test_at_least_nine_of_ten_random_leaks_are_caught(legs, seed):
    caught = [bool(leaks_of(mutation, legs)) for mutation in mutations(10, seed)]
    assert sum(caught) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_leak_is_caught(simulated_closes, kind):
    """At the cuts that are made by default, on a spread all of whose features move, its volatility too."""
    legs = np.log(simulated_closes(BARS, seed=24))
    for column in (0, 6, 11):
        assert leaks_of(kind(SMALL, column, 3), legs, cuts=None), column


def test_only_what_leaks_is_reported(legs):
    assert named(leaks_of(ScreenOverAllBars(SMALL), legs)) == {"screen"}
    assert named(leaks_of(ProbabilityRanked(SMALL), legs)) == {"probability"}


@pytest.mark.parametrize("cuts", [[], [FORMATION - 1], [BARS]])
def test_a_cut_leaves_the_formation_and_less_than_all(legs, cuts):
    with pytest.raises(ValueError, match="each has to leave 300 to 359"):
        find_leaks(ModelPipeline(SMALL), *legs, FORMATION, cuts)


def test_any_function_can_be_examined(legs):
    def mine(log_a, log_b, formation):
        return {"ratio": log_a / log_b, "mean": np.array([np.mean(log_a[:formation])])}

    def leaking(log_a, log_b, formation):
        return mine(log_a, log_b, formation) | {"mean": np.array([np.mean(log_a)])}

    assert find_leaks(mine, *legs, FORMATION) == ()
    assert named(find_leaks(leaking, *legs, FORMATION)) == {"mean"}
