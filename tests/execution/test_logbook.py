"""What a stream brings: first bars, revisions, and what is no bar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.execution.logbook import Logbook, bar_of
from tandem.market import Timeframe
from tandem.store import Store

START = datetime(2023, 1, 4, 15, 0, tzinfo=UTC)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
)


def message(kind: str = "b", close: Any = 100.5, minute: int = 0, symbol: Any = "AAPL", **more: Any) -> dict[str, Any]:
    start = START + timedelta(minutes=minute)
    told = {"T": kind, "S": symbol, "t": start, "o": 100.0, "h": 101.0, "l": 99.0, "c": close, "v": 10, "n": 3}
    return {**told, "vw": 100.2, **more}


@pytest.fixture
def logbook(store: Store) -> Logbook:
    return Logbook(store, "alpaca", "iex")


def closes(store: Store, revised: bool = False) -> list[float]:
    first, last = START - timedelta(days=9000), START + timedelta(days=9000)
    bars = store.bars.read(["AAPL"], Timeframe.MIN_1, first=first, last=last, revised=revised, source="alpaca")
    return [float(close) for close in bars["close"]]


def test_the_first_bar_of_a_minute_stays_and_revisions_stand_beside_it(store: Store, logbook: Logbook) -> None:
    told = [message(), message(), message("u", 100.7), message("u", 100.8), message("u", 100.8)]
    news, broken = logbook.take_in(told)
    logbook.write()
    assert [bar.close for bar in news] == [100.5]
    assert broken == []
    assert (closes(store), closes(store, revised=True)) == ([100.5], [100.8])
    assert (logbook.tally.heard, logbook.tally.repeated, logbook.tally.revised) == (1, 1, 2)


def test_a_revision_of_a_bar_that_was_never_heard_takes_its_place(store: Store, logbook: Logbook) -> None:
    logbook.take_in([message("u", 100.7)])
    assert logbook.take_in([message()])[0] == []
    logbook.write()
    assert closes(store) == [100.7]


def test_what_is_no_bar_is_in_the_quarantine_with_its_reason(store: Store, logbook: Logbook) -> None:
    broken = [message(close=float("nan")), message(close=-1), message(l=200.0), message(v=-5), message(t=None)]
    news, starts = logbook.take_in([*broken, message(minute=9)])
    logbook.write()
    assert [bar.start for bar in news] == [START + timedelta(minutes=9)]
    assert starts == [START, START, START, START, None]
    assert len(store.bars.quarantine()) == 5
    assert closes(store) == [100.5]


def test_the_gap_begins_after_the_newest_bar_of_the_symbol_that_is_furthest_behind(logbook: Logbook) -> None:
    day = START - timedelta(hours=10)
    assert logbook.gap(["AAPL", "MSFT"], day) == day
    logbook.take_in([message(minute=5), message(minute=3, symbol="MSFT"), message(minute=2, symbol="MSFT")])
    assert logbook.gap(["AAPL", "MSFT"], day) == START + timedelta(minutes=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(
        st.dictionaries(st.sampled_from(["T", "S", "t", "o", "h", "l", "c", "v", "n", "vw"]), ANYTHING).map(
            lambda spoilt: {**message(), **spoilt}
        ),
        max_size=5,
    )
)
def test_whatever_comes_is_a_bar_that_is_stored_or_lies_in_the_quarantine(
    store: Store, messages: list[dict[str, Any]]
) -> None:
    logbook = Logbook(store, "alpaca", "iex")
    news, broken = logbook.take_in(messages)
    logbook.write()
    assert logbook.waiting == 0
    assert len(broken) == sum(bar_of(one) is None for one in messages)
    assert len(news) + len(broken) <= len(messages)
