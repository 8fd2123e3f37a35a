"""Champion, challenger and baseline on what all of them have."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from tandem.config import Settings, TrialSettings
from tandem.forecast import BASELINE, Trials, decide
from tandem.forecast.trial.bootstrap import block_length, confidence_set, superior
from tandem.forecast.trial.comparison import LEAST_DAYS, compare
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks
from tandem.forecast.trial.split import compare_split

MARKET = Market(sessions=120)
QUICK = TrialSettings(draws=200)
SETTINGS = Settings(trial=QUICK)


@pytest.fixture(scope="module")
def tracks():
    recipes = {"v1": Worth(1.0, 0.6), "v2": Worth(4.0, 0.1), "worse": Worth(-2.0, 1.2), BASELINE: Worth(0.5, 0.9)}
    return simulate_tracks(MARKET, recipes, 5)


def test_a_better_challenger_is_promoted_with_its_evidence(tracks):
    found = decide("technology", tracks["v1"], tracks["v2"], tracks[BASELINE], SETTINGS)
    assert (found.action, found.recipe, found.against, found.sector) == ("promote", "v2", "v1", "technology")
    evidence = found.evidence
    assert evidence["log_loss_pvalue"] < 0.01
    assert evidence["log_loss_v2"] < evidence["log_loss_v1"]
    assert evidence["f1_score"] >= 0.7
    assert 0.45 < evidence["base_rate"] < 0.55
    assert evidence["days"] == 120 >= evidence["min_track_record"]
    assert "base rate" in found.why
    assert all(np.isfinite(list(evidence.values())))


def test_a_worse_challenger_is_not_and_the_reasons_are_told(tracks):
    found = decide("technology", tracks["v1"], tracks["worse"], tracks[BASELINE], SETTINGS)
    assert found.action == "keep"
    for reason in (
        "no evidence that worse beats v1 and baseline",
        "another is better by log_loss",
        "F1 0.",
        "luck gives",
    ):
        assert reason in found.why


def test_a_challenger_that_does_nothing_otherwise_is_not_promoted(tracks):
    twin = replace(tracks["v1"], recipe="twin")
    found = decide("technology", tracks["v1"], twin, tracks[BASELINE], SETTINGS)
    assert found.action == "keep"
    assert "twin has done nothing otherwise than v1" in found.why


def test_books_that_differ_on_too_few_sessions_are_not_called_alike(tracks):
    first = sorted(tracks[BASELINE].pnl)[:6]
    without = tracks[BASELINE].grades.where(np.zeros(len(tracks[BASELINE].grades), dtype=bool))
    few = replace(tracks[BASELINE], pnl={day: tracks[BASELINE].pnl[day] for day in first}, grades=without)
    found = decide("technology", tracks["v1"], tracks["v2"], few, SETTINGS)
    assert "nothing otherwise" not in found.why
    assert found.why.startswith(
        f"v2 cannot be told from v1 yet: net_pnl is known of all of them on 6 sessions, at least {LEAST_DAYS}, "
        f"log_loss is known of all of them on 0 sessions, at least {LEAST_DAYS}"
    )


def test_too_few_pairs_of_a_split_are_not_called_alike(tracks):
    found = compare_split(tracks["v1"], tracks["v2"], QUICK)
    assert [(each.name, each.why) for each in found.unmeasured if each.name == "net_pnl"] == [
        ("net_pnl", "known of 0 of its pairs and 0 of the champion's, at least 3")
    ]
    assert not found.alike


def test_no_trial_may_decide_on_fewer_sessions_than_can_be_measured():
    assert TrialSettings(min_days=LEAST_DAYS).min_days == LEAST_DAYS
    with pytest.raises(ValidationError, match="greater than or equal to 10"):
        TrialSettings(min_days=LEAST_DAYS - 1)


def test_who_beats_the_champion_and_not_the_baseline_leaves_things_as_they_are(tracks):
    found = decide("technology", tracks["worse"], tracks["v1"], replace(tracks["v2"], recipe=BASELINE), SETTINGS)
    assert found.evidence["log_loss_pvalue"] < 0.01
    assert found.evidence["log_loss_pvalue_baseline"] > 0.5
    assert found.action == "keep"


def test_a_champion_that_is_the_baseline_is_compared_once(tracks):
    found = compare(tracks[BASELINE], tracks["v2"], None, QUICK)
    assert [set(each.losses) for each in found.measures] == [{BASELINE, "v2"}] * 2
    assert all(each.over_champion == each.over_baseline for each in found.measures)


def test_without_a_book_of_the_baseline_its_forecasts_are_known_and_its_profit_is_not(tracks):
    found = {each.name: each for each in compare(tracks["v1"], tracks["v2"], None, QUICK).measures}
    assert found["net_pnl"].over_baseline is None
    assert not found["net_pnl"].is_won(1.0)
    assert found["log_loss"].over_baseline is not None


def test_variance_forecasts_that_are_the_same_decide_nothing_and_better_ones_do(tracks):
    assert {each.name for each in compare(tracks["v1"], tracks["v2"], None, QUICK).measures} == {"net_pnl", "log_loss"}
    grades = tracks["v1"].grades
    wide = replace(tracks["v1"], grades=replace(grades, variances=grades.variances * 2.0))
    found = {each.name: each for each in compare(wide, tracks["v2"], tracks[BASELINE], QUICK).measures}
    assert found["qlike"].over_champion < 0.01
    assert found["qlike"].over_baseline == 1.0
    assert found["qlike"].losses["v2"] < found["qlike"].losses["v1"]


def test_only_days_that_all_have_count(tracks):
    later = {day: earned for day, earned in tracks["v2"].pnl.items() if day > date(2022, 3, 1)}
    found = compare(tracks["v1"], replace(tracks["v2"], pnl=later), tracks[BASELINE], QUICK)
    assert found.days == len(later)
    assert found.measures[0].days == len(later)


def test_the_same_seed_gives_the_same_verdict(tracks):
    one, other = (decide("t", tracks["v1"], tracks["v2"], tracks[BASELINE], SETTINGS) for _ in range(2))
    assert one == other


def test_a_short_record_decides_nothing_however_good(tracks):
    days = sorted(tracks["v2"].pnl)[:40]
    short = {name: replace(t, pnl={day: t.pnl[day] for day in days}) for name, t in tracks.items()}
    found = decide("technology", short["v1"], short["v2"], short[BASELINE], SETTINGS)
    assert found.action == "keep"
    assert "40 sessions on record, at least 60" in found.why


def test_more_trials_ask_for_a_longer_record(tracks):
    needed = [
        decide("t", tracks["v1"], tracks["v2"], tracks[BASELINE], SETTINGS, Trials(count, 0.01)).evidence
        for count in (1, 10, 50)
    ]
    assert [each["trials"] for each in needed] == [1, 10, 50]
    assert needed[0]["min_track_record"] < needed[1]["min_track_record"]
    assert needed[0]["deflated_sharpe"] > needed[1]["deflated_sharpe"] > needed[2]["deflated_sharpe"]


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ({"min_f1_score": 0.8}, "F1 0."),
        ({"min_sharpe_ratio": 9}, "Sharpe ratio"),
        ({"max_drawdown": 0.001}, "drawdown"),
    ],
)
def test_a_better_challenger_that_fails_a_gate_is_not_promoted(tracks, thresholds, told):
    settings = Settings.model_validate({"trial": QUICK.model_dump(), "performance_thresholds": thresholds})
    found = decide("technology", tracks["v1"], tracks["v2"], tracks[BASELINE], settings)
    assert found.action == "keep"
    assert told in found.why
    assert "no evidence" not in found.why


def test_series_that_never_differ_are_no_evidence():
    values = np.random.default_rng(1).standard_normal(60)
    assert superior(values, values.copy(), draws=200, seed=1) == 1.0
    noisy = values + 1 + np.random.default_rng(2).standard_normal(60)
    found = confidence_set({"a": values, "b": values, "c": noisy}, draws=200, seed=1)
    assert found["a"] == found["b"] == 1.0
    assert found["c"] < 0.05


def test_blocks_are_longer_where_days_depend_on_each_other():
    noise = np.random.default_rng(4).standard_normal(400)
    walk = np.convolve(noise, np.ones(15), "valid")
    assert block_length([noise]) < block_length([walk]) <= len(walk) // 4
    assert block_length([np.zeros(30), np.r_[np.zeros(29), 1.0]]) >= 1


def test_losses_come_in_the_order_of_days(tracks):
    """A record whose days were folded in another order says the same."""
    track = tracks["v2"]
    backwards = replace(track, pnl=dict(reversed(track.pnl.items())))
    assert np.array_equal(track.returns, backwards.returns)
    assert track.days == sorted(backwards.pnl)
    assert timedelta(0) < track.days[-1] - track.days[0]
