"""Champion and challenger on different pairs of one book."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.config import TrialSettings
from tandem.forecast import compare_split
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks

QUICK = TrialSettings(mode="split", draws=200)
MARKET = Market(sessions=80, pairs=12)


def halves(champion, challenger, seed=1, baseline_blur=0.6):
    """Six pairs each, of a market in which the baseline is not the best forecast either."""
    tracks = simulate_tracks(MARKET, {"v1": champion, "v2": challenger, "plain": Worth(blur=baseline_blur)}, seed)
    plain = tracks["plain"].grades.probability
    names = np.unique(tracks["v1"].grades.pairs)
    sides = {"v1": names[::2], "v2": names[1::2]}
    found = []
    for name, own in sides.items():
        grades = replace(tracks[name].grades, baseline=plain)
        found.append(replace(tracks[name], grades=grades.where(np.isin(grades.pairs, own))))
    return found


def log_loss_of(compared):
    return next(each for each in compared.measures if each.name == "log_loss")


def test_a_better_challenger_wins_on_other_pairs():
    found = log_loss_of(compare_split(*halves(Worth(blur=0.9), Worth(blur=0.1)), QUICK))
    assert found.over_champion < 0.02
    assert found.over_baseline < 0.02
    assert found.losses["v2"] < found.losses["v1"]
    assert found.is_won(0.05)


def test_a_worse_one_is_found_to_be():
    compared = compare_split(*halves(Worth(blur=0.1), Worth(blur=0.9)), QUICK)
    assert not compared.won(0.05)
    assert [each.name for each in compared.lost(0.05)] == ["log_loss"]


def test_equal_recipes_win_no_oftener_than_chance_though_pairs_differ():
    """Thirty draws at 10%: 8 or more once in a hundred."""
    wins = 0
    for seed in range(30):
        found = log_loss_of(compare_split(*halves(Worth(blur=0.4), Worth(blur=0.4), seed), QUICK))
        wins += found.over_champion < 0.1
    assert wins <= 7


def test_profit_is_shown_by_pair_and_decides_nothing():
    champion, challenger = halves(Worth(blur=0.4), Worth(blur=0.4))
    names = [sorted(set(track.grades.pairs.tolist())) for track in (champion, challenger)]
    champion = replace(champion, of_pairs=dict.fromkeys(names[0], -5.0) | {names[0][0]: -6.0})
    challenger = replace(challenger, of_pairs=dict.fromkeys(names[1], 50.0))
    found = next(each for each in compare_split(champion, challenger, QUICK).measures if each.name == "net_pnl")
    assert found.over_champion < 0.01
    assert found.losses["v2"] == pytest.approx(-50 / challenger.capital)
    assert not found.is_won(0.05)


def test_two_pairs_on_a_side_are_no_experiment():
    champion, challenger = halves(Worth(), Worth())
    few = replace(challenger, grades=challenger.grades.where(np.isin(challenger.grades.pairs, ["A1/B1", "A3/B3"])))
    assert compare_split(champion, few, QUICK).measures == ()
