from dataclasses import replace

import numpy as np
import pytest

from tandem.config import RefitSettings
from tandem.forecast import as_baseline, insane, loss_of, out_of_band
from tandem.market import Pair, Refusal

BAND = RefitSettings(max_loss_rise=0.25, min_record=3, max_refused_share=0.5)


def test_a_sound_pair_passes(passport, model):
    assert insane(passport, model) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_figure_that_is_not_finite_keeps_a_pair_from_trading(passport, model, value):
    strange = replace(model, metrics={**model.metrics, "test_mcc": value})
    assert insane(passport, strange).why == "figures that are not finite: test_mcc"


def test_a_garch_that_did_not_converge_keeps_a_pair_from_trading(passport, model):
    assert (
        insane(replace(passport, garch=replace(passport.garch, converged=False)), model).why == "GARCH did not converge"
    )


def test_a_training_that_diverged_keeps_a_pair_from_trading(passport, model):
    last = replace(model.history[-1], loss=float("nan"))
    assert insane(passport, replace(model, history=(*model.history[:-1], last))).why == "its training diverged"


def with_loss(model, loss):
    return replace(model, metrics={**model.metrics, "validation_log_loss": loss})


@pytest.mark.parametrize(("loss", "passes"), [(0.5, True), (0.74, True), (0.76, False)])
def test_a_refit_whose_losses_leave_the_band_of_its_recipe_does_not_trade(model, loss, passes):
    refusal = out_of_band({}, {model.pair: with_loss(model, loss)}, [0.6, 0.6, 0.6], BAND)
    assert (refusal is None) is passes


def test_a_young_recipe_has_no_band_yet(model):
    assert out_of_band({}, {model.pair: with_loss(model, 9.0)}, [0.6, 0.6], BAND) is None


def test_a_refit_of_which_too_many_pairs_fail_does_not_trade(model):
    models = {Pair("A", letter): model for letter in "BCDE"}
    failed = {pair: Refusal("refit", "GARCH did not converge", "forecast") for pair in list(models)[:3]}
    assert "3 of 4 pairs fail" in out_of_band(failed, models, [], BAND).why
    assert out_of_band(dict(list(failed.items())[:2]), models, [], BAND) is None


def test_the_loss_of_a_refit_is_the_mean_of_its_networks(model):
    without = replace(model, metrics={})
    assert loss_of([with_loss(model, 0.5), with_loss(model, 0.7), without]) == pytest.approx(0.6)
    assert loss_of([without]) is None


def test_a_pair_given_to_the_baseline_says_so_and_trusts_no_record_of_another_model(passport, model):
    gru = replace(model, trades_with="gru")
    z = float(passport.z(passport.formation_spread)[-1])
    given = as_baseline(gru, "v1 was demoted")
    said = given.forecast(passport.formation_spread, passport, z)
    assert (given.why, said.model, said.confidence) == ("the baseline trades: v1 was demoted", "baseline", 0.5)
    assert said.probability == model.baseline_probability(z)
    assert as_baseline(model, "so").calibration == model.calibration
