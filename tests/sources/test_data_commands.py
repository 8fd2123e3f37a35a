"""`tandem data` and `tandem sectors`, as a person types them."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tandem.cli.app import run
from tandem.market import Calendar, Timeframe, World, WorldKind
from tandem.sources import simulate, simulated
from tandem.store import Store

Typed = Callable[..., tuple[int, str, str]]
HEAD = "ticker,date,open,high,low,close,volume\n"


@pytest.fixture
def tandem(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    monkeypatch.setenv("COLUMNS", "160")

    def typed(*words: str) -> tuple[int, str, str]:
        status = run(words)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    return typed


@pytest.fixture
def week(store: Store) -> Store:
    made = simulate(Calendar().sessions(date(2023, 1, 9), date(2023, 1, 13)), Timeframe.MIN_5, pairs=1, walks=1)
    bars = made.bars
    gap = (bars["symbol"] == "SIMW1") & (bars["start"].dt.day == 11)
    store.bars.load(bars[~gap], timeframe=made.timeframe, source=simulated.SOURCE)
    return store


def test_an_empty_store_says_what_to_run(tandem: Typed) -> None:
    for words in (["data", "status"], ["data", "list"]):
        status, out, _ = tandem(*words)
        assert (status, "tandem data load samples" in out) == (0, True)
    assert "tandem sectors import FILE" in tandem("sectors", "list")[1]
    assert json.loads(tandem("data", "status", "--json")[1]) == []


def test_bars_that_differ_from_what_is_stored_are_counted_and_the_way_out_is_told(
    tandem: Typed, tmp_path: Path
) -> None:
    rows = "".join(f"AAPL,2023-01-03T14:{minute}Z,{price},9,1,2,1\n" for minute, price in ((30, 3), (31, 4)))
    (tmp_path / "bars.csv").write_text("symbol,start,open,high,low,close,volume\n" + rows)
    given = ["data", "load", str(tmp_path / "bars.csv"), "--timeframe", "1Min"]
    assert "2 bars added." in tandem(*given)[1]
    assert "of those differ" not in tandem(*given)[1]
    status, out, _ = tandem(*given, "--label", "end")  # 14:29 is new, 14:30 has another price
    assert status == 0
    assert "1 bars added, 1 there already." in out
    assert "1 of those differ from the bars in their places, which stay." in out
    assert "tandem data remove --source file" in out


def test_status_shows_rows_first_last_and_gaps_per_symbol(tandem: Typed, week: Store) -> None:
    status, out, _ = tandem("data", "status")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if "SIM" in line}
    assert status == 0
    assert rows["SIMA1"][-1] == "0"
    assert rows["SIMW1"][-1] == "1"
    assert "2023-01-09" in out


def test_bars_of_a_world_have_rows_of_their_own(tandem: Typed, week: Store) -> None:
    bars = pd.DataFrame(
        {"symbol": "SIMA1", "start": [pd.Timestamp("2023-01-09 14:30", tz="UTC")]}
        | dict.fromkeys(("open", "high", "low", "close"), 100.0)
        | {"volume": 10}
    )
    world = World(WorldKind.RECYCLER, 3)
    week.bars.load(bars, timeframe=Timeframe.MIN_1, source="recycled", feed="iex", world=world)
    for words in (["data", "list"], ["data", "status"], ["data", "status", "SIMA1"]):
        assert "recycled iex recycler-3" in tandem(*words)[1]
    assert max(map(len, tandem("data", "status")[1].splitlines())) <= 80
    found = [row for row in json.loads(tandem("data", "status", "--json")[1]) if row["world"]]
    assert [(row["symbol"], row["source"], row["world"], row["rows"]) for row in found] == [
        ("SIMA1", "recycled", "recycler-3", 1)
    ]


def test_status_speaks_json(tandem: Typed, week: Store) -> None:
    found = {row["symbol"]: row for row in json.loads(tandem("data", "status", "--json")[1])}
    assert (found["SIMW1"]["rows"], found["SIMW1"]["gaps"], found["SIMA1"]["rows"]) == (4 * 78, 1, 5 * 78)
    assert found["SIMA1"]["first"].startswith("2023-01-09T14:30:00")


def test_status_of_one_symbol_and_of_one_that_is_not_there(tandem: Typed, week: Store) -> None:
    assert "SIMB1" not in tandem("data", "status", "sima1")[1]
    status, _, err = tandem("data", "status", "SIMA2")
    assert (status, "no bars of SIMA2. Did you mean SIMA1?" in err) == (2, True)


def test_list_sums_up_each_source(tandem: Typed, week: Store) -> None:
    row = json.loads(tandem("data", "list", "--json")[1])[0]
    assert (row["timeframe"], row["source"], row["symbols"], row["rows"]) == ("5Min", "simulated", 3, 14 * 78)
    assert "1,092" in tandem("data", "list")[1]


def test_loading_a_file_counts_and_tells_what_is_broken(tandem: Typed, store: Store) -> None:
    Path("a.csv").write_text(
        HEAD + "AAPL,2023-01-03 09:31,1,2,0.5,1.5,9\nAAPL,never,1,2,0.5,1.5,9\nAAPL,2023-01-03 09:32,1,0,0.5,1.5,9\n"
    )
    status, out, _ = tandem("data", "load", "a.csv", "--label", "end", "--map", "symbol=ticker,start=date")
    assert (status, "1 bars added, 2 rows quarantined" in out) == (0, True)
    assert "AAPL line 3: start is not a time: never" in out
    assert "AAPL 2023-01-03 09:31 line 4: high 0 is not positive" in out
    assert "rows 1 minute apart: taken as 1Min; --timeframe says otherwise" in out
    assert "2 rows that are no bars" in tandem("data", "status")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.csv"], "nothing.csv is missing"),
        (["a.csv", "--map", "closing=x"], "closing is not a column of a bar"),
        (["a.csv", "--map", "close"], "--map close is not OURS=THEIRS"),
        (["a.csv", "--map", "close=adj"], "has no column adj; it has ticker, date"),
        (["a.csv", "--timeframe", "2Min"], "2Min"),
        ([], "FILE"),
        (["alpaca"], "it is not said which symbols. Give --symbols"),
        (["alpaca", "--sector", "tech"], "no symbols in the sector tech"),
        (["alpaca", "--symbols", "AAPL"], "no keys for Alpaca"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tandem: Typed, words: list[str], said: str) -> None:
    Path("a.csv").write_text(HEAD + "AAPL,2023-01-03 09:31,1,2,0.5,1.5,9\n")
    status, _, err = tandem("data", "load", *words)
    lines = [line for line in err.splitlines() if line.startswith("tandem:")]
    assert (status, len(lines)) == (2, 1)
    assert said in lines[0]


def test_loading_from_alpaca_estimates_before_it_starts(tandem: Typed, store: Store) -> None:
    Path("s.csv").write_text("symbol,sector\nAAPL,Technology\nMSFT,technology\nXOM,energy\n")
    assert "3 symbols read, 3 new or changed" in tandem("sectors", "import", "s.csv")[1]
    asked = ("data", "load", "alpaca", "--sector", "technology", "--days", "60")
    assert "2 symbols, 60 sessions of 1Hour bars" in tandem(*asked)[1]  # the model's timeframe
    _, out, _ = tandem(*asked, "--timeframe", "1Min")
    assert re.search(r"2 symbols, 60 sessions of 1Min bars: at most 12 calls, 0\.1 minutes", out)


def test_samples_load_once_with_their_sectors(tandem: Typed, store: Store) -> None:
    assert "158,595 bars added, 78 rows quarantined" in tandem("data", "load", "samples")[1]
    assert "there already" in tandem("data", "load", "samples")[1]
    assert store.sectors.of(["NVDA"]) == {"NVDA": "technology"}


def test_status_of_the_samples_counts_their_gaps(tandem: Typed) -> None:
    tandem("data", "load", "samples")
    found = {(row["symbol"], row["timeframe"]): row for row in json.loads(tandem("data", "status", "IBM", "--json")[1])}
    assert found["IBM", "1Min"]["gaps"] == 1
    assert found["IBM", "1Day"]["gaps"] == 7


def test_sectors_are_listed_and_a_wrong_name_is_mended(tandem: Typed) -> None:
    Path("s.csv").write_text("symbol,sector\nAAPL,Technology\nXOM,energy\n")
    tandem("sectors", "import", "s.csv")
    assert "technology" in tandem("sectors", "list")[1]
    assert json.loads(tandem("sectors", "list", "energy", "--json")[1])[0]["symbol"] == "XOM"
    status, _, err = tandem("sectors", "list", "oil")
    assert (status, "Known sectors: energy, technology" in err) == (2, True)
    assert tandem("sectors", "import", "nothing.csv")[0] == 2


def test_no_days_are_refused(tandem: Typed) -> None:
    status, _, err = tandem("data", "load", "alpaca", "--symbols", "AAPL", "--days", "0")
    assert (status, "days" in err) == (2, True)


DAILY = "symbol,date,open,high,low,close,volume\n" + "".join(
    f"{symbol},2018-02-{day:02},{price},{price + 1},{price - 1},{price},{day * 1000}\n"
    for symbol, price in (("KO", 40), ("PEP", 110))
    for day in (5, 6, 7, 8)
)


def loaded(store: Store) -> dict[str, int]:
    counts = store.bars.coverage().groupby("timeframe")["rows"].sum()
    return {str(length): int(rows) for length, rows in counts.items()}


def test_a_daily_file_is_taken_as_daily_bars_and_says_so(tandem: Typed, store: Store) -> None:
    Path("daily.csv").write_text(DAILY)
    status, out, _ = tandem("data", "load", "daily.csv")
    assert (status, loaded(store)) == (0, {"1Day": 8})
    assert "one row per symbol and day: taken as 1Day; --timeframe says otherwise." in out


def test_a_length_that_the_file_contradicts_is_one_line_and_nothing_is_stored(tandem: Typed, store: Store) -> None:
    Path("daily.csv").write_text(DAILY)
    status, _, err = tandem("data", "load", "daily.csv", "--timeframe", "1Min")
    assert status == 2
    assert "daily.csv has one row per symbol and day, which are no 1Min bars. Leave --timeframe out" in err
    assert loaded(store) == {}


def test_bars_are_taken_out_again_with_those_made_of_them(tandem: Typed, store: Store) -> None:
    Path("a.csv").write_text(HEAD + "".join(f"AAPL,2023-01-03 09:{minute},1,2,0.5,1.5,9\n" for minute in range(30, 50)))
    Path("daily.csv").write_text(DAILY + "KO,2018-02-09,1,2,0.5,-1,9\n")
    tandem("data", "load", "a.csv")
    tandem("data", "load", "daily.csv")
    assert loaded(store) == {"1Min": 20, "5Min": 4, "1Hour": 1, "1Day": 8}
    assert len(store.bars.quarantine()) == 1
    status, out, _ = tandem("data", "remove", "--source", "file", "--timeframe", "1Min", "--yes")
    assert (status, loaded(store)) == (0, {"1Day": 8})
    assert "25 bars of 1 symbols from file: 1Min, 5Min, 1Hour." in out
    assert "Removed: 25 bars." in out
    tandem("data", "remove", "--source", "file", "--symbol", "ko", "--yes")
    assert loaded(store) == {"1Day": 4}
    assert store.bars.quarantine().empty


def test_removing_asks_for_the_number_of_bars(tandem: Typed, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("daily.csv").write_text(DAILY)
    tandem("data", "load", "daily.csv")
    status, _, err = tandem("data", "remove", "--source", "file")
    assert (status, "nobody is there to confirm it. Give --yes" in err) == (2, True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert "Nothing is removed." in tandem("data", "remove", "--source", "file")[1]
    monkeypatch.setattr("builtins.input", lambda _: "8")
    assert "Removed: 8 bars." in tandem("data", "remove", "--source", "file")[1]
    assert loaded(store) == {}


def test_what_is_not_there_cannot_be_removed(tandem: Typed) -> None:
    Path("daily.csv").write_text(DAILY)
    tandem("data", "load", "daily.csv")
    for words, said in (
        (["--source", "files"], "no bars from files. There are bars from: file"),
        (["--source", "file", "--timeframe", "1Min"], "no 1Min bars from file"),
        (["--source", "file", "--symbol", "XOM"], "no bars of XOM from file"),
    ):
        status, _, err = tandem("data", "remove", *words, "--yes")
        assert (status, said in err) == (2, True)


def test_every_row_that_is_no_bar_is_named(tandem: Typed) -> None:
    rows = "KO,2018-02-09,1,2,0.5,-5,9\nPEP,2018-02-09,0,0,0,0,9\nWMT,2018-02-09,1,2,0.5,,9\nWMT,2018-02-12,1,2,0.5\n"
    Path("bad.csv").write_text(DAILY + rows)
    _, out, _ = tandem("data", "load", "bad.csv")
    for said in (
        "4 rows quarantined",
        "KO 2018-02-09 line 10: close -5 is not positive",
        "PEP 2018-02-09 line 11: open 0 is not positive",
        "WMT 2018-02-09 line 12: close is missing",
        "line 13: 5 fields where the header has 7",
    ):
        assert said in out
    table = json.loads(tandem("data", "quarantine", "--json")[1])
    assert [(row["symbol"], row["time"], row["where"]) for row in table] == [
        ("KO", "2018-02-09", "bad.csv line 10"),
        ("PEP", "2018-02-09", "bad.csv line 11"),
        ("WMT", "2018-02-09", "bad.csv line 12"),
        ("", "", "bad.csv line 13"),
    ]
    assert "open 0 is not positive" in tandem("data", "quarantine", "pep", "--source", "file")[1]
    assert "No such rows" in tandem("data", "quarantine", "AAPL")[1]


def test_many_broken_rows_of_a_kind_are_counted(tandem: Typed) -> None:
    rows = "".join(f"X{n},2018-02-09,{n},{n},{n},-{n + 1},9\n" for n in range(9))
    Path("bad.csv").write_text(DAILY + rows)
    out = tandem("data", "load", "bad.csv")[1]
    assert "9 x " in out
    assert "`tandem data quarantine` lists them all." in out
