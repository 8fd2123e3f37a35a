"""Models that are asked at once say what each says alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.config import ModelSettings
from tandem.forecast import Forecast, Question, features, forecast_all
from tandem.forecast.answering.bank import Bank
from tandem.forecast.answering.network import Network
from tandem.forecast.gru import Gru
from tandem.market import Refusal

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def network_like(network, seed):
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-1, 1, each.shape).astype(np.float32) for name, each in network.gru.weights.items()}
    return Network(Gru(weights), network.scaler)


@pytest.fixture(scope="module")
def questions(model, passport):
    """Twelve questions to different networks, of two recipes, at different bars, two of which are refused."""
    spread = passport.formation_spread
    longer = replace(model, settings=model.settings.model_copy(update={"sequence_length": 12}), trades_with="gru")
    asked = []
    for seed in range(12):
        which = longer if seed % 5 == 4 else replace(model, trades_with="baseline" if seed == 3 else "gru")
        own, end = replace(which, network=network_like(model.network, seed)), 600 - 7 * seed
        values = spread[: 8 if seed == 6 else end] + (40 * passport.deviation if seed == 8 else 0)
        asked.append(Question(own, values, passport.garch.filter(values), 0.1 * seed))
    return asked


def test_each_answers_as_if_it_were_alone(questions):
    together = forecast_all(questions)
    assert together == [asked.model.forecast(asked.spread, asked.path, asked.z_now) for asked in questions]
    assert [each.model for each in together if isinstance(each, Forecast)].count("gru") == 9
    assert [each.reason for each in together if isinstance(each, Refusal)] == ["model", "features"]


@LAW
@given(data=st.data())
def test_who_else_is_asked_and_in_which_order_changes_no_bit(questions, data):
    chosen = data.draw(st.lists(st.integers(0, 11), min_size=1, max_size=12))
    alone = forecast_all(questions)
    assert forecast_all([questions[place] for place in chosen]) == [alone[place] for place in chosen]


@LAW
@given(data=st.data())
def test_bars_before_the_reach_of_a_model_change_no_bit(questions, data):
    asked = questions[data.draw(st.sampled_from([0, 1, 4]))]
    kept = data.draw(st.integers(asked.model.reach, len(asked.spread)))
    path = type(asked.path)(asked.path.residuals[-kept:], asked.path.variances[-kept:])
    assert forecast_all([replace(asked, spread=asked.spread[-kept:], path=path)]) == forecast_all([asked])


def test_a_bank_says_what_each_network_says(model):
    networks = tuple(network_like(model.network, seed) for seed in range(5))
    rng = np.random.default_rng(1)
    rows = model.network.scaler.mean + rng.uniform(-1, 1, (5, 10, 12)) * model.network.scaler.deviation / 2
    said = Bank.of(networks).ask(rows)
    plain = [each.gru.probability(each.scaler.scale(own)[None])[0] for each, own in zip(networks, rows, strict=True)]
    assert said == pytest.approx(plain, abs=1e-12)
    assert len(set(said)) == 5


def test_the_same_networks_are_stacked_once(model):
    networks = (model.network, network_like(model.network, 1))
    assert Bank.of(networks) is Bank.of(networks)


def test_nobody_asked_is_nothing_said():
    assert forecast_all([]) == []


def test_features_of_the_newest_bars_are_those_of_the_whole_pass(questions):
    asked = questions[0]
    recipe: ModelSettings = asked.model.settings
    reach, length = asked.model.reach, recipe.sequence_length
    path = type(asked.path)(asked.path.residuals[-reach:], asked.path.variances[-reach:])
    newest = features(asked.spread[-reach:], path, recipe).values[-length:]
    np.testing.assert_array_equal(newest, features(asked.spread, asked.path, recipe).values[-length:])
