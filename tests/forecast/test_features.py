import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import GarchSettings, ModelSettings
from tandem.forecast import features
from tandem.forecast.features import look_back, sequences
from tandem.statistics import fit_spread

MODEL = ModelSettings()


def a_spread(bars=200, seed=1):
    rng = np.random.default_rng(seed)
    spread = np.zeros(bars)
    for bar in range(1, bars):
        spread[bar] = 0.9 * spread[bar - 1] + 0.01 * rng.standard_normal()
    return spread


SPREAD = a_spread()
GARCH = fit_spread(SPREAD, GarchSettings())


def rows_of(spread):
    return features(spread, GARCH.filter(spread), MODEL)


def column(name):
    seen = rows_of(SPREAD)
    return seen.values[:, seen.names.index(name)]


def test_the_columns_are_the_missions_feature_set():
    assert rows_of(SPREAD).names == (
        "spread_lag_1", "spread_lag_2", "spread_lag_3", "spread_lag_4", "spread_lag_5",
        "MA_5", "MA_20", "RSI", "z_score_7", "volatility_20", "garch_residual", "garch_volatility",
    )  # fmt: skip


@given(st.integers(2, 200))
@settings(max_examples=60, deadline=None)
def test_cutting_the_future_off_changes_no_past_value_bit_for_bit(kept):
    whole, cut = rows_of(SPREAD).values[:kept], rows_of(SPREAD[:kept]).values
    assert whole.tobytes() == cut.tobytes()


@given(st.integers(0, 150))
@settings(max_examples=30, deadline=None)
def test_a_changed_bar_changes_nothing_before_it(changed):
    other = SPREAD.copy()
    other[changed:] += 0.05
    before = rows_of(other).values[:changed]
    assert before.tobytes() == rows_of(SPREAD).values[:changed].tobytes()


def test_warm_up_rows_hold_nan_and_no_others_do():
    complete = rows_of(SPREAD).complete
    assert not complete[:20].any()
    assert complete[20:].all()


def test_a_sequence_is_complete_where_all_its_bars_are():
    first = int(np.flatnonzero(rows_of(SPREAD).complete_over(10))[0])
    assert first == look_back(MODEL) == 29


def test_lags_and_means_are_what_their_names_say():
    assert column("spread_lag_3")[50] == SPREAD[47]
    assert column("MA_5")[50] == pytest.approx(SPREAD[46:51].mean())
    assert column("MA_20")[50] == pytest.approx(SPREAD[31:51].mean())


def test_volatility_is_the_deviation_of_the_last_twenty_changes():
    assert column("volatility_20")[50] == pytest.approx(np.diff(SPREAD)[30:50].std(ddof=1))


def test_the_garch_columns_are_the_innovation_and_its_deviation():
    path = GARCH.filter(SPREAD)
    assert column("garch_residual")[60] == path.residuals[60]
    assert column("garch_volatility")[60] ** 2 == pytest.approx(path.variances[60])


@given(st.lists(st.floats(-1, 1), min_size=40, max_size=40))
@settings(max_examples=50, deadline=None)
def test_the_short_z_score_cannot_exceed_six_over_root_seven(values):
    spread = np.array(values)
    seen = features(spread, GARCH.filter(spread), MODEL)
    z = seen.values[seen.complete][:, seen.names.index("z_score_7")]
    assert (np.abs(z) <= 6 / np.sqrt(7) + 1e-6).all()


def test_rsi_runs_from_zero_to_a_hundred_and_rests_at_fifty():
    bars = np.arange(60.0)
    for spread, expected in ((bars, 100.0), (-bars, 0.0), (np.ones(60), 50.0)):
        seen = features(spread, GARCH.filter(spread), MODEL)
        assert seen.values[-1, seen.names.index("RSI")] == expected


def test_a_sequence_ends_at_its_bar():
    rows = np.arange(20.0).reshape(10, 2)
    stacked = sequences(rows, 4)
    assert stacked.shape == (7, 4, 2)
    assert (stacked[2] == rows[2:6]).all()
