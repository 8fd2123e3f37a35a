"""What competes: the settings of a model under a version name."""

import pytest

from tandem.config import Settings
from tandem.forecast import challenger_of, champion_of
from tandem.market import ConfigError


def settings_with(**challenger):
    return Settings.model_validate({"model": {"epochs": 9}, "trial": {"challenger": challenger}})


def test_a_challenger_is_the_champion_with_changes():
    settings = settings_with(version="v2", gru_units=32)
    champion, challenger = champion_of(settings), challenger_of(settings)
    assert (champion.name, challenger.name) == ("v1", "v2")
    assert (challenger.settings.gru_units, challenger.settings.epochs) == (32, 9)
    assert champion.settings == settings.model


@pytest.mark.parametrize("name", ["v1", "baseline"])
def test_a_challenger_needs_a_name_of_its_own(name):
    with pytest.raises(ConfigError, match=f"called {name} as well"):
        challenger_of(settings_with(version=name))


def test_without_a_challenger_nobody_is_tried():
    with pytest.raises(ConfigError, match="nobody challenges"):
        challenger_of(Settings())
