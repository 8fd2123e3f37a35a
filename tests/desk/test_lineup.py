"""Which recipes are fitted on a morning."""

from datetime import date

import pytest

from tandem.config import ModelSettings, Settings
from tandem.desk.lineup import line_up
from tandem.forecast import RecipeStaged
from tandem.market import Calendar, World, WorldKind
from tandem.store import MemoryFacts, Record, Stage, Stages

SESSION = Calendar().session(date(2022, 11, 25))
TECH, GOOD = "technology", {"spa_pvalue": 0.01}
V1, V2, V3 = (ModelSettings(version=version) for version in ("v1", "v2", "v3"))


@pytest.fixture
def facts():
    return MemoryFacts(World(WorldKind.BACKTEST, 1))


def names(facts, model, *challengers, sector=TECH):
    (found,) = line_up(facts, SESSION, Settings(model=model), [sector], challengers)
    return [recipe.name for recipe in found.recipes]


def test_the_champion_comes_first_then_its_challengers_then_what_would_take_over(facts):
    assert names(facts, V1, V2) == ["v1", "v2"]
    Stages(facts).promote(TECH, "v2", why="better", by="trial", at=SESSION.open, evidence=GOOD)
    assert names(facts, V3) == ["v2", "v3", "v1"]


def test_each_sector_has_stages_of_its_own(facts):
    line_up(facts, SESSION, Settings(model=V1), [TECH, "energy"], [V2])
    Stages(facts).promote(TECH, "v2", why="better", by="trial", at=SESSION.open, evidence=GOOD)
    assert names(facts, V1, V2, sector="energy") == ["v1", "v2"]
    assert names(facts, V1, V2) == ["v2", "v1"]


def test_a_withdrawn_recipe_is_fitted_no_more_even_where_the_settings_name_it(facts):
    names(facts, V1, V2)
    Stages(facts).withdraw(TECH, "v2", why="too slow", by="ada", at=SESSION.open)
    assert names(facts, V2) == ["v1"]
    assert Stages(facts).board(TECH).stages == {"v1": Stage.PRODUCTION, "v2": Stage.ARCHIVED}


def test_a_sector_without_a_good_recipe_has_one_fitted_for_the_baseline_alone(facts):
    names(facts, V1)
    Stages(facts).demote(TECH, "v1", why="out of its band", by="trial", at=SESSION.open)
    (found,) = line_up(facts, SESSION, Settings(model=V1), [TECH])
    assert ([recipe.name for recipe in found.recipes], found.production) == (["v1"], None)
    assert found.why_not("") == "no recipe is in Production since v1 was demoted"


def test_a_recipe_that_this_version_cannot_read_is_left_out_and_on_record(facts):
    strange = RecipeStaged("v0", {"no_such_setting": 1}, "digest", "commit")
    facts.append(Record(strange, SESSION.day, SESSION.morning, "recipe.v0"))
    Stages(facts).stage(TECH, "v0", why="new", by="ada", at=SESSION.morning)
    (found,) = line_up(facts, SESSION, Settings(model=V1), [TECH])
    assert [recipe.name for recipe in found.recipes] == ["v1"]
    assert found.production == "v0"
    assert found.why_not("") == "v0 could not be fitted"
