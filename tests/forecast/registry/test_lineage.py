"""The mission's names: every parameter, figure and tag of a run is there."""

import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tandem.config import Settings
from tandem.forecast import RecipeStaged, means, with_record
from tandem.forecast.registry import lineage
from tandem.market import Session, World, WorldKind

DAY = Session(date(2026, 4, 14), datetime(2026, 4, 14, 13, 30, tzinfo=UTC), datetime(2026, 4, 14, 20, 0, tzinfo=UTC))
WORLD = World(WorldKind.PAPER, 1)
NETWORK = "sequence_length gru_units dropout_rate learning_rate batch_size epochs validation_split"
GARCH = "garch_order garch_model_type"
DATA = "sector min_data_points train_start_date train_end_date test_start_date test_end_date lookback_days"
FEATURES = "lag_features technical_indicators z_score_window volatility_window"
SCORES = "f1_score accuracy precision recall"
TRADING = "sharpe_ratio max_drawdown total_return win_rate profit_factor calmar_ratio avg_trade_duration"
VALIDATION = "cointegration_pvalue arch_test_pvalue ljung_box_pvalue adf_test_pvalue garch_aic garch_bic"
OURS = "base_rate f1_score_ar1 f1_score_logistic f1_score_always_one mcc roc_auc brier"
TAGS = "sector model_type feature_set training_date data_version code_version garch_order sequence_length"


@pytest.fixture(scope="module")
def recorded(passport, model, simulated_closes, quick):
    closes = simulated_closes(3000, phi=0.9, seed=5)
    starts = [datetime(2025, 1, 6, 15, tzinfo=UTC) + timedelta(days=bar // 7, hours=bar % 7) for bar in range(3000)]
    dear = quick.model_copy(update={"costs": Settings.model_validate({"costs": {"spread_bps": 40}}).costs})
    return with_record(model, *closes, dear, starts)


def test_every_parameter_of_the_mission_is_logged(recorded, quick):
    assert {*NETWORK.split(), *GARCH.split(), *DATA.split(), *FEATURES.split()} <= lineage.params(
        "technology", quick, recorded
    ).keys()


def test_what_the_network_learns_from_is_logged_beside_them(recorded, quick):
    params = lineage.params("technology", quick, recorded)
    assert {"symmetric": True, "practice": 100, "distillation": 0.7}.items() <= params.items()


def test_every_metric_of_the_mission_and_of_the_statistics_is_logged(passport, recorded):
    figures = lineage.figures(passport, recorded)
    scores = {f"{block}_{score}" for block in ("train", "test") for score in f"{SCORES} {OURS}".split()}
    assert {*scores, *TRADING.split(), *VALIDATION.split()} <= figures.keys()


def test_every_epoch_is_logged_with_loss_and_f1_of_both_blocks(recorded):
    steps = lineage.epochs(recorded)
    assert {name for name, _, _ in steps} == {
        "epoch_loss", "epoch_f1_score", "epoch_validation_loss", "epoch_validation_f1_score",
    }  # fmt: skip
    assert {step for _, _, step in steps} == {1, 2, 3, 4}


def test_every_tag_of_the_mission_is_set(passport, recorded, quick):
    tags = lineage.tags(DAY, "technology", [passport], {passport.pair: recorded}, quick, WORLD)
    assert set(TAGS.split()) <= tags.keys()
    here = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    assert tags["code_version"] == subprocess.run(here, capture_output=True, text=True, check=True).stdout.strip()
    assert tags["recipe_digest"] == RecipeStaged.of(quick.model).digest


def test_the_feature_set_names_the_further_features(passport, recorded, quick):
    recipe = quick.model.model_copy(update={"features": ["momentum"]})
    further = quick.model_copy(update={"model": recipe})
    tags = lineage.tags(DAY, "technology", [passport], {passport.pair: recorded}, further, WORLD)
    assert tags["feature_set"] == "lagged_spread_garch_technical+momentum"


def test_the_data_version_is_of_all_bars_that_were_read(passport, recorded, quick):
    def version(of):
        return lineage.tags(DAY, "technology", [passport], {passport.pair: of}, quick, WORLD)["data_version"]

    assert version(recorded) != version(replace(recorded, data_version="another"))
    assert version(replace(recorded, data_version="")) == passport.data_version


def test_the_name_of_a_model_is_the_missions():
    assert lineage.model_name(DAY, "Technology", "v2") == "pairs_trading_gru_garch_technology_v2_20260414"
    assert lineage.experiment_of("technology", Settings()) == "pairs_trading/technology_sector/gru_garch_hybrid_v1"


def test_a_mean_is_of_those_that_have_a_figure():
    assert means([{"a": 1.0, "b": float("nan")}, {"a": 3.0}, {"c": 2.0}]) == {"a": 2.0, "c": 2.0}


def test_a_recipe_is_known_by_code_and_settings(quick):
    recipe = RecipeStaged.of(quick.model)
    assert recipe.model(quick.model.timeframe) == quick.model
    other = quick.model.model_copy(update={"gru_units": 17})
    assert RecipeStaged.of(other).digest != recipe.digest
    assert recipe.changes(other) == ("gru_units 16 is now 17",)
    assert recipe.changes(quick.model.model_copy(update={"version": "v9", "timeframe": "1Day"})) == ()
    # A setting that came later counts by its default.
    older = {name: value for name, value in recipe.settings.items() if name != "patience"}
    assert replace(recipe, settings=older).changes(quick.model) == ()
