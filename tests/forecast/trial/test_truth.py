"""Recipes whose true worth is known: who takes over, who stays, who stands down."""

from dataclasses import replace

import pytest

from tandem.config import Settings, TrialSettings
from tandem.forecast import BASELINE, decide, watch
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks

SETTINGS = Settings(trial=TrialSettings(draws=200))
MARKET = Market(sessions=120)
DRAWS = 60


def promoted(recipes):
    found = (simulate_tracks(MARKET, recipes, seed) for seed in range(DRAWS))
    return sum(
        decide("simulated", tracks["v1"], tracks["v2"], tracks[BASELINE], SETTINGS).action == "promote"
        for tracks in found
    )


@pytest.mark.slow
def test_an_equal_challenger_is_promoted_no_oftener_than_stated():
    """Nominally 5%: of 60 at most 7, which a rate of 5% exceeds once in a hundred."""
    recipes = {"v1": Worth(2.0, 0.4), "v2": Worth(2.0, 0.4), BASELINE: Worth(0.0, 0.9)}
    assert promoted(recipes) <= 7


@pytest.mark.slow
def test_a_better_challenger_is_promoted_within_half_a_year():
    """A power of 80%: of 60 at least 40, which a power of 80% falls short of once in a hundred."""
    recipes = {"v1": Worth(1.5, 0.5), "v2": Worth(3.5, 0.2), BASELINE: Worth(0.0, 0.9)}
    assert promoted(recipes) >= 40


@pytest.mark.slow
def test_a_champion_that_got_worse_stands_down_and_one_that_did_not_is_kept():
    good, worse = Worth(2.0, 0.4), Worth(-14.0, 1.5)
    actions = {True: [], False: []}
    for seed in range(30):
        record = simulate_tracks(MARKET, {"v1": good}, seed)["v1"]
        for kept, worth in ((True, good), (False, worse)):
            live = simulate_tracks(replace(MARKET, sessions=60), {"v1": worth}, 1000 + seed)["v1"]
            actions[kept].append(watch("simulated", record, live, SETTINGS.trial).action)
    assert actions[True].count("demote") <= 5  # 5% within 60 sessions: six of thirty once in two hundred
    assert actions[False].count("demote") == 30
