from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.config import RecyclerSettings
from tandem.market import RecyclerError
from tandem.recycler.faults import KINDS, SCENARIOS, Fault, Faults, FaultStruck, scenario
from tandem.recycler.faults.facts import FaultEnded
from tandem.recycler.faults.schedule import Schedule

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)


def struck(fault, minutes=60, symbol=None):
    schedule = Schedule(fault)
    return [n for n in range(minutes) if schedule.strikes_at(OPEN + timedelta(minutes=n), symbol)]


def test_without_a_word_about_when_it_strikes_once():
    assert struck(Fault(name="drop-connection")) == [0]


def test_every_counts_occasions():
    assert struck(Fault(name="drop-connection", every=20)) == [19, 39, 59]


def test_count_is_the_most():
    assert struck(Fault(name="drop-connection", every=20, count=2)) == [19, 39]
    assert struck(Fault(name="drop-connection", count=3)) == [0, 1, 2]


def test_at_is_a_time_in_new_york():
    assert struck(Fault(name="drop-connection", at=time(9, 45))) == [15]
    assert struck(Fault(name="drop-connection", at=time(9, 45), every=10)) == [24, 34, 44, 54]


def test_until_ends_it_every_day():
    fault = Fault(name="drop-connection", at=time(9, 31), until=time(9, 33))
    assert struck(fault, 1440 + 10) == [1, 2, 1441, 1442]


def test_a_fault_of_one_symbol_does_not_count_another():
    fault = Fault(name="drop-bars", symbol="AAPL", every=2)
    assert struck(fault, 4, "MSFT") == []
    assert struck(fault, 4, "AAPL") == [1, 3]


@given(st.integers(0, 10**9), st.floats(0, 1), st.none() | st.integers(1, 5), st.none() | st.integers(1, 5))
def test_the_same_seed_strikes_the_same_occasions(seed, chance, every, count):
    fault = Fault(name="corrupt-nan", chance=chance, every=every, count=count, seed=seed)
    assert struck(fault) == struck(fault)
    assert len(struck(fault)) <= (count or 60)


def test_another_seed_strikes_others():
    fault = Fault(name="corrupt-nan", chance=0.3)
    assert struck(fault, 300) != struck(replace(fault, seed=8), 300)
    assert 50 < len(struck(fault, 300)) < 130


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"name": "drop-conection"}, "did you mean drop-connection"),
        ({"name": "xyz"}, "there is none of that name"),
        ({"name": "halt"}, "it needs symbol"),
        ({"name": "delay"}, "it needs seconds"),
        ({"name": "drop-connection", "symbol": "A"}, "it takes no symbol"),
        ({"name": "duplicate", "seconds": 1}, "it takes no seconds"),
        ({"name": "stall", "seconds": -1}, "seconds must be above 0"),
        ({"name": "stall", "every": 0}, "every must be above 0"),
        ({"name": "stall", "chance": 2}, "chance must lie"),
        ({"name": "stall", "seconds": float("nan")}, "seconds must be above 0"),
        ({"name": "stall", "at": time(10), "until": time(9)}, "until must be later"),
    ],
)
def test_a_fault_that_means_nothing_is_refused_in_words(told, words):
    with pytest.raises(RecyclerError, match=words):
        Fault(**told)


def test_the_configuration_names_faults():
    settings = RecyclerSettings.model_validate(
        {"faults": [{"name": "halt", "symbol": "IBM", "at": "10:05", "seconds": 300, "chance": 0.5}]}
    )
    assert [Fault.of(one) for one in settings.faults] == [
        Fault(name="halt", symbol="IBM", at=time(10, 5), seconds=300, chance=0.5)
    ]


def test_nothing_armed_is_nothing_asked():
    faults = Faults(lambda: OPEN)
    assert not faults
    assert faults.named("stall") == []
    assert faults.strike("stall") is None


def test_arming_striking_and_taking_back_are_facts():
    told = []
    faults = Faults(lambda: OPEN, lambda fact, at: told.append((fact, at)))
    fault = Fault(name="drop-bars", symbol="IBM", every=2)
    (one,) = faults.arm(fault)
    strikes = [faults.strike("drop-bars", symbol="IBM") is not None for _ in range(4)]
    assert strikes == [False, True, False, True]
    assert faults.disarm(one.number)
    assert not faults.disarm(one.number)
    assert [fact for fact, _ in told] == [
        fault,
        FaultStruck(1, "drop-bars", 1, "IBM"),
        FaultStruck(1, "drop-bars", 2, "IBM"),
        FaultEnded(1, "drop-bars", 2),
    ]
    assert {at for _, at in told} == {OPEN}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_made_of_faults(name):
    faults = scenario(name).told("IBM")
    assert faults
    assert {fault.name for fault in faults} <= set(KINDS)
    assert [fault.name for fault in scenario(name).told("IBM", seed=3)] == [fault.name for fault in faults]


def test_an_unknown_scenario_is_refused_in_words():
    with pytest.raises(RecyclerError, match="no scenario xyz"):
        scenario("xyz")
