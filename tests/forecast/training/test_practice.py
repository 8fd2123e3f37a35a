"""Sequences simulated from the fitted spread, and the probabilities that come with them."""

import numpy as np
import pytest

from tandem.config import GarchSettings, ModelSettings
from tandem.forecast.training.practice import _World, practised
from tandem.forecast.window import Spread
from tandem.statistics import fit_equilibrium, fit_spread, reversion_probability


def a_spread(bars=900, phi=0.9, alpha=0.0, beta=0.0, seed=1, mean=0.2):
    noise = np.random.default_rng(seed).standard_normal(bars)
    values, variance, residual = np.zeros(bars), 1.0, 0.0
    for bar in range(1, bars):
        variance = 1 - alpha - beta + alpha * residual**2 + beta * variance
        residual = np.sqrt(variance) * noise[bar]
        values[bar] = phi * values[bar - 1] + residual
    values = mean + 0.01 * values
    garch = fit_spread(values, GarchSettings())
    return Spread(values, fit_equilibrium(values), phi, 7, garch, garch.filter(values))


def simulated(spread, recipe):
    real = spread.samples(recipe)
    both = practised(real, spread, recipe)
    assert both.rows[: len(real)].tobytes() == real.rows.tobytes()
    return both.rows[len(real) :], both.z[len(real) :], both.labels[len(real) :]


def test_simulated_sequences_look_like_the_real_ones():
    spread, recipe = a_spread(4_000), ModelSettings(practice=3000)
    rows, z, labels = simulated(spread, recipe)
    real = spread.samples(recipe)
    assert rows.shape == (3000, *real.rows.shape[1:])
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.std(axis=(0, 1)), real.rows.std(axis=(0, 1)), rtol=0.15, atol=3e-4)
    assert z.std() == pytest.approx(1, abs=0.15)
    assert labels.mean() == pytest.approx(0.5, abs=0.05)


def test_without_garch_the_probabilities_are_those_of_the_closed_form():
    spread, recipe = a_spread(4_000), ModelSettings(practice=2000)
    _, z, labels = simulated(spread, recipe)
    expected = reversion_probability(z, spread.garch.phi**spread.horizon)
    assert np.abs(labels - expected).max() < 0.15
    assert np.mean(labels - expected) == pytest.approx(0, abs=0.02)


def test_the_probabilities_come_true_under_garch():
    spread = a_spread(4_000, alpha=0.15, beta=0.8)
    world, chance = _World.of(spread), np.random.default_rng(3)
    state = np.full(4_000, 1.5), np.full(4_000, 0.1), np.full(4_000, 0.5)
    said = world.probability(tuple(part[:1] for part in state), 5, chance)[0]
    distance, residual, variance = state
    for _ in range(5):
        variance = world.omega + world.alpha * residual**2 + world.beta * variance
        residual = np.sqrt(variance) * chance.standard_normal(4_000)
        distance = world.phi * distance + residual
    assert np.mean(np.abs(distance) < 1.5) == pytest.approx(said, abs=0.05)


def test_the_next_move_goes_toward_the_equilibrium_more_often_than_not():
    _, z, labels = simulated(a_spread(), ModelSettings(practice=500, label="toward"))
    assert (labels >= 0.5).all()
    assert labels[np.abs(z) > 1.5].mean() > labels[np.abs(z) < 0.5].mean()


def test_practice_uses_nothing_but_what_was_estimated():
    spread, recipe = a_spread(), ModelSettings(practice=200)
    other = Spread(spread.values + 5.0, spread.equilibrium, spread.phi, spread.horizon, spread.garch, spread.path)
    first, second = simulated(spread, recipe), simulated(other, recipe)
    assert all(one.tobytes() == two.tobytes() for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("label", ["reverts", "toward"])
@pytest.mark.parametrize("practice", [0, 50])
def test_a_real_label_is_mixed_with_what_the_fitted_model_expected(label, practice):
    spread = a_spread(alpha=0.15, beta=0.8)
    alone, half, all_ = (
        practised(spread.samples(recipe), spread, recipe)
        for recipe in (ModelSettings(practice=practice, label=label, distillation=share) for share in (0, 0.5, 1))
    )
    real = len(alone) - practice
    assert set(alone.labels[:real]) == {0.0, 1.0}
    assert ((all_.labels[:real] > 0) & (all_.labels[:real] < 1)).all()
    np.testing.assert_allclose(half.labels[:real], (alone.labels + all_.labels)[:real] / 2)
    assert half.labels[real:].tobytes() == alone.labels[real:].tobytes()
    assert half.rows.tobytes() == alone.rows.tobytes()


def test_what_the_fitted_model_expects_of_a_real_bar_is_the_closed_form_without_garch():
    spread, recipe = a_spread(4_000), ModelSettings(practice=0, distillation=1)
    taught = practised(spread.samples(recipe), spread, recipe)
    expected = reversion_probability(taught.z, spread.garch.phi**spread.horizon)
    assert np.abs(taught.labels - expected).max() < 0.2
    assert np.mean(taught.labels - expected) == pytest.approx(0, abs=0.02)


def test_another_seed_gives_other_sequences_and_none_are_drawn_where_none_are_asked_for():
    spread = a_spread()
    first, second = (simulated(spread, ModelSettings(practice=50, seed=seed))[0] for seed in (1, 2))
    assert (first != second).any()
    assert len(simulated(spread, ModelSettings(practice=0))[0]) == 0


def test_a_fit_that_never_forgets_is_simulated_with_a_little_less_memory():
    spread = a_spread(alpha=0.3, beta=0.7)
    assert _World.of(spread).alpha + _World.of(spread).beta <= 0.995 + 1e-12
    assert np.isfinite(simulated(spread, ModelSettings(practice=300))[0]).all()
