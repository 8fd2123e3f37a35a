from datetime import timedelta

import numpy as np
import pytest

from tandem.forecast import Calibration, Evidence, reverts, train_pair
from tandem.forecast.baselines import HalfLifeForecast
from tandem.forecast.features import look_back
from tandem.forecast.training.judgement import Judgement, baseline_calibration, judge
from tandem.forecast.window import Window
from tandem.market import Refusal


def test_the_missions_figures_and_every_rival_are_reported(model):
    for block in ("train", "test"):
        for score in ("f1_score", "accuracy", "precision", "recall", "mcc", "roc_auc", "brier", "log_loss"):
            names = [f"{block}_{score}", *(f"{block}_{score}_{rival}" for rival in ("ar1", "logistic", "always_one"))]
            assert set(names) <= set(model.metrics)
    base_rate = model.metrics["test_base_rate"]
    assert model.metrics["test_f1_score_always_one"] == pytest.approx(2 * base_rate / (1 + base_rate))
    assert all(type(value) is float and np.isfinite(value) for value in model.metrics.values())


def test_training_twice_gives_the_same_model(passport, closes, quick, model):
    assert train_pair(passport, *closes, quick).to_bytes() == model.to_bytes()


def test_on_an_ornstein_uhlenbeck_spread_the_baseline_trades_and_says_why(model):
    assert model.trades_with == "baseline"
    assert "no evidence that the GRU beats" in model.why
    assert model.network is not None


def test_no_block_sees_into_another(closes, quick):
    window = Window.cut(*np.log(closes), quick)
    reach, horizon = look_back(quick.model), window.spread.horizon
    for earlier, later in ((window.train, window.validation), (window.validation, window.test)):
        assert earlier.bars[-1] + horizon < later.bars[0] - reach


def test_what_comes_after_the_train_block_changes_nothing_that_was_learned_on_it(closes, quick):
    window = Window.cut(*np.log(closes), quick)
    seen = window.train.bars[-1] + window.spread.horizon + 1
    other = np.log(closes)
    other[:, seen:] += np.random.default_rng(6).standard_normal((2, len(closes[0]) - seen))
    changed = Window.cut(*other, quick)
    assert changed.spread.equilibrium == window.spread.equilibrium
    assert changed.spread.phi == window.spread.phi
    assert changed.train.rows.tobytes() == window.train.rows.tobytes()
    assert (changed.train.labels == window.train.labels).all()


def test_the_test_block_changes_neither_the_training_nor_the_calibration(closes, quick):
    window = Window.cut(*np.log(closes), quick)
    after = int(window.validation.bars[-1]) + window.spread.horizon + 1
    moved = np.log(closes)
    moved[0, after:] += 0.01 * np.random.default_rng(8).standard_normal(len(closes[0]) - after)
    other = Window.cut(*moved, quick)
    first, second = judge(window, quick.model), judge(other, quick.model)
    assert second.lesson.history == first.lesson.history
    assert second.calibration == first.calibration
    assert baseline_calibration(other, quick.model) == baseline_calibration(window, quick.model)
    assert second.metrics["test_f1_score"] != first.metrics["test_f1_score"]


def test_the_gru_replaces_the_baseline_only_on_every_kind_of_evidence(quick):
    def judgement(pvalue, mcc, nothing=0.7):
        scores = {"test_mcc": mcc, "test_mcc_ar1": 0.3, "test_log_loss": 0.5, "test_log_loss_ar1": 0.6}
        evidence = Evidence(2.0, pvalue, 100)
        scores["test_log_loss_always_one"] = nothing
        return Judgement(None, scores, evidence, None, {}).choice(quick.model)

    assert judgement(0.01, 0.4)[0]
    assert not judgement(0.2, 0.4)[0]
    assert not judgement(0.01, 0.2)[0]
    beaten_by_the_base_rate, why = judgement(0.01, 0.4, nothing=0.45)
    assert not beaten_by_the_base_rate
    assert why.startswith("neither knows more than the base rate, though the GRU beats the AR(1) forecast")
    assert "knowing nothing loses 0.450 (needs to be more)" in why


def test_a_gru_of_the_label_toward_is_for_comparison_only(passport, closes, quick, model):
    toward = quick.model_copy(update={"model": quick.model.model_copy(update={"label": "toward"})})
    other = train_pair(passport, *closes, toward)
    assert other.trades_with == "baseline"
    assert "`toward` is for comparison" in other.why
    assert other.metrics["test_f1_score_ar1"] == other.metrics["test_f1_score_always_one"]
    assert [each.frequency for each in other.calibration.bins] == [each.frequency for each in model.calibration.bins]


def test_too_few_data_points_leave_the_baseline_with_the_refusal(passport, closes, quick):
    strict = quick.model_copy(update={"model": quick.model.model_copy(update={"min_data_points": 1800})})
    model = train_pair(passport, *closes, strict)
    assert model.trades_with == "baseline"
    assert isinstance(model.refusal, Refusal)
    assert model.refusal.reason == "model"
    assert "600 bars" in model.why
    assert model.network is None
    assert model.metrics["test_f1_score_ar1"] > 0
    assert model.calibration.bins


def test_a_spread_that_does_not_revert_over_the_train_block_is_refused(passport, closes, quick):
    alternating = 1 + 0.01 * (-1.0) ** np.arange(600)
    model = train_pair(passport, closes[1] * alternating, closes[1], quick)
    assert "does not revert" in model.why
    assert not model.calibration.bins


def test_a_window_too_short_to_cut_is_refused(quick, passport_of, simulated_closes):
    closes = simulated_closes(140)
    model = train_pair(passport_of(*closes), *closes, quick)
    assert model.refusal is not None
    assert model.metrics == {}


def test_the_periods_are_in_time_order_and_dated(model, passport):
    first, second, third = (model.periods[name] for name in ("train", "validation", "test"))
    assert first.first <= first.last <= second.first <= second.last <= third.first <= third.last
    assert third.last <= passport.window_last.date()


def test_a_training_window_may_reach_further_back_than_the_passports(passport, quick, simulated_closes):
    closes = simulated_closes(700)
    assert train_pair(passport, *closes, quick).periods == {}
    starts = [passport.starts[0] + timedelta(minutes=bar) for bar in range(700)]
    assert set(train_pair(passport, *closes, quick, starts).periods) == {"train", "validation", "test"}


def test_a_confidence_interval_of_overlapping_labels_covers_what_it_promises():
    rng = np.random.default_rng(7)
    phi, horizon, covered, naive = 0.93, 10, [], []
    forecast = HalfLifeForecast.of(phi, horizon)
    for _ in range(150):
        spread = np.zeros(700)
        for bar in range(1, len(spread)):
            spread[bar] = phi * spread[bar - 1] + np.sqrt(1 - phi**2) * rng.standard_normal()
        spread = spread[300:]
        came = reverts(spread, 0.0, horizon)[:-horizon]
        said = forecast.probability(spread)[:-horizon]
        for overlap, hits in ((horizon, covered), (1, naive)):
            for each in Calibration.fit(said, came, overlap).bins:
                low, high = each.interval
                hits.append(low <= each.forecast <= high)
    assert np.mean(covered) > 0.93
    assert np.mean(naive) < 0.9
