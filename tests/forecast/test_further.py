"""Features beyond the mission's, by registration."""

import numpy as np
import pytest

from tandem.config import GarchSettings, ModelSettings
from tandem.forecast import feature_set, features, register_feature
from tandem.forecast.features import look_back
from tandem.forecast.further import REGISTER
from tandem.market import ConfigError
from tandem.statistics import fit_spread

SPREAD = np.cumsum(np.random.default_rng(2).standard_normal(150)) * 0.01
PATH = fit_spread(SPREAD, GarchSettings()).filter(SPREAD)


def change_over(bars):
    def change(spread, path):
        values = np.full(len(spread), np.nan)
        values[bars:] = spread[bars:] - spread[:-bars]
        return values

    return change


@pytest.fixture(autouse=True)
def register():
    before = dict(REGISTER)
    yield
    REGISTER.clear()
    REGISTER.update(before)


def test_a_registered_feature_follows_the_missions_set():
    register_feature("change_40", change_over(40), look_back=40, mirrored_at=0.0)
    recipe = ModelSettings(features=["change_40"])
    seen = features(SPREAD, PATH, recipe)
    assert seen.names == (*features(SPREAD, PATH, ModelSettings()).names, "change_40")
    assert seen.values[60, -1] == SPREAD[60] - SPREAD[20]
    assert look_back(recipe) == 40 + 9
    assert feature_set(recipe) == "lagged_spread_garch_technical+change_40"
    assert feature_set(ModelSettings()) == "lagged_spread_garch_technical"


def test_a_name_that_nobody_registered_is_one_clear_line():
    with pytest.raises(ConfigError, match="names momentum, which is not registered") as error:
        features(SPREAD, PATH, ModelSettings(features=["momentum"]))
    assert "\n" not in str(error.value)


def test_a_module_named_in_the_settings_registers_its_features(tmp_path, monkeypatch):
    (tmp_path / "desk_features_for_a_test.py").write_text(
        "from tandem.forecast import register_feature\n"
        "register_feature('level', lambda spread, path: spread, look_back=0, mirrored_at='equilibrium')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    recipe = ModelSettings(features=["level"], feature_modules=["desk_features_for_a_test"])
    assert features(SPREAD, PATH, recipe).names[-1] == "level"


def test_a_module_that_is_not_there_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"model\.feature_modules: No module named"):
        features(SPREAD, PATH, ModelSettings(feature_modules=["no_such_module_at_all"]))


def test_two_functions_cannot_have_one_name():
    register_feature("level", lambda spread, path: spread, 0, "equilibrium")
    with pytest.raises(ConfigError, match="registered already"):
        register_feature("level", lambda spread, path: 2 * spread, 0, "equilibrium")


def centred(spread, path):
    return np.convolve(spread, np.ones(5) / 5, "same")


def shifted(spread, path):
    return np.append(spread[1:], spread[-1])


def standardised(spread, path):
    return (spread - spread.mean()) / spread.std()


def filled(spread, path):
    values = change_over(3)(spread, path)
    values[:3] = values[3]
    return values


@pytest.mark.parametrize("function", [centred, shifted, standardised, filled])
def test_a_feature_that_sees_the_future_is_not_registered(function):
    with pytest.raises(ConfigError, match=r"sees the future|reaches further back"):
        register_feature("leak", function, look_back=2, mirrored_at="equilibrium")
    assert "leak" not in REGISTER


def test_a_feature_that_says_too_short_a_look_back_is_not_registered():
    with pytest.raises(ConfigError, match="no value at some bar after its look-back of 10"):
        register_feature("change", change_over(20), look_back=10, mirrored_at=0.0)
    with pytest.raises(ConfigError, match="reaches further back than the 5 bars"):
        register_feature("sum", lambda spread, path: np.cumsum(spread), look_back=5, mirrored_at=0.0)


def test_a_feature_that_is_not_mirrored_as_it_says_is_not_registered():
    with pytest.raises(ConfigError, match="mirrored not at all, it says"):
        register_feature("change", change_over(2), look_back=2)
    with pytest.raises(ConfigError, match=r"mirrored at 0\.0, it says"):
        register_feature("size", lambda spread, path: np.abs(spread), look_back=0, mirrored_at=0.0)


def test_a_feature_has_one_value_a_bar():
    with pytest.raises(ConfigError, match="shape \\[1\\] for 240 bars"):
        register_feature("last", lambda spread, path: spread[-1:], look_back=0, mirrored_at="equilibrium")
