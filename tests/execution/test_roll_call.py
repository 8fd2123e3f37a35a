"""Whether every symbol arrives, in step and at the speed that is set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tandem.execution import at_recycler, call_roll
from tandem.execution.roll_call import Arrival, judged
from tandem.recycler import Launched

START = datetime(2023, 1, 4, 15, 0, tzinfo=UTC)
Play = Callable[..., Launched]


def arrivals(symbols: str = "AB", marks: int = 4, step: float = 1.0) -> list[Arrival]:
    """At 60x: a minute each second."""
    return [Arrival(s, START + timedelta(minutes=n), n * step) for n in range(marks) for s in symbols]


def test_all_in_step_at_the_right_speed_passes() -> None:
    call = judged(arrivals(), ["A", "B"], 3, 60.0)
    assert call.passed
    assert call.speed == pytest.approx(60)
    assert [(answer.bars, answer.why) for answer in call.answers] == [(4, ""), (4, "")]


def test_a_symbol_that_does_not_arrive_is_named() -> None:
    call = judged(arrivals("A"), ["A", "B"], 3, 60.0)
    assert not call.passed
    assert [answer.why for answer in call.answers] == ["", "no bar"]


def test_too_few_minutes_and_another_speed_fail() -> None:
    assert judged(arrivals(marks=2), ["A"], 3, 60.0).why == "2 of 3 minutes arrived"
    assert judged(arrivals(step=2.0), ["A"], 3, 60.0).why == "played at 30x instead of 60x"
    assert judged(arrivals(step=2.0), ["A"], 3, "max").passed


def test_bars_that_lag_repeat_or_go_back_are_out_of_step() -> None:
    late = [*arrivals("A"), *(Arrival("B", one.start, one.seconds + 0.7) for one in arrivals("B"))]
    assert judged(late, ["B"], 3, 60.0).answers[0].why == "0.70 s behind the others"
    assert judged([*arrivals(), arrivals()[-1]], ["B"], 3, 60.0).answers[0].why == "a bar came twice"
    assert judged(arrivals()[::-1], ["B"], 3, "max").answers[0].why == "bars out of order"


def test_a_night_counts_as_one_minute_as_it_is_played() -> None:
    night = [Arrival("A", START, 0.0), Arrival("A", START + timedelta(hours=18), 1.0)]
    assert judged(night, ["A"], 2, 60.0).passed


def test_a_real_replay_answers_the_call(play: Play) -> None:
    recycler = play(lockstep=False, speed=1200.0)
    call = call_roll(at_recycler(recycler.ws), ["AAPL", "MSFT", "XOM"], 5, 1200.0)
    assert [answer.why for answer in call.answers] == ["", "", "no bar"]
    assert call.marks >= 5
