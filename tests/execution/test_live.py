"""Live bars, from a real recycler over sockets into the real store."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tandem.config import AlpacaSettings, FaultSettings
from tandem.execution import LiveFeed, Origin, at_recycler
from tandem.execution.lockstep import LockstepClock
from tandem.execution.origin import Exchange
from tandem.market import BrokerError, ManualClock, RecyclerError, StoreError, Timeframe
from tandem.recycler import Launched, world_of
from tandem.store import Store

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT")
SECONDS = 20.0
MINUTE = timedelta(minutes=1)
Play = Callable[..., Launched]


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@contextmanager
def clock_of(recycler: Launched, at: timedelta = MINUTE) -> Iterator[LockstepClock]:
    """Its clock, at so many minutes after the open."""
    clock = LockstepClock(recycler.http, "mover", SYMBOLS)
    try:
        clock.wait_until(OPEN + at)
        yield clock
    finally:
        clock.close()


def live(store: Store, recycler: Launched, **options: Any) -> LiveFeed:
    return LiveFeed(store, at_recycler(recycler.ws), SYMBOLS, **{"silence": timedelta(0), **options})


def until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(int(SECONDS / 0.05)):
        if holds():
            return
        waiting.wait(0.05)
    raise AssertionError("it did not come about")


def kept(store: Store, revised: bool = False) -> pd.DataFrame:
    world = store.worlds()[-1] if store.worlds() else None
    return store.bars.read(
        SYMBOLS,
        Timeframe.MIN_1,
        first=OPEN - minutes(60),
        last=OPEN + minutes(600),
        source="recycled",
        feed="iex",
        adjustment="raw",
        world=world or world_of("recycler-1"),
        revised=revised,
    )


def played(day_file: Path, count: int) -> pd.DataFrame:
    bars = pd.read_parquet(day_file)
    return bars[bars["start"] < OPEN + minutes(count)].sort_values(["symbol", "start"], ignore_index=True)


def assert_kept(store: Store, day_file: Path, count: int) -> None:
    until(lambda: len(kept(store)) >= 2 * count)
    pd.testing.assert_frame_equal(kept(store), played(day_file, count), check_dtype=False)


def test_what_is_heard_is_taken_in_order_and_kept_as_recycled_raw_bars(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler = play()
    with clock_of(recycler) as clock, live(store, recycler) as feed:
        clock.wait_until(OPEN + minutes(5))
        bars = feed.take(OPEN + minutes(5))
        assert [(bar.start, bar.symbol) for bar in bars] == [
            (OPEN + minutes(n), symbol) for n in range(5) for symbol in SYMBOLS
        ]
        assert feed.take(OPEN + minutes(5)) == []
        assert_kept(store, day_file, 5)
    assert feed.tally.malformed == feed.tally.repeated == 0


def test_what_today_lacks_is_filled_in_at_the_start_and_only_that(store: Store, play: Play, day_file: Path) -> None:
    recycler = play()
    with clock_of(recycler, minutes(30)) as clock:
        with live(store, recycler) as feed:
            assert len(feed.taken(OPEN + minutes(30))) == 60
        assert feed.tally.filled == 60
        clock.wait_until(OPEN + minutes(40))
        with live(store, recycler) as again:
            assert [bar.start for bar in again.taken(OPEN + minutes(40))][::2] == [
                OPEN + minutes(n) for n in range(30, 40)
            ]
        assert again.tally.filled == 20
    assert_kept(store, day_file, 40)


def test_after_a_dropped_connection_nothing_is_missing(store: Store, play: Play, day_file: Path) -> None:
    recycler = play(faults=(FaultSettings(name="drop-connection", every=3, count=2),))
    said: list[str] = []
    with clock_of(recycler) as clock, live(store, recycler, said=said.append) as feed:
        for n in range(2, 20):
            clock.wait_until(OPEN + minutes(n))
            feed.take(OPEN + minutes(n))
        until(lambda: feed.connections == 3)
        assert_kept(store, day_file, 19)
    assert sum("connecting again" in line for line in said) == 2


def test_silence_is_measured_in_market_time_and_ends_in_a_new_connection(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler = play(faults=(FaultSettings(name="stall", every=5, count=1, seconds=3600.0),))
    said: list[str] = []
    with (
        clock_of(recycler) as clock,
        live(store, recycler, said=said.append, patience=0.1, silence=minutes(3)) as feed,
    ):
        for n in range(2, 12):
            clock.wait_until(OPEN + minutes(n))
        threading.Event().wait(2.0)
        assert feed.connections == 1  # the clock stands: there is no silence, however long it lasts
        clock.wait_until(OPEN + minutes(16))
        until(lambda: feed.connections == 2)
        assert_kept(store, day_file, 16)
    assert any("no bar of any symbol for" in line for line in said)


def test_bars_that_are_told_twice_or_out_of_order_are_kept_once(store: Store, play: Play, day_file: Path) -> None:
    recycler = play(faults=(FaultSettings(name="duplicate", every=2), FaultSettings(name="reorder", every=5)))
    with clock_of(recycler) as clock, live(store, recycler, patience=0.1) as feed:
        clock.wait_until(OPEN + minutes(20))
        assert_kept(store, day_file, 20)
        assert feed.tally.repeated > 0
        assert len(feed.taken(OPEN + minutes(20))) == 40


def test_a_malformed_bar_goes_to_the_quarantine_and_its_place_is_filled_in(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler = play(faults=(FaultSettings(name="corrupt-nan", every=7, count=2),))
    with clock_of(recycler) as clock, live(store, recycler, patience=0.1) as feed:
        clock.wait_until(OPEN + minutes(20))
        assert_kept(store, day_file, 20)
        assert all(bar.close == bar.close for bar in feed.taken(OPEN + minutes(20)))
        assert feed.tally.malformed == 2
    assert "not a finite number" in " ".join(store.bars.quarantine()["reason"])


def test_a_halt_is_told_by_the_streams_statuses_and_is_over_when_they_say_so(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler = play(faults=(FaultSettings(name="halt", symbol="MSFT", at=time(9, 32), seconds=240.0),))
    said: list[str] = []
    with clock_of(recycler) as clock, live(store, recycler, patience=0.1, said=said.append) as feed:
        clock.wait_until(OPEN + minutes(3))
        until(lambda: set(feed.halted()) == {"MSFT"})
        clock.wait_until(OPEN + minutes(8))
        until(lambda: not feed.halted())
        assert feed.tally.malformed == 0
    assert [line for line in said if "MSFT" in line] == ["MSFT: Trading Halt", "MSFT: Trading Resumption"]


class Lending:
    """A store that is away for a while."""

    def __init__(self, store: Store, refusals: int) -> None:
        self._store = store
        self.refusals = refusals
        self.bars = self

    def read(self, *given: Any, **options: Any) -> pd.DataFrame:
        return self._store.bars.read(*given, **options)

    def load(self, *given: Any, **options: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the store is away")
        return self._store.bars.load(*given, **options)


def test_bars_wait_in_memory_while_the_store_is_away(store: Store, play: Play, day_file: Path) -> None:
    recycler, away, said = play(), Lending(store, 3), []  # type: ignore[var-annotated]
    with clock_of(recycler, minutes(-10)) as clock, live(away, recycler, said=said.append) as feed:  # type: ignore[arg-type]
        clock.wait_until(OPEN + minutes(5))
        assert len(feed.take(OPEN + minutes(5))) == 10
        assert_kept(store, day_file, 5)
    assert [line for line in said if "store" in line] == [
        "the store is away Bars wait in memory until it is back.",
        "the store is back",
    ]


def test_what_cannot_be_stored_at_the_end_is_an_error_and_comes_with_the_next_start(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler, away = play(), Lending(store, 0)
    with clock_of(recycler, minutes(-10)) as clock:
        feed = live(away, recycler).open()  # type: ignore[arg-type]
        away.refusals = 1000
        clock.wait_until(OPEN + minutes(5))
        assert len(feed.take(OPEN + minutes(5))) == 10
        with pytest.raises(StoreError):
            feed.close()
        with live(store, recycler):
            assert_kept(store, day_file, 5)


def test_wrong_keys_are_one_clear_error(store: Store, play: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    recycler = play({"TANDEM_RECYCLER_KEY_ID": "the-key", "TANDEM_RECYCLER_SECRET_KEY": "the-secret"})
    origin = at_recycler(recycler.ws, key_id="the-key", secret_key="wrong-secret")
    with pytest.raises((BrokerError, RecyclerError)) as caught:
        LiveFeed(store, origin, SYMBOLS).open()
    assert "\n" not in str(caught.value)
    assert "secret" not in caplog.text.lower().replace("apca-api-secret-key", "")


def test_where_nothing_listens_is_said_at_once(store: Store) -> None:
    with pytest.raises(RecyclerError, match="no recycler answers"):
        LiveFeed(store, at_recycler("ws://localhost:9"), SYMBOLS).open()


def test_a_reel_that_starts_over_in_a_new_world_is_kept_in_that_world(store: Store, play: Play, day_file: Path) -> None:
    recycler = play(lockstep=False, speed=15_000.0, mode="loop")
    said: list[str] = []

    def of(name: str) -> pd.DataFrame:
        first, last = OPEN - minutes(60), OPEN + minutes(600)
        return store.bars.read(SYMBOLS, Timeframe.MIN_1, first=first, last=last, world=world_of(name))

    with live(store, recycler, said=said.append):
        until(lambda: len(of("recycler-1-1")) > 100)
    assert of("recycler-1")["start"].max() == OPEN + minutes(389)
    pd.testing.assert_series_equal(of("recycler-1-1")["open"].head(50), played(day_file, 390)["open"].head(50))
    assert "the recycler plays recycler-1-1 now" in said


def test_bars_of_alpaca_are_everybodys_and_what_a_desk_catches_up_with(
    store: Store, play: Play, day_file: Path
) -> None:
    recycler = play()
    account = AlpacaSettings.model_validate({"key_id": "any", "secret_key": "any"})
    noon = ManualClock(OPEN + minutes(120))
    origin = Origin("Alpaca", f"{recycler.ws}/v2/iex", recycler.http, account, "alpaca", Exchange(noon))
    history = played(day_file, 390)
    store.bars.load(history, timeframe=Timeframe.MIN_1, source="alpaca", feed="iex", adjustment="split")
    with clock_of(recycler) as clock, LiveFeed(store, origin, SYMBOLS) as feed:
        clock.wait_until(OPEN + minutes(5))
        assert len(feed.take(OPEN + minutes(5))) == 10
    bars = store.bars.read(
        SYMBOLS, Timeframe.MIN_1, first=OPEN, last=OPEN + minutes(390), source="alpaca", prefer="seen"
    )
    assert len(bars) == 10  # raw, as they were seen


def test_the_exchange_knows_when_it_is_open() -> None:
    assert Exchange(ManualClock(OPEN)).moment().is_open
    assert not Exchange(ManualClock(OPEN - minutes(1))).moment().is_open
    assert not Exchange(ManualClock(OPEN + timedelta(days=3))).moment().is_open
    assert Exchange(ManualClock(OPEN)).world() is None
