"""Faults at run time, and what is remembered of them."""

import pytest

from tandem.recycler.faults import SCENARIOS


def test_faults_are_armed_listed_and_taken_back(again):
    play = again
    one, two = play.arm(name="stall", at="10:00"), play.arm(name="drop-bars", symbol="IBM", every=3)
    assert [(f["number"], f["name"], f["strikes"]) for f in play.control("GET", "faults").json()] == [
        (one, "stall", 0),
        (two, "drop-bars", 0),
    ]
    assert play.control("DELETE", f"faults/{one}").status_code == 204
    assert play.control("DELETE", f"faults/{one}").status_code == 404
    assert play.control("DELETE", "faults").status_code == 204
    assert play.control("GET", "faults").json() == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"name": "stal"}, "did you mean stall"),
        ({"name": "halt"}, "it needs symbol"),
        ({"name": "halt", "symbol": "TSLA"}, "not on the reel: TSLA"),
        ({"name": "stall", "every": "often"}, "every: Input should be"),
        ([], "Input should be"),
    ],
)
def test_a_fault_that_means_nothing_is_refused_in_words(again, told, words):
    answer = again.control("POST", "faults", told)
    assert answer.status_code == 422
    assert words in answer.json()["message"]


def test_every_scenario_plays(again, naive):
    play = again
    listed = play.control("GET", "scenarios").json()
    assert [one["name"] for one in listed] == list(SCENARIOS)
    for name in SCENARIOS:
        answer = play.control("POST", f"scenarios/{name}", {"symbol": "IBM", "seed": 3})
        assert answer.status_code == 201
        assert len(answer.json()) == len(SCENARIOS[name].faults("IBM"))
    client = naive(play)
    client.quiet(0.1)
    play.step(30)
    assert play.control("DELETE", "faults").status_code == 204
    play.step(2)
    play.control("GET", "status").raise_for_status()


def test_an_unknown_scenario_is_refused_in_words(again):
    answer = again.control("POST", "scenarios/good-tuesday")
    assert answer.status_code == 404
    assert "bad-monday" in answer.json()["message"]
