import pickle
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import DataError, Timeframe
from tandem.store import Panel, Store

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
FIELDS = ("opens", "closes", "volumes")


def frame(places: set[tuple[str, int]], seed: int = 7) -> pd.DataFrame:
    chosen = sorted(places)
    random = np.random.default_rng(seed)
    starts = pd.DatetimeIndex([OPEN + minutes * pd.Timedelta("1s") for _, minutes in chosen], tz="UTC").as_unit("us")
    prices = 100 + random.random((2, len(chosen))).round(4)
    table = {"symbol": [name for name, _ in chosen], "start": starts, "open": prices[0], "close": prices[1]}
    volume = random.integers(0, 2**52, len(chosen))
    return pd.DataFrame({**table, "high": prices.max(0), "low": prices.min(0), "volume": volume})


def plain(bars: pd.DataFrame, name: str) -> pd.DataFrame:
    return bars.pivot(index="symbol", columns="start", values=name).sort_index().astype(float)


def same(one: Panel, other: Panel) -> None:
    assert (one.symbols, one.timeframe, one.version) == (other.symbols, other.timeframe, other.version)
    for name in ("starts", *FIELDS):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)


names = st.text("ABé", min_size=1, max_size=3)
minutes = st.integers(0, 50).map(lambda n: n * 60)
anything = st.integers(0, 100_000)


@given(st.one_of(st.sets(st.tuples(names, minutes), min_size=1), st.sets(st.tuples(names, anything), min_size=1)))
@settings(max_examples=60, deadline=None)
def test_a_panel_is_the_frame_pivoted(places: set[tuple[str, int]]) -> None:
    bars = frame(places)
    panel = Panel.of(bars.sample(frac=1, random_state=3), Timeframe.MIN_1)
    for name, field in zip(FIELDS, ("open", "close", "volume"), strict=True):
        wide = plain(bars, field)
        np.testing.assert_array_equal(getattr(panel, name), wide.to_numpy())
        assert panel.symbols == tuple(wide.index)
        assert list(pd.DatetimeIndex(panel.starts, tz="UTC")) == list(wide.columns)
    same(panel, Panel.of(bars, Timeframe.MIN_1))


def test_two_bars_in_one_place_are_refused() -> None:
    bars = frame({("A", 0), ("A", 60)})
    with pytest.raises(ValueError, match="same start"):
        Panel.of(pd.concat([bars, bars.tail(1)]), Timeframe.MIN_1)


def test_no_bars_are_an_empty_panel(store: Store) -> None:
    panel = store.bars.panel(["NONE"], Timeframe.MIN_1, first=FIRST, last=LAST)
    assert (len(panel), panel.symbols, panel.closes.shape) == (0, (), (0, 0))
    same(panel, store.bars.panel([], Timeframe.MIN_1, first=FIRST, last=LAST))


@pytest.mark.parametrize("change", ["symbol", "start", "open", "close", "volume"])
def test_every_part_of_a_panel_is_in_its_version(change: str) -> None:
    bars = frame({("A", 0), ("A", 60), ("B", 60)})
    step: object = {"symbol": "X", "start": pd.Timedelta("1us")}.get(change, 1)
    other = bars.assign(**{change: bars[change] + step})
    assert Panel.of(bars, Timeframe.MIN_1).version != Panel.of(other, Timeframe.MIN_1).version
    assert Panel.of(bars, Timeframe.MIN_1).version != Panel.of(bars, Timeframe.MIN_5).version


def test_a_panel_survives_a_pickle_and_a_file(tmp_path: Path) -> None:
    for places in ({("A", 0), ("B", 60), ("é C", 120)}, set[tuple[str, int]]()):
        panel = Panel.of(frame(places), Timeframe.HOUR_1)
        same(panel, pickle.loads(pickle.dumps(panel)))
        panel.save(tmp_path / panel.version)
        same(panel, Panel.load(tmp_path / panel.version))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_panel_is_not_believed(tmp_path: Path) -> None:
    panel = Panel.of(frame({("A", 0), ("B", 60), ("C", 120)}), Timeframe.HOUR_1)
    panel.save(tmp_path / "panel")
    whole = (tmp_path / "panel").read_bytes()
    place = whole.index(panel.closes[0, :1].tobytes())
    broken = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    for content in (broken, whole[: len(whole) // 2], b"", b"something else"):
        (tmp_path / "panel").write_bytes(content)
        with pytest.raises(DataError):
            Panel.load(tmp_path / "panel")
    with pytest.raises(DataError):
        Panel.load(tmp_path / "nothing")
