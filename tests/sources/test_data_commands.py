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
    assert "line 3: start is not a time: never" in out
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
        (["alpaca"], "which symbols?"),
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
