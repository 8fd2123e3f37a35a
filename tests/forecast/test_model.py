import subprocess
import sys
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tandem.forecast import Forecast, PairModel
from tandem.market import DataError, Refusal


@pytest.fixture
def spread(passport):
    return passport.formation_spread


@pytest.fixture
def with_gru(model):
    return replace(model, trades_with="gru")


def test_a_model_comes_back_from_its_bytes_as_it_was(model, passport, spread):
    again = PairModel.from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    assert again.settings == model.settings
    assert again.history == model.history
    assert again.gru_probability(spread, passport) == model.gru_probability(spread, passport)


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"not a model", msgspec.msgpack.encode((1, {}))])
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(DataError, match="not a pair model"):
        PairModel.from_bytes(content)


def test_a_cut_model_is_refused(model):
    with pytest.raises(DataError):
        PairModel.from_bytes(model.to_bytes()[:-10])


def test_the_baseline_answers_from_the_newest_z_score_alone(model, passport, spread):
    far, near = (model.forecast(spread, passport, z) for z in (2.5, 0.2))
    assert far.probability > 0.8 > 0.5 > near.probability
    assert far.model == "baseline"
    assert far == model.forecast(spread[:50], passport, -2.5)


def test_a_forecast_carries_the_record_of_forecasts_like_it(model, passport, spread):
    forecast = model.forecast(spread, passport, 2.0)
    record = model.calibration.confidence(forecast.probability)
    assert (forecast.confidence, forecast.low, forecast.high) == (record.confidence, record.low, record.high)


def test_the_gru_answers_where_it_trades(with_gru, passport, spread):
    forecast = with_gru.forecast(spread, passport, 2.0)
    assert isinstance(forecast, Forecast)
    assert forecast.model == "gru"
    assert forecast.probability == with_gru.gru_probability(spread, passport.garch.filter(spread))


def test_the_gru_sees_the_last_bars_only_up_to_its_longest_window(with_gru, passport, spread):
    path = passport.garch.filter(spread)
    tail = type(path)(path.residuals[-40:], path.variances[-40:])
    assert with_gru.gru_probability(spread[-40:], tail) == with_gru.gru_probability(spread, path)


def test_the_gru_refuses_far_outside_its_training_range(with_gru, passport, spread):
    jumped = spread.copy()
    jumped[-1] += 40 * passport.deviation
    refusal = with_gru.forecast(jumped, passport, 40.0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "features"
    assert "MA_5" in refusal.why


def test_a_feature_is_strange_beyond_its_training_range_by_half_of_it(with_gru):
    scaler = with_gru.network.scaler
    reach = scaler.high - scaler.low
    assert scaler.strangers(np.array([scaler.low - 0.49 * reach, scaler.high + 0.49 * reach])) == []
    beyond = scaler.high.copy()
    beyond[3] += 0.51 * reach[3]
    assert scaler.strangers(np.array([scaler.mean, beyond])) == [scaler.names[3]]


def test_too_few_bars_are_refused_by_the_gru(with_gru, passport, spread):
    assert isinstance(with_gru.forecast(spread[:5], passport, 1.0), Refusal)
    assert isinstance(with_gru.forecast(spread[:25], passport, 1.0), Refusal)


@pytest.mark.parametrize("z", [np.nan, np.inf])
def test_a_z_score_that_is_no_number_is_refused(model, passport, spread, z):
    assert isinstance(model.forecast(spread, passport, z), Refusal)


def test_forecasting_imports_no_pytorch(with_gru, passport, tmp_path):
    (tmp_path / "model").write_bytes(with_gru.to_bytes())
    (tmp_path / "passport").write_bytes(msgspec.json.encode(passport))
    asks = (
        "import sys, msgspec; from pathlib import Path; from tandem.forecast import PairModel; "
        "from tandem.screening import Passport; here = Path(sys.argv[1]); "
        "passport = msgspec.json.decode((here / 'passport').read_bytes(), type=Passport); "
        "model = PairModel.from_bytes((here / 'model').read_bytes()); "
        "print(model.forecast(passport.formation_spread, passport, 2.0).model, "
        "sorted({'torch', 'mlflow', 'sklearn', 'matplotlib', 'arch', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asks, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "gru []"
