from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import CostSettings
from tandem.market import RecyclerError, World, WorldKind
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
        start=st.none() | st.dates(),
        end=st.none() | st.dates(),
        port=st.integers(0, 65535),
        cash=st.decimals("0.01", 10**9, places=2),
        world=worlds,
        costs=st.builds(CostSettings, spread_bps=st.floats(0, 100), impact=st.floats(0, 1)),
        bars=st.none() | st.just(Path("/tmp/bars.parquet")),
        lockstep=st.booleans(),
        speed=st.none() | st.floats(0.01, 10**6),
        delay_ms=st.floats(0, 1000),
        delay_seed=st.integers(0, 99),
    )
)
def test_options_survive_the_command_line(options: Options) -> None:
    assert Options.parse(options.arguments()) == options


def test_defaults_need_no_words() -> None:
    assert Options(("AAPL",)).arguments() == ["--symbols", "AAPL"]
    assert Options.parse(["--symbols", "AAPL,MSFT", "--start", "2023-01-03"]).start == date(2023, 1, 3)


@pytest.mark.parametrize("change", [{"speed": 0.0}, {"speed": -1.0}, {"cash": Decimal(0)}, {"delay_ms": -1.0}])
def test_options_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(RecyclerError):
        Options(("AAPL",), **change)  # type: ignore[arg-type]
