"""What holds for a spread holds for its mirror image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import GarchSettings, ModelSettings
from tandem.forecast import features
from tandem.forecast.features import centres, sequences
from tandem.forecast.scaler import Scaler
from tandem.statistics import GarchPath, fit_spread

MEAN = 0.3


def a_spread(bars=200, seed=1):
    rng = np.random.default_rng(seed)
    spread = np.zeros(bars)
    for bar in range(1, bars):
        spread[bar] = 0.9 * spread[bar - 1] + 0.01 * rng.standard_normal()
    return MEAN + spread


def rows_of(recipe, *, mirrored=False):
    spread = a_spread()
    path = fit_spread(spread, GarchSettings()).filter(spread)
    if mirrored:
        spread, path = 2 * MEAN - spread, GarchPath(-path.residuals, path.variances)
    seen = features(spread, path, recipe)
    return seen.names, sequences(seen.values, 10)[20:]


@pytest.mark.parametrize("lags", [[1, 2, 3, 4, 5], [1, 2, 7]])
def test_a_spread_and_its_mirror_image_look_the_same_to_a_network(lags):
    recipe = ModelSettings(lag_features=lags)
    (names, rows), (_, mirrored) = rows_of(recipe), rows_of(recipe, mirrored=True)
    scaler = Scaler.fit(names, rows, MEAN)
    np.testing.assert_allclose(scaler.scale(mirrored), scaler.scale(rows), atol=1e-6)
    assert np.abs(mirrored - rows).max() > 0.01


def test_features_turn_over_where_they_say():
    (names, rows), (_, mirrored) = rows_of(ModelSettings()), rows_of(ModelSettings(), mirrored=True)
    centre = centres(names, MEAN)
    turns = np.isfinite(centre)
    assert [name for name, turned in zip(names, turns, strict=True) if not turned] == [
        "volatility_20",
        "garch_volatility",
    ]
    np.testing.assert_allclose(mirrored[..., turns], 2 * centre[turns] - rows[..., turns], atol=1e-9)
    np.testing.assert_allclose(mirrored[..., ~turns], rows[..., ~turns], atol=1e-9)


def test_the_side_is_that_of_the_newest_spread():
    names, rows = rows_of(ModelSettings())
    scaler, newest = Scaler.fit(names, rows, MEAN), a_spread()[29:]
    lag_1 = scaler.scale(rows)[:, -1, 0] * scaler.deviation[0] + scaler.mean[0]
    previous = rows[:, -1, 0] - MEAN
    np.testing.assert_allclose(lag_1, np.where(newest >= MEAN, previous, -previous), atol=1e-12)


def test_without_an_equilibrium_nothing_is_mirrored():
    names, rows = rows_of(ModelSettings())
    scaler = Scaler.fit(names, rows)
    flat = rows.reshape(-1, len(names))
    np.testing.assert_allclose(scaler.scale(rows), (rows - flat.mean(axis=0)) / flat.std(axis=0))
    assert (scaler.low == flat.min(axis=0)).all()


def test_one_sequence_alone_is_scaled_as_among_others():
    names, rows = rows_of(ModelSettings())
    scaler = Scaler.fit(names, rows, MEAN)
    assert scaler.scale(rows[7]).tobytes() == scaler.scale(rows)[7].tobytes()


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_what_was_seen_on_one_side_is_no_stranger_on_the_other(place):
    names, rows = rows_of(ModelSettings())
    scaler = Scaler.fit(names, rows[:40], MEAN)
    _, mirrored = rows_of(ModelSettings(), mirrored=True)
    assert scaler.strangers(rows[place]) == scaler.strangers(mirrored[place])
