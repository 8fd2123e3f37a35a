"""Minutes without a bar: found by the calendar, asked for once, stored as the day's bars are."""

from datetime import date, timedelta

import pandas as pd
import pytest

from tandem.execution import at_recycler
from tandem.execution.lockstep import LockstepClock
from tandem.market import DataError, TandemError, Timeframe, WorldKind
from tandem.operations import tidy_day
from tandem.operations.facts.flow_done import FlowName, done_of
from tandem.operations.flows import housekeeping as flow
from tandem.operations.flows.work import Work, once
from tandem.operations.housekeeping.gaps import desk_symbols, fill_gaps
from tandem.recycler import Options, launch

from .conftest import DAY, SYMBOLS, bars_of, keep, minutes_of, session_of

HALF_DAY = date(2023, 11, 24)


def stored(night, symbol, **series):
    marks = {"source": "alpaca", "feed": "iex", "adjustment": "raw", **series}
    session = night.session
    return night.store.bars.read([symbol], Timeframe.MIN_1, first=session.open, last=session.close, **marks)


def test_a_whole_day_is_asked_of_nobody(night, store, history):
    for symbol in SYMBOLS:
        keep(store, symbol)
    found = fill_gaps(night(origin=history.origin()))
    assert (found.expected, found.lacking, history.requests) == (780, 0, [])
    assert found.words == "780 minutes of 2 symbols: each has its bar"


def test_what_lacks_is_filled_in_and_what_is_there_stays(night, store, history):
    keep(store, "AAPL", lacking=(0, 7, 389))
    keep(store, "MSFT")
    meant = night(origin=history.origin())
    found = fill_gaps(meant)
    assert (found.lacking, found.filled, found.silent) == (3, 3, {})
    assert found.words == "3 of 780 minutes of 2 symbols had no bar: 3 filled in"
    closes = stored(meant, "AAPL")["close"]
    assert (len(closes), sorted(set(closes)), (closes == 7).sum()) == (390, [7.0, 100.0], 3)
    assert [query["symbols"] for query in history.requests] == ["AAPL"]


def test_a_second_time_changes_nothing(night, store, history):
    keep(store, "AAPL", lacking=(5,))
    keep(store, "MSFT")
    meant = night(origin=history.origin())
    fill_gaps(meant)
    assert fill_gaps(meant).lacking == 0
    assert len(history.requests) == 1


def test_a_minute_without_a_trade_is_no_error(night, store, history):
    keep(store, "AAPL", lacking=(3, 4))
    keep(store, "MSFT", lacking=(4,))
    silent = minutes_of(session_of())[4]
    history.silent = {("AAPL", silent), ("MSFT", silent)}
    found = fill_gaps(night(origin=history.origin()))
    assert (found.lacking, found.filled, found.silent) == (3, 1, {"AAPL": 1, "MSFT": 1})
    assert found.words.endswith("1 filled in, 2 have none there either (AAPL 1, MSFT 1)")


def test_a_source_that_has_nothing_of_the_day_leaves_it_as_it_is(night, history):
    history.silent = {(symbol, start) for symbol in SYMBOLS for start in minutes_of(session_of())}
    found = fill_gaps(night(origin=history.origin()))
    assert (found.filled, found.silent) == (0, {"AAPL": 390, "MSFT": 390})
    assert found.words.startswith("none of 780 minutes of 2 symbols had a bar yet: 0 filled in")


def test_what_is_no_bar_is_not_taken_for_silence(night, store, history):
    keep(store, "AAPL", lacking=(3,))
    keep(store, "MSFT")
    history.price = -1
    found = fill_gaps(night(origin=history.origin()))
    assert (found.filled, found.silent, found.broken) == (0, {}, 1)
    assert found.words.endswith("0 filled in, 1 malformed, in the quarantine")


def test_a_half_day_has_half_the_minutes(night, store, history):
    for symbol in SYMBOLS:
        keep(store, symbol, day=HALF_DAY)
    found = fill_gaps(night(day=HALF_DAY, origin=history.origin()))
    assert (found.expected, found.lacking) == (420, 0)


def test_without_keys_it_is_a_reason(night, store, history):
    keep(store, "AAPL")
    found = fill_gaps(night(origin=history.origin(keys=False)))
    assert (found.lacking, found.filled) == (390, 0)
    assert "not asked for, no keys for Alpaca" in found.words


def test_where_there_is_nobody_to_ask_it_is_a_reason(night):
    assert fill_gaps(night()).unasked == "there is nobody to ask"


@pytest.mark.parametrize(("status", "why"), [(401, "Alpaca refuses the keys"), (403, "refuses"), (503, "is busy")])
def test_a_source_that_should_answer_and_does_not_fails_the_step(night, history, status, why):
    history.status = status
    (failed,) = tidy_day(night(origin=history.origin())).failed
    assert failed.name == "gaps"
    assert why in failed.words


def test_a_symbol_that_the_source_does_not_know_is_named_and_the_others_are_filled_in(night, history):
    meant = night(origin=history.origin(), websocket={"symbols": ("AAPL", "GONE", "LOST.W", "MSFT")})
    history.unknown = {"GONE", "LOST.W"}
    found = fill_gaps(meant)
    assert (found.filled, found.unknown) == (780, ("GONE", "LOST.W"))
    assert "GONE, LOST.W are unknown there, or did not trade all day: see whether it was renamed" in found.words
    assert len(stored(meant, "MSFT")) == 390
    assert "unknown there" in fill_gaps(meant).words


