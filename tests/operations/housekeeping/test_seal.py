"""The seal of a day: once for the same bars, a further one that says what changed for others."""

from datetime import UTC, datetime, timedelta

from tandem.market import Refusal, Timeframe, WorldKind
from tandem.operations.housekeeping.seal import DaySealed, seal_day, seal_of
from tandem.store import Record

from .conftest import DAY, SYMBOLS, bars_of, keep, minutes_of, session_of


def sealed(night):
    return [record.key for record in night.facts.read(DaySealed)]


def test_a_seal_says_rows_hashes_and_facts(night, store):
    for symbol in SYMBOLS:
        keep(store, symbol)
    meant = night()
    refusals = [Record(Refusal("no", "why", "risk"), DAY, meant.now, f"refusal.{n}") for n in range(3)]
    meant.facts.append(*refusals)
    sealing = seal_day(meant)
    assert sealing.new
    assert sealing.seal == seal_of(meant.facts, DAY)
    assert (sealing.seal.bars["1Min"].rows, sealing.seal.bars["1Min"].symbols) == (780, 2)
    assert sealing.seal.facts == {"refusal": 3}
    assert sealing.words == f"780 1Min bars, 3 facts: {sealing.seal.digest[:12]}"


def test_a_second_seal_of_the_same_bars_is_none(night, store):
    keep(store, "AAPL")
    meant = night()
    seal_day(meant)
    later = night(now=meant.now + timedelta(hours=1))
    again = seal_day(later)
    assert not again.new
    assert again.words.startswith("as in seal 1: ")
    assert sealed(meant) == [f"sealed.{DAY}.1"]


def test_bars_that_change_make_a_further_seal_that_says_so(night, store):
    keep(store, "AAPL", lacking=(3,))
    keep(store, "MSFT")
    meant = night()
    seal_day(meant)
    missing, revised = minutes_of(session_of())[3], minutes_of(session_of())[5]
    series = {"timeframe": Timeframe.MIN_1, "source": "alpaca", "feed": "iex"}
    store.bars.load(bars_of("AAPL", [missing]), **series)
    store.bars.load(bars_of("MSFT", [revised], close=50.0), revise=True, **series)
    store.bars.load(bars_of("IBM", [revised]), **series)
    second = seal_day(meant)
    assert second.seal.changed == ("1Min: AAPL has 390 bars, it had 389, IBM is new, MSFT has 1 late revision",)
    assert second.words.startswith("seal 2, bars have changed (1Min: AAPL")
    assert sealed(meant) == [f"sealed.{DAY}.1", f"sealed.{DAY}.2"]
    assert seal_of(meant.facts, DAY) == second.seal


def test_bars_of_the_same_number_with_other_figures_are_found(night, store):
    meant = night()
    start, series = minutes_of(session_of())[0], {"timeframe": Timeframe.MIN_1, "source": "file"}
    store.bars.load(bars_of("AAPL", [start]), **series)
    seal_day(meant)
    store.bars.remove(source="file", timeframes=[Timeframe.MIN_1])
    store.bars.load(bars_of("AAPL", [start], close=100.00000000000001), **series)
    assert seal_day(meant).seal.changed == ("1Min: AAPL has other figures",)


def test_bars_of_other_days_and_other_worlds_are_not_in_it(night, store):
    keep(store, "AAPL")
    meant = night()
    first = seal_day(meant).seal
    midnight = datetime(2023, 1, 25, 5, tzinfo=UTC)
    around = [midnight - timedelta(minutes=1), midnight + timedelta(days=1)]
    store.bars.load(bars_of("AAPL", around), timeframe=Timeframe.MIN_1, source="alpaca", feed="iex")
    keep(store, "AAPL", source="recycled", world=store.new_world(WorldKind.RECYCLER))
    assert seal_day(meant).seal == first


def test_two_replays_that_hear_the_same_have_the_same_hash(night, store):
    digests = []
    for _ in range(2):
        world = store.new_world(WorldKind.RECYCLER)
        keep(store, "AAPL", source="recycled", world=world)
        digests.append(store.bars.digests(session_of().open, session_of().close, world))
    assert digests[0] == digests[1] != []


def test_a_day_without_bars_can_be_sealed(night):
    assert seal_day(night()).words.startswith("no bars, 0 facts: ")


def test_a_dry_run_records_nothing(night, store):
    keep(store, "AAPL")
    meant = night(dry=True)
    assert seal_day(meant).new
    assert sealed(meant) == []
