import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.forecast import Calibration
from tandem.forecast.calibration import MIN_SAMPLES, wilson

probabilities = st.floats(0, 1)


def a_record(samples=4_000, seed=1):
    rng = np.random.default_rng(seed)
    said = rng.random(samples)
    return said, (rng.random(samples) < said).astype(float)


def test_the_interval_is_wilsons():
    from statsmodels.stats.proportion import proportion_confint

    for hits, count in ((0, 5), (3, 10), (50, 80), (7, 7)):
        assert wilson(hits / count, count) == pytest.approx(proportion_confint(hits, count, method="wilson"), abs=1e-12)


def test_a_well_calibrated_model_keeps_its_probabilities():
    calibration = Calibration.fit(*a_record())
    for said in (0.15, 0.55, 0.95):
        assert calibration.confidence(said).probability == pytest.approx(said, abs=0.05)


def test_an_overconfident_model_is_brought_back_to_its_record():
    said, came = a_record()
    calibration = Calibration.fit(np.clip(2 * said - 0.5, 0, 1), came)
    assert calibration.confidence(0.99).probability < 0.93


def test_confidence_is_the_frequency_shrunk_toward_a_half_by_the_intervals_width():
    calibration = Calibration.fit(*a_record())
    record = calibration.confidence(0.85)
    assert record.confidence == pytest.approx(0.5 + (record.probability - 0.5) * (1 - (record.high - record.low)))
    assert 0.5 < record.confidence < record.probability


def test_fewer_forecasts_give_less_confidence():
    few, many = (Calibration.fit(np.full(count, 0.9), np.ones(count)).confidence(0.9) for count in (12, 200))
    assert few.high - few.low > many.high - many.low
    assert 0.5 < few.confidence < many.confidence


def test_forecasts_that_overlap_count_as_fewer():
    said, came = a_record(300)
    apart, overlapping = (Calibration.fit(said, came, overlap).confidence(0.9) for overlap in (1, 10))
    assert overlapping.probability == apart.probability
    assert overlapping.high - overlapping.low > apart.high - apart.low


def test_without_a_record_nothing_is_claimed():
    record = Calibration().confidence(0.97)
    assert (record.probability, record.low, record.high, record.confidence) == (0.5, 0.0, 1.0, 0.5)


@given(st.lists(st.tuples(probabilities, st.booleans()), min_size=1, max_size=120), st.integers(1, 20))
def test_sparse_bins_are_joined_and_no_forecast_is_lost(rows, overlap):
    said, came = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    bins = Calibration.fit(said, came, overlap).bins
    assert sum(each.samples for each in bins) == len(rows)
    assert all(each.samples >= MIN_SAMPLES for each in bins) or len(bins) == 1
    assert [each.start for each in bins] == sorted({each.start for each in bins})


@given(st.lists(st.tuples(probabilities, st.booleans()), min_size=1, max_size=60), probabilities)
def test_confidence_lies_between_zero_and_one_on_the_records_side_of_a_half(rows, asked):
    said, came = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    record = Calibration.fit(said, came).confidence(asked)
    assert 0 <= record.low <= record.high <= 1
    assert 0 <= record.confidence <= 1
    assert (record.confidence - 0.5) * (record.probability - 0.5) >= 0
