"""Every forecast is fitted on the train block and asked on any, the same way."""

import numpy as np
import pytest

from tandem.config import ModelSettings
from tandem.forecast.rivals import fit_pooled, fit_rivals
from tandem.forecast.rivals.boosting import Boosting
from tandem.forecast.rivals.garch_gru import GarchGru
from tandem.forecast.training.judgement import judge
from tandem.forecast.window import Samples, Window

ALL = ["ar1", "logistic", "always_one", "boosting", "garch_gru"]


@pytest.fixture(scope="module")
def recipe():
    return ModelSettings(epochs=3, gru_units=8, practice=200, rivals=ALL, learning_rate=0.003)


@pytest.fixture(scope="module")
def window(closes, quick, recipe):
    return Window.cut(*np.log(closes), quick.model_copy(update={"model": recipe}))


@pytest.fixture(scope="module")
def rivals(window, recipe):
    return {rival.name: rival for rival in (*fit_rivals(window, recipe), *fit_pooled([window], recipe))}


def test_every_model_that_a_recipe_names_is_fitted(rivals):
    assert sorted(rivals) == sorted([*ALL, "pooled_gru"])


def test_the_baselines_are_scored_whatever_is_named(window):
    assert [rival.name for rival in fit_rivals(window, ModelSettings(rivals=[]))] == ["ar1", "logistic", "always_one"]


@pytest.mark.parametrize("name", [*ALL, "pooled_gru"])
def test_a_rival_gives_a_probability_and_an_answer_for_every_sample(rivals, window, name):
    said, answers = rivals[name].probability(window.test), rivals[name].answers(window.test)
    assert said.shape == answers.shape == window.test.labels.shape
    assert ((said >= 0) & (said <= 1)).all()
    if name != "always_one":
        assert (answers == (said >= 0.5)).all()


def test_no_rival_is_fitted_on_the_test_block(rivals, window, recipe):
    test = window.test
    changed = Samples(test.names, test.bars, test.rows + 1, test.z + 1, 1 - test.labels)
    other = Window(window.spread, window.train, window.validation, changed)
    for again in (*fit_rivals(other, recipe), *fit_pooled([other], recipe)):
        assert again.probability(test).tobytes() == rivals[again.name].probability(test).tobytes()


@pytest.mark.parametrize("name", ["boosting", "garch_gru", "pooled_gru"])
def test_a_spread_and_its_mirror_image_get_the_same_forecast(rivals, window, name):
    scaler = rivals[name].scaler
    turns = np.isfinite(scaler.centre)
    rows = np.where(turns, 2 * np.where(turns, scaler.centre, 0) - window.test.rows, window.test.rows)
    mirrored = Samples(window.test.names, window.test.bars, rows, -window.test.z, window.test.labels)
    np.testing.assert_allclose(
        rivals[name].probability(mirrored),
        rivals[name].probability(window.test),
        atol=1e-3 if name != "boosting" else 0.05,
    )


def test_every_rival_stands_in_the_judgement_on_the_same_blocks(window, recipe):
    metrics = judge(window, recipe, fit_pooled([window], recipe)).metrics
    for name in ("f1_score", "mcc", "roc_auc", "brier", "log_loss"):
        assert {f"test_{name}", *(f"test_{name}_{rival}" for rival in (*ALL, "pooled_gru"))} <= set(metrics)
    assert all(np.isfinite(value) for value in metrics.values())


def test_boosted_trees_learn_what_can_be_learnt(window, recipe):
    boosting = Boosting.fit(window, recipe)
    assert ((boosting.probability(window.train) >= 0.5) == (window.train.labels > 0.5)).mean() > 0.65


def test_boosting_answers_the_base_rate_where_there_is_one_kind_of_label(window, recipe):
    ones = Samples(window.train.names, window.train.bars, window.train.rows, window.train.z, np.ones(len(window.train)))
    boosting = Boosting.fit(Window(window.spread, ones, window.validation, window.test), recipe)
    assert (boosting.probability(window.test) == 1).all()


def test_numpy_and_pytorch_step_the_garch_cell_the_same_way(window, recipe):
    import torch

    from tandem.forecast.rivals import garch_gru

    cell = GarchGru.fit(window, recipe)
    inputs = garch_gru._inputs(window.test, cell.scaler, cell.unit)
    block = (*inputs, window.test.labels)
    training = garch_gru._Training(block, block, (0.1, 0.1, 0.8), recipe)
    for name, value in cell.weights.items():
        if name != "variance":
            training.net[name] = torch.from_numpy(value)
    omega, alpha, beta = cell.weights["variance"].tolist()
    training.net["variance"] = torch.tensor(garch_gru._logits(omega, alpha, beta))
    with torch.no_grad():
        expected = torch.sigmoid(training._forward(*training.train[:3])).numpy()
    np.testing.assert_allclose(cell.probability(window.test), expected, atol=1e-5)


def test_the_cells_variance_stays_a_garch_variance(rivals):
    omega, alpha, beta = rivals["garch_gru"].weights["variance"]
    assert omega > 0
    assert min(alpha, beta) > 0
    assert alpha + beta < 1


def test_the_variance_matters_to_the_garch_cell(rivals, window):
    cell = rivals["garch_gru"]
    rows = window.test.rows.copy()
    rows[..., window.test.names.index("garch_residual")] *= 3
    louder = Samples(window.test.names, window.test.bars, rows, window.test.z, window.test.labels)
    assert (cell.probability(louder) != cell.probability(window.test)).any()


def test_a_pool_learns_from_every_pair_and_keeps_each_pairs_scale(window, recipe, quick, simulated_closes):
    other = Window.cut(*np.log(simulated_closes(seed=8)), quick.model_copy(update={"model": recipe}))
    first, second = fit_pooled([window, other], recipe)
    assert first.gru is second.gru
    assert (first.scaler.deviation != second.scaler.deviation).any()
    alone = fit_pooled([window], recipe)[0]
    assert (alone.gru.probability(first.scaler.scale(window.test.rows)) != first.probability(window.test)).any()


def test_a_pool_of_windows_over_other_bars_is_refused(window, recipe, quick, simulated_closes):
    shorter = Window.cut(*np.log(simulated_closes(500)), quick.model_copy(update={"model": recipe}))
    with pytest.raises(ValueError, match="over the same bars"):
        fit_pooled([window, shorter], recipe)
