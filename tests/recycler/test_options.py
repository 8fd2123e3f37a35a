from dataclasses import fields
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import CostSettings, DateRangeSettings, FaultSettings, RecyclerSettings
from tandem.market import RecyclerError, Timeframe, World, WorldKind
from tandem.recycler import Options, world_of

worlds = st.builds(World, st.sampled_from(WorldKind), st.integers(0, 10**9), st.integers(0, 10**6))


@settings(deadline=None)
@given(worlds)
def test_the_text_of_a_world_names_it(world: World) -> None:
    assert world_of(str(world)) == world


@pytest.mark.parametrize("text", ["", "recycler", "mars-1", "paper-x", "paper-1-2-3", "paper--1"])
def test_other_text_names_no_world(text: str) -> None:
    with pytest.raises(RecyclerError, match="names no world"):
        world_of(text)


@settings(deadline=None)
@given(
    st.builds(
        Options,
        symbols=st.lists(st.sampled_from(["AAPL", "BRK.B", "X"]), min_size=1, unique=True).map(tuple),
        start=st.none() | st.dates(max_value=date(2020, 1, 1)),
        end=st.none() | st.dates(min_value=date(2020, 1, 1)),
        port=st.integers(0, 65535),
        cash=st.decimals("0.01", 10**9, places=2),
        world=worlds,
        costs=st.builds(CostSettings, spread_bps=st.floats(0, 100), impact=st.floats(0, 1)),
        bars=st.none() | st.just(Path("/tmp/bars.parquet")),
        lockstep=st.booleans(),
        speed=st.none() | st.floats(0.01, 10**6),
        delay_ms=st.floats(0, 1000),
        delay_seed=st.integers(0, 99),
        mode=st.sampled_from(["loop", "date_range", "single_pass", "shuffle_days"]),
        loop_count=st.integers(-1, 9),
        splice=st.lists(st.dates(), max_size=3).map(tuple),
        timestamps=st.sampled_from(["current", "original"]),
        timeframe=st.sampled_from(Timeframe),
        proxies=st.dictionaries(st.sampled_from(["PDFS", "BRK.B"]), st.sampled_from(["AAPL", "X"])),
        any_proxy=st.booleans(),
        on_end=st.sampled_from(["hold", "close"]),
        fills=st.sampled_from(["next_bar", "alpaca"]),
        symbol_limit=st.none() | st.integers(1, 99),
        faults=st.lists(st.builds(FaultSettings, name=st.just("drop"), at=st.none() | st.just(time(10, 5)))).map(tuple),
        compression=st.booleans(),
        tls=st.booleans(),
        durable=st.booleans(),
    )
)
def test_options_survive_the_command_line(options: Options) -> None:
    assert Options.parse(options.arguments()) == options


def test_defaults_need_no_words() -> None:
    assert Options(("AAPL",)).arguments() == ["--symbols=AAPL"]
    assert Options.parse(["--symbols", "AAPL,MSFT", "--start", "2023-01-03"]).start == date(2023, 1, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"speed": 0.0},
        {"speed": -1.0},
        {"cash": Decimal(0)},
        {"delay_ms": -1.0},
        {"loop_count": -2},
        {"mode": "splice"},
        {"tls_cert": Path("cert.pem")},
        {"start": date(2023, 1, 4), "end": date(2023, 1, 3)},
    ],
)
def test_options_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(RecyclerError):
        Options(("AAPL",), **change)  # type: ignore[arg-type]


def test_settings_become_options_and_what_is_said_beside_them_wins() -> None:
    settings = RecyclerSettings(
        symbols=["AAPL", "PDFS"],
        proxies={"PDFS": "AAPL"},
        replay_mode="date_range",
        date_range=DateRangeSettings(start_date=date(2023, 1, 3)),
        replay_speed=60.0,
        server_url="ws://localhost:9999",
        rate_limit=200,
        cash=Decimal(5000),
    )
    options = Options.from_settings(settings, CostSettings(spread_bps=1.0), speed=None, cash=Decimal(7))
    assert options == Options(
        ("AAPL", "PDFS"),
        start=date(2023, 1, 3),
        mode="date_range",
        timestamps="current",
        proxies={"PDFS": "AAPL"},
        any_proxy=True,
        port=9999,
        rate_limit=200,
        costs=CostSettings(spread_bps=1.0),
        cash=Decimal(7),
    )


def test_a_clock_in_lockstep_has_no_speed_of_its_own() -> None:
    options = Options.from_settings(RecyclerSettings(replay="lockstep"), CostSettings())
    assert (options.lockstep, options.speed) == (True, None)


def test_every_setting_of_the_recycler_reaches_the_options() -> None:
    told = {"replay_mode", "replay_speed", "replay", "date_range", "splice_dates", "server_url"}
    assert set(RecyclerSettings.model_fields) - told <= {one.name for one in fields(Options)}
