"""Forecasts and what came of them."""

import numpy as np
import pytest

from tandem.forecast.trial.grades import in_common
from tandem.forecast.trial.simulation import BARS, Market, Worth, simulate_tracks

MARKET = Market(sessions=30, pairs=3)


@pytest.fixture(scope="module")
def grades():
    return simulate_tracks(MARKET, {"v1": Worth(blur=0.3)}, 1)["v1"].grades


def test_a_day_is_the_mean_of_its_forecasts(grades):
    daily = grades.daily(grades.log_losses)
    for day, found in daily.items():
        own = [loss for at, loss in zip(grades.sessions.tolist(), grades.log_losses, strict=True) if at == day]
        assert found == pytest.approx(np.nanmean(own))
    assert len(daily) == 29  # of the last session nothing has come to its end


def test_pairs_are_told_apart(grades):
    found = grades.of_each_pair(grades.log_losses)
    assert set(found) == {"A0/B0", "A1/B1", "A2/B2"}
    own = grades.where(grades.pairs == "A1/B1")
    assert found["A1/B1"] == pytest.approx(np.nanmean(own.log_losses))


def test_only_the_same_pair_at_the_same_time_is_compared(grades):
    shuffled = grades.where(np.random.default_rng(2).permutation(len(grades))[:200])
    ours, theirs = in_common(grades, shuffled)
    assert len(ours) == len(theirs) == 200
    for name in ("at", "pairs", "labels", "probability"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name), equal_nan=name == "labels")


def test_the_baseline_is_the_same_forecasts_said_otherwise(grades):
    plain = grades.as_baseline()
    assert np.array_equal(plain.labels, grades.labels, equal_nan=True)
    assert np.array_equal(plain.probability, grades.baseline)
    assert set(plain.models.tolist()) == {"baseline"}


def test_intervals_cover_what_they_promise():
    found = simulate_tracks(Market(sessions=400), {"v1": Worth()}, 3)["v1"].grades
    assert found.coverage == pytest.approx(0.95, abs=0.01)


def test_a_variance_that_was_not_forecast_is_not_graded(grades):
    gap = np.where(np.arange(len(grades)) % 2, grades.variances, np.nan)
    halved = type(grades)(**{**{name: getattr(grades, name) for name in grades.__dataclass_fields__}, "variances": gap})
    assert np.isfinite(halved.qlikes).sum() == len(grades) // 2
    assert len(halved.daily(halved.qlikes)) == 30


def test_forecasts_that_share_their_future_count_less(grades):
    assert grades.independent == pytest.approx(30 * BARS * 3 / 9)
