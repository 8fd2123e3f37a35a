"""Recipes whose true worth is known: who takes over, who stays, who stands down."""

from dataclasses import replace

import pytest
from scipy.stats import binom

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


BY_MISTAKE = 0.041
"""Of champions that stay what they are, demoted within 60 sessions: `benchmarks/trial.py --full`, 8,000 of them."""


def demoted(worth, draws):
    good, live = Worth(2.0, 0.4), replace(MARKET, sessions=60)
    return sum(
        watch(
            "simulated",
            simulate_tracks(MARKET, {"v1": good}, seed)["v1"],
            simulate_tracks(live, {"v1": worth}, 1_000_000 + seed)["v1"],
            SETTINGS.trial,
        ).action
        == "demote"
        for seed in range(draws)
    )


@pytest.mark.slow
def test_a_champion_that_is_what_it_was_stands_down_by_mistake_as_often_as_stated():
    """The middle 99% of what that rate gives: a limit of 6 demotes 13%, one of 10 1.6%."""
    fewest, most = binom.ppf([0.005, 0.995], 500, BY_MISTAKE)
    assert fewest <= demoted(Worth(2.0, 0.4), 500) <= most


@pytest.mark.slow
def test_a_champion_that_got_worse_always_stands_down():
    assert demoted(Worth(-14.0, 1.5), 30) == 30
