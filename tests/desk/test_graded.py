"""What a world's forecasts said and what came of them, as a fold over its facts and the bars that followed."""

from dataclasses import fields, replace
from datetime import UTC, date, timedelta

import numpy as np
import pytest

from tandem.desk import Ungraded, graded, run_session, ungraded
from tandem.desk.graded import Graded, keep_grades
from tandem.forecast import Grades, horizon_of
from tandem.market import Calendar, DataError, Pair, Timeframe
from tandem.signals import Signal
from tandem.statistics import qlike

AB = Pair("A", "B")


@pytest.fixture
def made(stage, half_day):
    sessions = [half_day, Calendar().after(half_day.day)]
    made = stage(sessions=sessions)
    run_session(made.desk(), half_day)
    return made


def minutes_of(made):
    def minutes(symbols, first, last):
        frame = made.frame
        inside = (frame["start"] >= first) & (frame["start"] + timedelta(minutes=1) <= last)
        return frame[inside & frame["symbol"].isin(symbols)]

    return minutes


def test_each_completed_bar_of_each_pair_is_graded_once(made, half_day):
    found = graded(made.facts, minutes_of(made))
    assert len(found) == 2 * len(half_day.decisions)  # the model's bars are of five minutes, and so are decisions
    keys = set(zip(found.at.tolist(), found.pairs.tolist(), strict=True))
    assert len(keys) == len(found)
    assert found.sessions.tolist() == [half_day.day] * len(found)


def test_a_label_is_what_the_bars_say(made, half_day):
    """The plain way: the spread at the decision against the spread of the minutes a horizon later."""
    found = graded(made.facts, minutes_of(made))
    ends = [*half_day.bar_ends(Timeframe.MIN_5), *Calendar().after(half_day.day).bar_ends(Timeframe.MIN_5)]
    frame = made.frame[made.frame["symbol"].isin(["A", "B"])]
    closes = frame.pivot(index="start", columns="symbol", values="close")
    horizon = horizon_of(13.5)
    own = found.where(found.pairs == "A/B")
    signals = {r.at: r.body for r in made.facts.read(Signal, pair="A/B")}
    for at, label in zip(own.at.tolist(), own.labels.tolist(), strict=True):
        moment = at.replace(tzinfo=UTC)
        later = closes.loc[ends[ends.index(moment) + horizon] - timedelta(minutes=1)]
        assert label == (abs(np.log(later["A"] / later["B"])) < abs(signals[moment].spread))


def test_what_has_not_come_to_its_end_has_no_label(made, half_day):
    def only_today(symbols, first, last):
        return minutes_of(made)(symbols, first, half_day.close)

    found = graded(made.facts, only_today)
    horizon = horizon_of(13.5)
    assert np.isnan(found.labels).sum() == 2 * (horizon - 1)  # the close is the end of a bar, and no decision
    assert len(found.known) == len(found) - 2 * (horizon - 1)
    assert np.isfinite(found.known.log_losses).all()
    assert np.isnan(found.log_losses).sum() == 2 * (horizon - 1)


def test_figures_are_those_of_the_signals(made):
    found = graded(made.facts, minutes_of(made))
    signals = [record.body for record in made.facts.read(Signal)]
    assert sorted(found.probability.tolist()) == sorted(signal.probability for signal in signals)
    assert found.probability == pytest.approx(found.baseline)  # these models are the baseline
    losses = qlike(np.array([s.residual for s in signals]) ** 2, np.array([s.variance for s in signals]))
    assert found.qlikes.sum() == pytest.approx(losses.sum())
    assert 0 <= found.coverage <= 1


def test_an_hourly_model_is_graded_at_the_ends_of_its_hours(stage, half_day):
    made = stage(sessions=[half_day, Calendar().after(half_day.day)], timeframe=Timeframe.HOUR_1, half_life=2.0)
    run_session(made.desk(), half_day)
    found = graded(made.facts, minutes_of(made))
    assert {at.minute for at in found.at.tolist()} == {0}
    assert len(found) == 2 * 3  # 10, 11 and 12 o'clock in New York; at 13 o'clock the half day is over
    assert np.isfinite(found.labels).all()


