"""Bars from files of any layout."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.market import DataError, Timeframe
from tandem.sources import Layout, files
from tandem.store import Store

MINUTES = Layout(Timeframe.MIN_1)
HEAD = "symbol,start,open,high,low,close,volume\n"


def written(folder: Path, text: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def starts(folder: Path, time: str, layout: Layout) -> list[datetime]:
    path = written(folder, f"{HEAD}AAPL,{time},1,2,0.5,1.5,100\n")
    return [start.to_pydatetime() for start in files.read(path, layout).bars["start"]]


def refusal(path: Path, layout: Layout = MINUTES) -> str:
    with pytest.raises(DataError) as caught:
        files.read(path, layout)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_plain_file_is_read_as_it_stands(tmp_path: Path) -> None:
    reading = files.read(written(tmp_path, HEAD + "AAPL,2023-01-03 09:30,1,2,0.5,1.5,100\n"), MINUTES)
    row = reading.bars.iloc[0].to_dict()
    assert row.pop("start") == datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
    assert row == {"symbol": "AAPL", "open": 1, "high": 2, "low": 0.5, "close": 1.5, "volume": 100, "line": 2}
    assert reading.broken.empty


@pytest.mark.parametrize(
    ("time", "layout", "start"),
    [
        ("2023-01-03 09:31", Layout(Timeframe.MIN_1, label="end"), datetime(2023, 1, 3, 14, 30, tzinfo=UTC)),
        ("2023-07-03T09:30:00", MINUTES, datetime(2023, 7, 3, 13, 30, tzinfo=UTC)),
        ("2023-01-03T14:30:00Z", MINUTES, datetime(2023, 1, 3, 14, 30, tzinfo=UTC)),
        ("2023-01-03 09:30:00-05:00", MINUTES, datetime(2023, 1, 3, 14, 30, tzinfo=UTC)),
        ("2023-01-03 14:30", Layout(Timeframe.MIN_1, timezone="UTC"), datetime(2023, 1, 3, 14, 30, tzinfo=UTC)),
        (
            "01/03/2023 09:30",
            Layout(Timeframe.MIN_1, format="%m/%d/%Y %H:%M"),
            datetime(2023, 1, 3, 14, 30, tzinfo=UTC),
        ),
        ("20230103", Layout(Timeframe.DAY_1), datetime(2023, 1, 3, 5, tzinfo=UTC)),
        ("2023-07-03", Layout(Timeframe.DAY_1), datetime(2023, 7, 3, 4, tzinfo=UTC)),
        ("2023-07-03", Layout(Timeframe.DAY_1, label="end"), datetime(2023, 7, 3, 4, tzinfo=UTC)),
        ("2023-07-03 16:00", Layout(Timeframe.DAY_1), datetime(2023, 7, 3, 4, tzinfo=UTC)),
    ],
)
def test_times_become_starts_in_utc(tmp_path: Path, time: str, layout: Layout, start: datetime) -> None:
    assert starts(tmp_path, time, layout) == [start]


def test_times_with_and_without_a_zone_may_stand_in_one_file(tmp_path: Path) -> None:
    rows = "".join(
        f"AAPL,{time},1,2,0.5,1.5,1\n" for time in ("2023-01-03 09:30", "2023-01-03T14:31Z", "2023-01-03T09:32-05:00")
    )
    bars = files.read(written(tmp_path, HEAD + rows), MINUTES).bars
    assert list(bars["start"]) == [datetime(2023, 1, 3, 14, minute, tzinfo=UTC) for minute in (30, 31, 32)]


def test_a_time_that_the_change_of_clocks_doubles_or_leaves_out_is_broken(tmp_path: Path) -> None:
    rows = "AAPL,2023-11-05 01:30,1,2,0.5,1.5,1\nAAPL,2023-03-12 02:30,1,2,0.5,1.5,1\n"
    assert list(files.read(written(tmp_path, HEAD + rows), MINUTES).broken["line"]) == [2, 3]


def test_columns_are_mapped_and_usual_names_found(tmp_path: Path) -> None:
    text = "Ticker,When,Open,High,Low,Close,Adj,Vol\nNA,2023-01-03 09:30,1,2,0.5,1.5,1.25,100\n"
    layout = Layout(Timeframe.MIN_1, columns={"start": "When", "close": "Adj"})
    row = files.read(written(tmp_path, text), layout).bars.iloc[0]
    assert (row["symbol"], row["close"], row["volume"]) == ("NA", 1.25, 100)


def test_a_file_of_one_symbol_needs_no_such_column(tmp_path: Path) -> None:
    text = "start,open,high,low,close,volume\n2023-01-03 09:30,1,2,0.5,1.5,100\n"
    assert files.read(written(tmp_path, text), Layout(Timeframe.MIN_1, symbol="ON")).bars["symbol"].item() == "ON"


def test_a_missing_column_is_one_line_with_the_columns_found(tmp_path: Path) -> None:
    line = refusal(written(tmp_path, "symbol,start,open,high,low,last,volume\nA,2023-01-03,1,1,1,1,1\n"))
    assert "has no column close; it has symbol, start, open, high, low, last, volume" in line
    assert "--map close=COLUMN" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Empty CSV file"), (HEAD, "has no rows"), ("symbol,start\n", "has no rows")],
)
def test_a_file_without_bars_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(written(tmp_path, text))


def test_what_is_no_table_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 or not")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01\n")
    assert "cannot be read" in refusal(tmp_path / "x.parquet")
    assert "cannot be read" in refusal(tmp_path / "x.csv")
    assert "cannot be read" in refusal(tmp_path)
    assert "is missing" in refusal(tmp_path / "nothing.csv")
    assert "not a timezone" in refusal(tmp_path / "x.csv", Layout(Timeframe.MIN_1, timezone="Mars/Olympus"))
    assert "not a column of a bar" in refusal(
        written(tmp_path, HEAD + "A\n"), Layout(Timeframe.MIN_1, {"closing": "x"})
    )


def test_broken_rows_are_told_by_line_and_reason(tmp_path: Path) -> None:
    rows = [
        "AAPL,2023-01-03 09:30,1,2,0.5,1.5,100",
        "AAPL,yesterday,1,2,0.5,1.5,100",
        "",
        "AAPL,2023-01-03 09:32,one,2,0.5,1.5,100",
        "AAPL,2023",
        ",2023-01-03 09:33,1,2,0.5,1.5,100",
        "AAPL,2023-01-03 09:34,1,2,0.5,1.5,",
        "AAPL,2023-01-03 09:35,1,2,0.5,1.5,1e30",
        "AAPL,2023-01-03 09:36,1,2,0.5,1.5,100",
    ]
    reading = files.read(written(tmp_path, HEAD + "\n".join(rows)), MINUTES)
    assert list(reading.bars["line"]) == [2, 10]
    assert dict(zip(reading.broken["line"], reading.broken["flaw"], strict=True)) == {
        3: "start is not a time: yesterday",
        5: "open is not a number: one",
        6: "2 fields where the header has 7",
        7: "symbol is missing",
        8: "volume is missing",
        9: "volume is not a number of shares: 1e30",
    }
    assert reading.broken["text"].iloc[2] == "AAPL,2023"


def test_semicolons_tabs_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    for mark in ";\t|":
        text = "\ufeff" + (HEAD + "AAPL,2023-01-03 09:30,1,2,0.5,1.5,100\n").replace(",", mark)
        assert len(files.read(written(tmp_path, text), MINUTES).bars) == 1


def test_parquet_keeps_its_own_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "symbol": ["AAPL", "AAPL"],
            "timestamp": pd.to_datetime(["2023-01-03 09:31", "2023-01-03 09:32"]),
            **{name: [1.0, None] for name in ("open", "high", "low", "close")},
            "volume": [10, 20],
        }
    )
    frame.to_parquet(tmp_path / "bars.parquet")
    reading = files.read(tmp_path / "bars.parquet", Layout(Timeframe.MIN_1, label="end"))
    assert list(reading.bars["start"]) == [datetime(2023, 1, 3, 14, 30, tzinfo=UTC)]
    assert list(reading.broken["line"]) == [2]
    assert list(reading.broken["flaw"]) == ["open is missing"]


def test_loading_stores_bars_and_quarantines_the_rest_with_file_and_line(tmp_path: Path, store: Store) -> None:
    rows = "AAPL,2023-01-03 09:30,1,2,0.5,1.5,100\nAAPL,2023-01-03 09:31,1,0.5,2,1.5,100\nAAPL,never,1,2,0.5,1.5,100\n"
    path = written(tmp_path, HEAD + rows)
    loaded, reading = files.load(store, path, MINUTES)
    assert (loaded.added, loaded.quarantined, len(reading.broken)) == (1, 2, 1)
    given = {row["line"]: row for row in store.bars.quarantine()["given"]}
    assert given["4"]["flaw"] == "start is not a time: never"
    assert given["3"]["file"] == str(path)


def test_loading_a_file_again_adds_and_quarantines_nothing_new(tmp_path: Path, store: Store) -> None:
    path = written(tmp_path, HEAD + "AAPL,2023-01-03 09:30,1,2,0.5,1.5,100\nAAPL,never,1,2,0.5,1.5,100\n")
    files.load(store, path, MINUTES)
    again, _ = files.load(store, path, MINUTES)
    assert (again.added, again.skipped) == (0, 1)
    assert len(store.bars.quarantine()) == 1


CELLS = st.text(st.characters(blacklist_characters=',"\r\n;\t|', blacklist_categories=["Cs", "Cc"]), max_size=12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=7, max_size=7).filter(any), min_size=1, max_size=6))
def test_whatever_the_cells_hold_every_row_is_a_bar_or_broken(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(HEAD + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    reading = files.read(path, MINUTES)
    assert sorted([*reading.bars["line"], *reading.broken["line"]]) == list(range(2, len(rows) + 2))
    assert (reading.broken["flaw"] != "").all()


def test_sectors_come_from_a_file_in_any_case(tmp_path: Path) -> None:
    table = files.sectors(written(tmp_path, "Symbol,Sector,Industry\nxom ,Energy,Oil & Gas\n"))
    assert table.iloc[0].to_dict() == {
        "symbol": "XOM",
        "sector": "energy",
        "industry": "oil & gas",
        "source": "bars.csv",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbol\nXOM\n", "has no column sector; it has symbol"),
        ("symbol,sector\nXOM,energy\nCVX,\n", "line 3: no sector"),
        ("", "cannot be read"),
    ],
)
def test_a_sectors_file_that_lacks_something_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        files.sectors(written(tmp_path, text))


@pytest.mark.parametrize("time", ["9999-12-31T23:59", "0001-01-01T00:00", "1600-01-03T09:30", "9999-12-31T23:59-05:00"])
def test_a_time_beyond_reason_breaks_its_row_alone(tmp_path: Path, time: str) -> None:
    rows = f"AAPL,{time},1,2,0.5,1.5,1\nAAPL,2023-01-03 09:31,1,2,0.5,1.5,1\n"
    reading = files.read(written(tmp_path, HEAD + rows), MINUTES)
    assert list(reading.broken["flaw"]) == [f"start is not a time: {time}"]
    assert list(reading.bars["line"]) == [3]


def test_a_form_of_times_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "AAPL,2023-01-03 09:30,1,2,0.5,1.5,1\n")
    assert "%Q is not the form of a time" in refusal(path, Layout(Timeframe.MIN_1, format="%Q"))


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "symbol," + HEAD + "A,AAPL,2023-01-03 09:30,1,2,0.5,1.5,1\n")
    assert "more than one column symbol" in refusal(path)


def test_a_column_called_line_is_nobodys(tmp_path: Path) -> None:
    path = written(tmp_path, "line," + HEAD + "7,AAPL,2023-01-03 09:30,1,2,0.5,1.5,1\n")
    assert list(files.read(path, MINUTES).bars["line"]) == [2]


def test_beside_minutes_the_longer_bars_they_make_are_kept(store, tmp_path):
    from tandem.market import Timeframe, resample
    from tandem.sources import samples

    minutes = samples.minute_bars().query("symbol == 'IBM'").head(390)
    path = tmp_path / "minutes.parquet"
    minutes.rename(columns={"start": "timestamp"}).to_parquet(path)
    files.load(store, path, Layout(Timeframe.MIN_1, {"start": "timestamp"}))
    first, last = minutes["start"].min(), minutes["start"].max() + Timeframe.HOUR_1.length
    for timeframe in (Timeframe.MIN_5, Timeframe.HOUR_1):
        kept = store.bars.read(["IBM"], timeframe, first=timeframe.start_of(first), last=last + timeframe.length)
        assert kept["close"].tolist() == resample(minutes, timeframe)["close"].tolist()


def rows_of(times, symbols=("AAPL", "MSFT")):
    return HEAD + "".join(f"{symbol},{time},1,2,0.5,1.5,100\n" for symbol in symbols for time in times)


def minutes_of(step, count=60, day="2023-01-03"):
    return [f"{start:%Y-%m-%d %H:%M}" for start in pd.date_range(f"{day} 09:30", periods=count, freq=f"{step}min")]


UNSAID = Layout()


@pytest.mark.parametrize("step", [1, 5, 15, 30])
def test_the_length_of_bars_is_their_usual_spacing(tmp_path, step):
    count = 390 // step
    gaps = [time for n, time in enumerate(minutes_of(step, count)) if n % 5]
    reading = files.read(written(tmp_path, rows_of(gaps)), UNSAID)
    assert (reading.timeframe.length.seconds, reading.taken[:5]) == (60 * step, "rows ")


@pytest.mark.parametrize(
    "times",
    [
        ["2018-02-07", "2018-02-08"],
        ["2018-02-08"],
        ["2018-02-07T00:00:00Z", "2018-02-08T00:00:00Z"],
        ["2018-02-07 00:00-05:00", "2018-02-08 00:00-05:00"],
        ["2018-02-06 16:00", "2018-02-07 16:00", "2018-02-08 16:00"],
    ],
)
def test_one_row_a_day_is_a_daily_bar_of_that_day(tmp_path, times):
    reading = files.read(written(tmp_path, rows_of(times)), UNSAID)
    assert reading.timeframe is Timeframe.DAY_1
    assert reading.bars["start"].max() == datetime(2018, 2, 8, 5, tzinfo=UTC)
    assert reading.taken == "one row per symbol and day: taken as 1Day; --timeframe says otherwise"


@pytest.mark.parametrize(
    ("times", "length", "said"),
    [
        (["2018-02-07", "2018-02-08"], "1Min", "one row per symbol and day, which are no 1Min bars"),
        (minutes_of(60, 7), None, ""),
        (minutes_of(1), "1Day", "rows 1 minute apart, which are no 1Day bars. Leave --timeframe out"),
        (minutes_of(1), "5Min", "rows 1 minute apart, which are no 5Min bars"),
        (minutes_of(5), "1Min", "rows 5 minutes apart, which are no 1Min bars"),
        (minutes_of(2), None, "rows 2 minutes apart, which is no length of bars here. Give --timeframe"),
        (minutes_of(1, 1), None, "too few rows to tell the length of its bars. Give --timeframe"),
        (minutes_of(1, 9), "5Min", ""),
        (minutes_of(2), "1Min", ""),
    ],
)
def test_a_length_that_the_times_contradict_is_refused(tmp_path, times, length, said):
    path, layout = written(tmp_path, rows_of(times)), Layout(Timeframe(length) if length else None)
    if said:
        assert said in refusal(path, layout)
    else:
        files.read(path, layout)


def test_a_day_that_stands_twice_in_a_daily_file_is_no_contradiction(tmp_path):
    path = written(tmp_path, rows_of(["2018-02-07", "2018-02-08", "2018-02-08"]))
    assert files.read(path, UNSAID).timeframe is Timeframe.DAY_1