def test_a_symbol_without_a_bar_all_day_is_named_where_others_have_theirs(night, store, history):
    keep(store, "MSFT")
    history.silent = {("AAPL", start) for start in minutes_of(session_of())}
    assert fill_gaps(night(origin=history.origin())).unknown == ("AAPL",)
    history.silent |= {("MSFT", start) for start in minutes_of(session_of())}
    assert fill_gaps(night(day=date(2023, 1, 26), origin=history.origin())).filled == 780


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_an_outage_is_none_the_less_one_for_a_symbol_that_nobody_knows(night, history, status):
    history.status, history.unknown = status, {"MSFT"}
    (failed,) = tidy_day(night(origin=history.origin())).failed
    assert failed.name == "gaps"


def test_a_refusal_that_names_no_symbol_that_was_asked_for_fails_the_step(night, history, monkeypatch):
    history.unknown = {"MSFT"}
    monkeypatch.setattr(history, "refused", lambda query: "OTHER")
    (failed,) = tidy_day(night(origin=history.origin())).failed
    assert "Alpaca refuses" in failed.words


def test_a_night_whose_source_did_not_answer_is_not_done_until_it_did(night, history, monkeypatch):
    meant = night()
    work = Work(meant.store, meant.facts, meant.session, meant.settings)
    monkeypatch.setattr(flow, "_origin", lambda _: history.origin())
    history.status = 503
    with pytest.raises(TandemError, match="gaps failed: Alpaca is busy"):
        once(work, FlowName.HOUSEKEEPING, flow.housekeeping)
    assert done_of(meant.facts, DAY, FlowName.HOUSEKEEPING) is None
    history.status = 200
    assert "780 filled in" in once(work, FlowName.HOUSEKEEPING, flow.housekeeping).why


def test_a_recycler_of_this_world_that_has_no_history_to_give_fails_the_step(night, history):
    history.world, history.status = night(WorldKind.RECYCLER).world, 503
    with pytest.raises(DataError):
        fill_gaps(night(WorldKind.RECYCLER, origin=history.origin("recycled")))


def test_a_replays_bars_are_asked_of_its_recycler_and_are_its_worlds_own(night, store, history):
    meant = night(WorldKind.RECYCLER)
    history.world = meant.world
    keep(store, "AAPL", lacking=(9,), source="recycled", feed="", world=meant.world)
    keep(store, "MSFT", source="recycled", feed="", world=meant.world)
    found = fill_gaps(night(WorldKind.RECYCLER, origin=history.origin("recycled")))
    assert (found.lacking, found.filled) == (1, 1)
    assert len(stored(meant, "AAPL", source="recycled", feed="", world=meant.world)) == 390
    assert store.bars.coverage().empty


def test_a_recycler_that_plays_another_world_is_not_asked(night, store, history):
    history.world = store.new_world(WorldKind.RECYCLER)
    found = fill_gaps(night(WorldKind.RECYCLER, origin=history.origin("recycled")))
    assert found.unasked == f"Alpaca plays {history.world} now"
    assert history.requests == []


def test_a_real_recycler_has_what_its_replay_lacks(night, store, tmp_path):
    """Played to the close in lockstep, with two minutes that nobody kept."""
    session = session_of()
    bars = pd.concat([bars_of(symbol, minutes_of(session), close=40.0) for symbol in SYMBOLS])
    bars.to_parquet(tmp_path / "day.parquet")
    meant = night(WorldKind.RECYCLER)
    for symbol in SYMBOLS:
        keep(store, symbol, lacking=(17,), source="recycled", feed="iex", world=meant.world)
    options = Options(SYMBOLS, bars=tmp_path / "day.parquet", port=0, lockstep=True, world=meant.world)
    recycler = launch(options)
    try:
        clock = LockstepClock(recycler.http, "mover", SYMBOLS)
        clock.wait_until(session.close)
        found = fill_gaps(night(WorldKind.RECYCLER, origin=at_recycler(recycler.ws)))
        clock.close()
    finally:
        recycler.close()
    assert (found.lacking, found.filled, found.unasked) == (2, 2, "")
    closes = stored(meant, "MSFT", source="recycled", world=meant.world)["close"]
    assert (closes == 40.0).sum() == 1


def test_a_backtest_has_nothing_to_fill(night):
    assert fill_gaps(night(WorldKind.BACKTEST)).words == "0 minutes of 0 symbols: backtest-1 has no bars of its own"


def test_the_legs_of_the_days_pairs_are_the_desks_symbols(night, store, diary):
    meant = night()
    diary.facts, diary.store = meant.facts, store.blobs
    diary.morning(DAY)
    assert desk_symbols(meant) == ("AAA", "AAPL", "BBB", "MSFT")


def test_minutes_that_are_still_to_come_do_not_lack(night, history):
    early = night(now=session_of().open + timedelta(minutes=10), origin=history.origin())
    assert fill_gaps(early).filled == 20


def test_a_dry_run_asks_nobody(night, history):
    found = fill_gaps(night(origin=history.origin(), dry=True))
    assert (found.lacking, found.filled, history.requests) == (780, 0, [])


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("alpaca.common.rest.DEFAULT_RETRY_WAIT_SECONDS", 0)