def test_a_trade_over_night_is_graded_on_the_passport_it_was_entered_with(stage, half_day):
    sessions = [half_day, Calendar().after(half_day.day)]
    made = stage({AB: [(182, -2.3)]}, sessions=sessions)
    made.plan(sessions[1], AB, intercept=0.004, mean=-0.002)
    for session in sessions:
        run_session(made.desk(), session)
    signals = made.facts.read(Signal, session=sessions[1].day)
    found = graded(made.facts, minutes_of(made), [sessions[1].day])
    assert len(found) == len(signals) == len(sessions[1].decisions)


def test_a_signal_of_no_known_passport_is_not_graded(made):
    facts = type(made.facts)(made.facts.world)
    facts.append(*(replace(r, body=replace(r.body, spread=9.0)) for r in made.facts.read(Signal)))
    assert len(graded(facts, minutes_of(made))) == 0


@pytest.fixture
def several(stage):
    """Four sessions, traded, a half day first; a leg lacks bars on the third."""
    sessions = Calendar().sessions(date(2022, 11, 25), date(2022, 11, 30))
    gap = sessions[2].open + timedelta(minutes=30), sessions[2].open + timedelta(minutes=55)
    made = stage(sessions=sessions, drop=lambda f: (f["symbol"] == "B") & f["start"].between(*gap))
    for session in sessions:
        if session is not sessions[0]:
            made.plan(session, AB, Pair("C", "D"))
        run_session(made.desk(), session)
    return made


def test_a_session_waits_for_its_grades_until_the_evening_in_which_its_last_horizon_is_over(several):
    waiting = ungraded(several.facts)
    assert [each.session for each in waiting] == [each.day for each in several.sessions]
    for session in several.sessions:
        keep_grades(several.facts, known_by(several, session.close), several.blobs, session)
        assert [each for each in ungraded(several.facts) if each.due <= session.day] == []
    assert ungraded(several.facts) == waiting[2:]
    assert all(isinstance(each, Ungraded) and each.due > several.sessions[-1].day for each in waiting[2:])


def same(one, other):
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)
        assert getattr(one, field.name).dtype == getattr(other, field.name).dtype
    return True


def test_grades_that_are_kept_evening_by_evening_are_those_of_the_whole_record(several):
    whole = graded(several.facts, minutes_of(several))
    for session in several.sessions:
        keep_grades(several.facts, known_by(several, session.close), several.blobs, session)
        so_far = graded(several.facts, known_by(several, session.close), blobs=several.blobs)
        assert same(so_far, graded(several.facts, known_by(several, session.close)))
    assert [record.session for record in several.facts.read(Graded)] == [each.day for each in several.sessions[:2]]
    assert same(graded(several.facts, minutes_of(several), blobs=several.blobs), whole)
    days = [several.sessions[1].day, several.sessions[3].day]
    kept = graded(several.facts, minutes_of(several), days, several.blobs)
    assert same(kept, whole.where(np.isin(whole.sessions, np.array(days, dtype="datetime64[D]"))))


def known_by(made, moment):
    def minutes(symbols, first, last):
        return minutes_of(made)(symbols, first, min(last, moment))

    return minutes


def test_an_evening_grades_only_what_is_new(several):
    last = several.sessions[-1]
    keep_grades(several.facts, minutes_of(several), several.blobs, last)
    before, asked = several.facts.read(Graded), []

    def watched(symbols, first, until):
        asked.append(first)
        return minutes_of(several)(symbols, first, until)

    keep_grades(several.facts, watched, several.blobs, last)
    graded(several.facts, watched, blobs=several.blobs)
    assert asked == [several.sessions[2].open] * 2  # its horizons and those of the last are not over for certain
    assert several.facts.read(Graded) == before


def test_grades_go_to_bytes_and_back(made):
    found = graded(made.facts, minutes_of(made))
    assert same(Grades.from_bytes(found.to_bytes()), found)
    nothing = found.where(np.zeros(len(found), dtype=bool))
    assert len(Grades.from_bytes(nothing.to_bytes())) == 0
    with pytest.raises(DataError, match="grades cannot be read"):
        Grades.from_bytes(b"nothing")
