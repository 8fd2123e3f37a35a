"""The flows of days that a recycler plays: each at its market time, while the clock stands."""

import threading
import time
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pytest

from tandem.execution import LockstepClock, RecyclerTime
from tandem.market import Calendar, RecyclerError
from tandem.operations import FlowDone, FlowName
from tandem.operations.facts.session_held import SessionBegan, SessionEnded, has_begun, has_ended
from tandem.operations.flows import conduct
from tandem.operations.flows.conduct import Conductor
from tandem.store import Record

DAYS = Calendar().sessions(date(2023, 1, 5), date(2023, 1, 9))
IDENTIFICATION, TRAINING, SESSION, MONITORING, _ = FlowName
SECONDS = 60


def minutes_of(sessions):
    """Bars of AAA that go up and down by a few cents, minute by minute."""
    starts = [pd.date_range(day.open, day.close, freq="min", inclusive="left", unit="us") for day in sessions]
    frame = pd.DataFrame({"symbol": "AAA", "start": starts[0].append(starts[1:])})
    closes = 100 + (frame.index.to_series() * 7 % 31) * 0.01
    return frame.assign(open=closes, high=closes + 0.05, low=closes - 0.05, close=closes, volume=10_000)


class Abandoned(BaseException):
    """The conductor's process is gone."""


@dataclass
class Days:
    """Days at a recycler, with a desk that takes up each session and somebody who notes every flow."""

    facts: object
    url: str
    noted: list = field(default_factory=list)
    said: list = field(default_factory=list)
    fails: dict = field(default_factory=dict)
    seen_at_open: list = field(default_factory=list)
    middle: object = lambda session: None
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, name, session):
        """Notes where the clock stands when a flow begins and when it ends."""
        left = self.fails.get((session.day, name), 0)
        self.fails[session.day, name] = left - 1
        if left > 0:
            raise RuntimeError("no such bars")
        before = RecyclerTime(self.url).now()
        if name is SESSION:
            until(lambda: has_ended(self.facts, session.day))
        else:
            time.sleep(0.1)
            assert RecyclerTime(self.url).now() == before
        self.noted.append((session.day, name, before))
        self.facts.append(Record(FlowDone(name, ""), session.day, session.close, f"flow.{name}.{session.day}"))

    def conduct(self):
        Conductor(self.facts, self.url, "", self.run, self.said.append).conduct()

    def trade(self):
        """A desk, in a thread: it comes late to each open, and starts again where the recycler was killed."""
        for session in DAYS:
            while not (has_ended(self.facts, session.day) or self.done.is_set()):
                try:
                    self._trade(session)
                except RecyclerError:
                    time.sleep(0.05)

    def _trade(self, session):
        time_of = RecyclerTime(self.url)
        while not has_begun(self.facts, session.day) and time_of.now() < session.open:
            if self.done.wait(0.02):
                return
        time.sleep(0.2)
        if not has_begun(self.facts, session.day):
            self.seen_at_open.append(time_of.now() == session.open)
        clock = LockstepClock(self.url, "desk", ("AAA",), lasting=True)
        try:
            self.facts.append(Record(SessionBegan(0, ""), session.day, session.open, f"began.{session.day}"))
            clock.wait_until(session.open.replace(hour=17))
            self.middle(session)
            clock.wait_until(session.close)
            self.facts.append(Record(SessionEnded(0), session.day, session.close, f"ended.{session.day}"))
        finally:
            clock.close()
        time_of.dismiss("desk")


def until(true):
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


@pytest.fixture
def playing(player):
    return player(minutes_of(DAYS))


@pytest.fixture
def days(playing, store, monkeypatch):
    monkeypatch.setattr(conduct, "PATIENCE_SECONDS", 0.05)
    made = Days(store.facts(playing.world), playing.url)
    desk = threading.Thread(target=made.trade, daemon=True)
    desk.start()
    yield made
    made.done.set()
    desk.join(SECONDS)
    assert not desk.is_alive()


def expected(*without):
    known = []
    for session in DAYS:
        for name in FlowName:
            at = session.morning if name in (IDENTIFICATION, TRAINING) else session.close
            known.append((session.day, name, at if name is not SESSION else None))
    return [each for each in known if each[:2] not in without]


def noted(days):
    """A session's flow may see the clock anywhere in the session."""
    return [(day, name, None if name is SESSION else at) for day, name, at in days.noted]


def test_every_flow_has_its_time_in_its_order_and_the_clock_stands_meanwhile_until_the_reel_ends(days):
    days.conduct()
    assert noted(days) == expected()
    assert days.seen_at_open == [True] * len(DAYS)  # it had stood there until a desk took up the session
    assert "the reel has ended" in days.said[-1]


def test_a_flow_that_fails_is_tried_again_and_one_that_always_fails_lets_the_day_go_on(days):
    days.fails = {(DAYS[0].day, TRAINING): 2, (DAYS[1].day, IDENTIFICATION): 1_000}
    days.conduct()
    assert noted(days) == expected((DAYS[1].day, IDENTIFICATION))
    failures = [line for line in days.said if "failed" in line]
    assert len(failures) == 2 + conduct.ATTEMPTS
    assert failures[0] == f"{DAYS[0].day}: training failed, attempt 1: no such bars"


def test_a_recycler_that_is_killed_in_mid_session_and_comes_back_is_waited_for(days, playing):
    def kill(session):
        if session is DAYS[1] and not killed:
            killed.append(session)
            playing.kill()
            threading.Timer(0.5, playing.start).start()

    killed = []
    days.middle = kill
    days.conduct()
    assert killed
    assert noted(days) == expected()


def test_a_recycler_that_is_killed_in_the_morning_and_comes_back_is_waited_for(days, playing):
    run, killed = days.run, []

    def kills(name, session):
        if name is TRAINING and session is DAYS[1] and not killed:
            killed.append(session)
            playing.kill()
            playing.start()
        run(name, session)

    days.run = kills
    days.conduct()
    assert killed
    assert noted(days) == expected()
    assert any(line.startswith("waiting: ") for line in days.said)


@pytest.mark.parametrize("name", [IDENTIFICATION, SESSION, MONITORING])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_where_a_conductor_was_cut_off_another_goes_on_from_the_facts(days, name, after):
    run, cut = days.run, []

    def abandoned(flow, session):
        is_it = (flow, session) == (name, DAYS[1]) and not cut
        if is_it and not after:
            cut.append(session)
            raise Abandoned
        run(flow, session)
        if is_it:
            cut.append(session)
            raise Abandoned

    days.run = abandoned
    with pytest.raises(Abandoned):
        days.conduct()
    days.conduct()
    assert noted(days) == expected()


def test_a_session_that_ended_while_nobody_conducted_has_its_flow_all_the_same(days):
    run, cut = days.run, []

    def abandoned(flow, session):
        if (flow, session) == (SESSION, DAYS[1]) and not cut:
            cut.append(session)
            raise Abandoned
        run(flow, session)

    days.run = abandoned
    with pytest.raises(Abandoned):
        days.conduct()
    until(lambda: has_ended(days.facts, DAYS[1].day))
    days.conduct()
    assert noted(days) == expected()


def test_a_conductor_that_comes_when_all_is_done_ends_at_once(days):
    days.conduct()
    before = list(days.noted)
    days.conduct()
    assert days.noted == before
