import numpy as np
import pytest

from tandem.forecast import Evidence


def test_a_forecast_that_loses_less_every_time_is_evidence():
    rng = np.random.default_rng(1)
    champion = 0.7 + 0.1 * rng.standard_normal(200)
    evidence = Evidence.of(champion, champion - 0.1 + 0.02 * rng.standard_normal(200), horizon=5)
    assert evidence.statistic > 3
    assert evidence.pvalue < 0.01


def test_the_test_is_one_sided():
    rng = np.random.default_rng(2)
    champion, challenger = 0.5 + 0.1 * rng.standard_normal((2, 200))
    one, other = Evidence.of(champion, challenger, 3), Evidence.of(challenger, champion, 3)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.pvalue + other.pvalue == pytest.approx(1)


def test_equal_losses_are_no_evidence():
    losses = np.random.default_rng(3).random(100)
    assert Evidence.of(losses, losses, 2).pvalue == 1


def test_under_three_horizons_there_is_no_evidence():
    champion = np.ones(25) + np.random.default_rng(4).random(25)
    assert Evidence.of(champion, champion - 0.5, horizon=10).pvalue == 1


def test_losses_that_overlap_do_not_pass_for_evidence_too_often():
    rng = np.random.default_rng(5)
    horizon, trials = 10, 400
    found = 0
    for _ in range(trials):
        difference = np.convolve(rng.standard_normal(209), np.ones(horizon), "valid")
        found += Evidence.of(difference, np.zeros(200), horizon).pvalue < 0.05
    assert found / trials < 0.09
