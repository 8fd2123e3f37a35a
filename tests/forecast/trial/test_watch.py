"""Whether the champion still is what its record says."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from tandem.config import TrialSettings
from tandem.forecast import watch
from tandem.forecast.trial.cusum import Expected, average_run_length, cusum
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks
from tandem.forecast.trial.stability import Stability, stability_index

SETTINGS = TrialSettings()
DAY = date(2024, 1, 1)
KNOWN = Expected(0.0, 1.0, 10**9)


def days_of(values):
    return {DAY + timedelta(n): float(value) for n, value in enumerate(values)}


def live(worth, seed=11, **changes):
    return simulate_tracks(Market(**{"sessions": 120, **changes}), {"v1": worth}, seed)["v1"]


@pytest.fixture(scope="module")
def record():
    return live(Worth(2.0, 0.3), seed=10)


def test_a_champion_that_is_what_it_was_is_kept(record):
    found = watch("technology", record, live(Worth(2.0, 0.3)), SETTINGS)
    assert (found.action, found.recipe, found.against) == ("keep", "v1", "")
    assert found.why == "within the band of its record for 120 sessions"
    assert found.evidence["cusum_net_pnl"] < found.evidence["cusum_limit"]
    assert found.evidence["record_days"] == 120


def test_one_session_is_one(record):
    first = replace(
        record, pnl=days_of(range(1)), grades=record.grades.where(record.grades.sessions < np.datetime64(DAY))
    )
    assert watch("technology", record, first, SETTINGS).why == "within the band of its record for 1 session"


@pytest.mark.parametrize(
    ("worth", "told"),
    [
        (Worth(-25.0, 0.3), "net_pnl left the band of its record on 2022-"),
        (Worth(2.0, 2.5), "log_loss left the band"),
        (Worth(2.0, 0.3, tilt=2.0), "drifted: stability index"),
    ],
)
def test_a_champion_that_got_worse_stands_down(record, worth, told):
    found = watch("technology", record, live(worth), SETTINGS)
    assert found.action == "demote"
    assert told in found.why


def test_a_record_too_short_to_expect_anything_says_nothing(record):
    short = replace(
        record,
        pnl=days_of(range(10)),
        grades=record.grades.where(record.grades.sessions < np.datetime64(DAY, "D") - 720),
    )
    found = watch("technology", short, live(Worth(-25.0, 3.0)), SETTINGS)
    assert found.action == "keep"
    assert not any(name.startswith(("cusum", "stability")) for name in found.evidence)


@pytest.mark.parametrize(("slack", "limit", "published"), [(0.5, 4.0, 336), (0.5, 5.0, 930)])
def test_the_run_length_is_the_textbooks(slack, limit, published):
    """Montgomery, Statistical Quality Control: two-sided 168 and 465, so 336 and 930 on one side."""
    assert average_run_length(0.0, slack, limit) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(("shift", "published"), [(0.5, 38.0), (1.0, 10.4), (2.0, 4.01)])
def test_the_delay_is_the_textbooks(shift, published):
    assert average_run_length(shift, 0.5, 5.0) == pytest.approx(published, rel=0.04)


def test_the_run_length_where_slack_and_shift_meet_is_the_limit_of_its_neighbours():
    near = average_run_length(0.5 + 1e-4, 0.5, 5.0), average_run_length(0.5 - 1e-4, 0.5, 5.0)
    assert near[0] < average_run_length(0.5, 0.5, 5.0) < near[1]
    assert near[0] == pytest.approx(near[1], rel=0.01)


def test_false_alarms_come_as_often_as_stated():
    """The plain way, over many independent normal days at a low limit."""
    generator = np.random.default_rng(3)
    lengths = []
    for _ in range(300):
        found = cusum(KNOWN, days_of(generator.standard_normal(1500)), 0.5, 3.0)
        assert found.crossed is not None
        lengths.append((found.crossed - DAY).days + 1)
    assert np.mean(lengths) == pytest.approx(average_run_length(0.0, 0.5, 3.0), rel=0.15)


def test_the_sum_never_falls_below_zero_and_says_when_it_crossed():
    values = [-50.0] * 10 + [2.5] * 4
    found = cusum(KNOWN, days_of(values), 0.5, 6.0)
    assert found.crossed == DAY + timedelta(13)
    assert found.level == found.highest == pytest.approx(8.0, abs=0.01)


def test_days_that_depend_on_each_other_are_given_a_wider_band():
    noise = np.random.default_rng(2).standard_normal(2000)
    path = np.zeros(2000)
    for day in range(1, 2000):
        path[day] = 0.6 * path[day - 1] + noise[day]
    found = Expected.of(path)
    assert found.deviation == pytest.approx(1 / (1 - 0.6), rel=0.25)
    assert Expected.of(noise).deviation == pytest.approx(1.0, rel=0.1)


def test_a_short_record_is_given_more_slack():
    values = np.random.default_rng(5).standard_normal(25)
    assert cusum(Expected.of(values), {}, 0.5, 6.0).slack == pytest.approx(0.5 + 0.2)


def test_the_index_is_zero_for_the_same_and_the_same_both_ways():
    one, other = np.array([0.2, 0.3, 0.5]), np.array([0.5, 0.3, 0.2])
    assert stability_index(one, one) == 0
    assert stability_index(one, other) == stability_index(other, one) == pytest.approx(2 * 0.3 * np.log(2.5))


def test_calibration_that_drifts_is_told_from_forecasts_that_do():
    market = {"sessions": 400}
    before = live(Worth(0.0, 0.3), seed=1, **market).grades
    same = Stability.between(before, live(Worth(0.0, 0.3), seed=2, **market).grades)
    tilted = Stability.between(before, live(Worth(0.0, 0.3, tilt=2.0), seed=2, **market).grades)
    known = live(Worth(0.0, 0.3), seed=2, **market).grades.known
    turned = Stability.between(before, replace(known, labels=1 - known.labels))
    assert same.worst < 0.1
    assert tilted.forecasts > 0.25
    assert turned.calibration > 0.25 > turned.forecasts


def test_too_few_forecasts_say_nothing():
    few = live(Worth(), sessions=20, pairs=1).grades
    assert Stability.between(few, few) is None
