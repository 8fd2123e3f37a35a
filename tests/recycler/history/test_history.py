import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.models import BarSet
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from tandem.config import CostSettings
from tandem.market import Timeframe, resample
from tandem.recycler import Launched

KEYS = {"APCA-API-KEY-ID": "K", "APCA-API-SECRET-KEY": "S"}
OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
TEN = datetime(2023, 1, 4, 15, 45, tzinfo=UTC)
LATE = datetime(2023, 1, 5, tzinfo=UTC)
PRICES = ["open", "high", "low", "close", "volume", "trade_count", "vwap"]


@contextmanager
def standing_at(recycler: Launched, moment: datetime) -> Iterator[None]:
    """The clock stands at the first mark after a minute."""
    with requests.post(f"{recycler.http}/control/desks", json={"desk": "d"}, stream=True, timeout=10):
        through = (moment - timedelta(minutes=1)).isoformat()
        done = requests.post(f"{recycler.http}/control/ready", json={"desk": "d", "through": through}, timeout=10)
        assert done.json()["time"] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        yield


@pytest.fixture(scope="module")
def at_ten(standing: Launched) -> Iterator[Launched]:
    """A recycler whose clock stands at 10:45 in New York."""
    with standing_at(standing, TEN):
        yield standing


@pytest.fixture
def client(at_ten: Launched) -> StockHistoricalDataClient:
    return StockHistoricalDataClient("K", "S", url_override=at_ten.http)


def get(recycler: Launched, path: str, **params: Any) -> requests.Response:
    return requests.get(f"{recycler.http}/v2/stocks/{path}", params, headers=KEYS, timeout=10)


def known(bars: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """What has happened by 10:45."""
    return bars[(bars["symbol"] == symbol) & (bars["start"] + timedelta(minutes=1) <= TEN)].reset_index(drop=True)


def frame_of(answer: BarSet) -> pd.DataFrame:
    rows = [bar.model_dump() for bars in answer.data.values() for bar in bars]
    return pd.DataFrame(rows).rename(columns={"timestamp": "start"})


def same(answer: BarSet, expected: pd.DataFrame) -> None:
    columns = ["symbol", "start", *PRICES]
    pd.testing.assert_frame_equal(
        frame_of(answer)[columns].sort_values(["symbol", "start"], ignore_index=True),
        expected[columns].sort_values(["symbol", "start"], ignore_index=True),
        check_dtype=False,
    )


def asked(symbols: str | list[str], timeframe: TimeFrame, **more: Any) -> StockBarsRequest:
    return StockBarsRequest(
        symbol_or_symbols=symbols, timeframe=timeframe, **{"start": OPEN - timedelta(days=30), **more}
    )


def test_bars_of_the_official_client_are_the_stored_ones_up_to_the_clock(
    client: StockHistoricalDataClient, bars: pd.DataFrame
) -> None:
    both = pd.concat([known(bars, "AAPL"), known(bars, "MSFT")])
    everything = asked(["MSFT", "AAPL"], TimeFrame.Minute, end=LATE, feed=DataFeed.IEX, adjustment=Adjustment.ALL)
    same(client.get_stock_bars(everything), both)
    same(client.get_stock_bars(asked("AAPL", TimeFrame.Minute)), known(bars, "AAPL"))


def test_the_official_client_turns_over_pages(client: StockHistoricalDataClient, bars: pd.DataFrame) -> None:
    answer = client.get_stock_bars(asked(["AAPL", "MSFT"], TimeFrame.Minute, limit=110)).data
    assert {symbol: len(bars) for symbol, bars in answer.items()} == {"AAPL": 75, "MSFT": 35}


def test_pages_of_every_size_hold_each_bar_once(at_ten: Launched, bars: pd.DataFrame) -> None:
    for sort, limit in (("asc", 1), ("desc", 7), ("asc", 75), ("desc", 149)):
        wanted = {"symbols": "MSFT,AAPL", "timeframe": "1Min", "start": "2023-01-04", "limit": limit, "sort": sort}
        found: list[tuple[str, str]] = []
        token: str | None = None
        while True:
            answer = get(at_ten, "bars", **wanted, **({"page_token": token} if token else {})).json()
            page = [(symbol, bar["t"]) for symbol, listed in answer["bars"].items() for bar in listed]
            assert len(page) <= limit
            found += page
            token = answer["next_page_token"]
            if token is None:
                break
            assert base64.b64decode(token).decode().split("|")[:2] == [page[-1][0], "M"]
        assert len(found) == len(set(found)) == 150
        expected = [(s, f"{t:%Y-%m-%dT%H:%M:%SZ}") for s in ("AAPL", "MSFT") for t in known(bars, s)["start"]]
        assert sorted(found) == expected
        assert found == sorted(found, key=lambda row: row[0]) if sort == "desc" else found == expected


@pytest.mark.parametrize("timeframe", [Timeframe.MIN_5, Timeframe.MIN_30, Timeframe.HOUR_1, Timeframe.DAY_1])
def test_longer_bars_hold_the_minutes_so_far(
    client: StockHistoricalDataClient, bars: pd.DataFrame, timeframe: Timeframe
) -> None:
    unit = TimeFrame(int(timeframe.value.rstrip("MinHourDay")), TimeFrameUnit(timeframe.value.lstrip("0123456789")))
    answer = frame_of(client.get_stock_bars(asked("MSFT", unit)))
    expected = resample(known(bars, "MSFT"), timeframe)
    assert answer["start"].tolist() == expected["start"].tolist()
    for column in ("open", "high", "low", "close", "volume", "trade_count"):
        assert answer[column].tolist() == expected[column].tolist()


def test_a_bar_looks_as_alpacas_does(at_ten: Launched) -> None:
    single = get(at_ten, "AAPL/bars", timeframe="1D", start="2023-01-04")
    assert list(single.json()) == ["bars", "symbol", "next_page_token"]
    bar = single.json()["bars"][0]
    assert list(bar) == ["t", "o", "h", "l", "c", "v", "n", "vw"]
    assert (bar["t"], bar["o"]) == ("2023-01-04T05:00:00Z", 125)
    assert '"o":125,' in single.text
    minute = get(at_ten, "bars", symbols="AAPL", timeframe="1T", start="2023-01-04T14:31:00Z", limit=1).json()
    assert list(minute) == ["bars", "next_page_token"]
    assert minute["bars"]["AAPL"][0]["n"] is None
    assert minute["bars"]["AAPL"][0]["vw"] is None


def test_what_is_newest_is_what_the_clock_has_passed(
    at_ten: Launched, client: StockHistoricalDataClient, bars: pd.DataFrame
) -> None:
    latest = client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols=["AAPL", "MSFT"]))
    assert {bar.timestamp for bar in latest.values()} == {TEN - timedelta(minutes=1)}
    assert latest["AAPL"].close == known(bars, "AAPL")["close"].iloc[-1]
    one = get(at_ten, "AAPL/bars/latest").json()
    assert (list(one), one["symbol"], one["bar"]["t"]) == (["symbol", "bar"], "AAPL", "2023-01-04T15:44:00Z")
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["AAPL"]))["AAPL"]
    assert snapshot.minute_bar.timestamp == TEN - timedelta(minutes=1)
    assert snapshot.daily_bar.volume == known(bars, "AAPL")["volume"].sum()
    assert snapshot.previous_daily_bar is None
    assert next(iter(get(at_ten, "AAPL/snapshot").json())) == "symbol"


@pytest.mark.parametrize("timestamps", ["current", "original"])
@pytest.mark.parametrize(("days_back", "is_known"), [(1, True), (2, False), (34, False), (4800, False)])
def test_the_previous_daily_bar_is_of_the_session_before_or_there_is_none(
    start: Callable[..., Launched],
    bars: pd.DataFrame,
    tmp_path: Path,
    timestamps: str,
    days_back: int,
    is_known: bool,
) -> None:
    earlier = bars.assign(start=bars["start"] - pd.Timedelta(days=days_back))
    pd.concat([earlier, bars]).sort_values(["symbol", "start"]).to_parquet(tmp_path / "bars.parquet")
    recycler = start(bars=tmp_path / "bars.parquet", start=date(2023, 1, 4), timestamps=timestamps)
    control = f"{recycler.http}/control"
    for _ in range(2):
        assert requests.post(f"{control}/step", json={"count": 1}, timeout=10).ok
    day = get(recycler, "AAPL/snapshot").json()
    assert day["dailyBar"]["v"] < 100_000
    assert (day["prevDailyBar"] is not None) == is_known
    if is_known:
        assert day["prevDailyBar"]["v"] == bars[bars["symbol"] == "AAPL"]["volume"].sum()


def test_quotes_trades_and_auctions_are_empty_where_nothing_is_made_up(
    at_ten: Launched, client: StockHistoricalDataClient
) -> None:
    since = {"symbol_or_symbols": "AAPL", "start": OPEN}
    assert client.get_stock_trades(StockTradesRequest(**since)).data == {}
    assert client.get_stock_quotes(StockQuotesRequest(**since)).data == {}
    assert client.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="AAPL")) == {}
    assert client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL")) == {}
    assert get(at_ten, "auctions", symbols="AAPL").json() == {"auctions": {}, "next_page_token": None}
    empty = {"quotes": [], "symbol": "AAPL", "next_page_token": None}
    assert get(at_ten, "AAPL/quotes").json() == empty


def test_trades_and_quotes_are_made_up_from_bars_on_demand(start: Callable[..., Launched], bars: pd.DataFrame) -> None:
    recycler = start(derive_ticks=True, costs=CostSettings(spread_bps=8))
    client = StockHistoricalDataClient("K", "S", url_override=recycler.http)
    with standing_at(recycler, TEN):
        minutes = known(bars, "AAPL")
        trades = client.get_stock_trades(StockTradesRequest(symbol_or_symbols="AAPL", start=OPEN))["AAPL"]
        assert [trade.price for trade in trades] == minutes["close"].tolist()
        assert {tuple(trade.conditions) for trade in trades} == {("DERIVED",)}
        quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))["AAPL"]
        assert quote.bid_price < minutes["close"].iloc[-1] < quote.ask_price
        assert TEN - timedelta(minutes=1) < quote.timestamp < TEN
        snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))["AAPL"]
        assert snapshot.latest_trade.price == trades[-1].price
        page = get(recycler, "AAPL/trades", start="2023-01-04", limit=3).json()
        assert (len(page["trades"]), bool(page["next_page_token"])) == (3, True)


def test_nothing_is_known_before_the_first_bar(start: Callable[..., Launched]) -> None:
    recycler = start()
    nothing = {"bars": {}, "next_page_token": None}
    assert get(recycler, "bars", symbols="AAPL", timeframe="1Min", start="2023-01-04").json() == nothing
    assert (
        get(recycler, "bars", symbols="AAPL", timeframe="1Day", start="2023-01-01", end="2024-01-01").json() == nothing
    )
    assert get(recycler, "bars/latest", symbols="AAPL").json() == {"bars": {}}
    assert get(recycler, "snapshots", symbols="AAPL").json() == {}
    assert get(recycler, "AAPL/bars/latest").status_code == 404


@pytest.mark.parametrize(
    ("path", "params", "status", "message"),
    [
        ("bars", {"timeframe": "1Min"}, 400, "symbols is required"),
        ("bars", {"symbols": "aapl", "timeframe": "1Min"}, 400, "invalid symbol: aapl"),
        ("bars", {"symbols": "AAPL"}, 400, "timeframe is required"),
        ("bars", {"timeframe": "60Min"}, 400, "invalid timeframe: 60Min"),
        ("bars", {"limit": 10001}, 400, "invalid limit: larger than the allowed maximum of 10000"),
        ("bars", {"limit": 0}, 400, "invalid limit: smaller than the allowed minimum of 1"),
        ("bars", {"limit": "ten"}, 400, "invalid limit: ten"),
        ("bars", {"sort": "up"}, 400, "invalid sort: up"),
        ("bars", {"feed": "nyse"}, 400, "invalid feed: nyse"),
        ("bars", {"adjustment": "some"}, 400, "invalid adjustment: some"),
        ("bars", {"currency": "EUR"}, 400, "invalid currency: EUR"),
        ("bars", {"asof": "today"}, 400, "invalid asof: today"),
        ("bars", {"start": "yesterday"}, 400, "invalid start: yesterday"),
        ("bars", {"end": "2023-13-01"}, 400, "invalid end: 2023-13-01"),
        ("bars", {"start": "2023-01-04", "end": "2023-01-03"}, 400, "end should not be before start"),
        ("bars", {"page_token": "AAPL"}, 400, "invalid page_token"),
        ("bars", {"page_token": base64.b64encode(b"AAPL|M|x").decode()}, 400, "invalid page_token"),
        ("aapl/bars", {}, 400, "invalid symbol: aapl"),
        ("meta/conditions/bar", {}, 400, "invalid ticktype: expected trade or quote"),
        ("ticks/latest", {}, 404, "endpoint not found."),
        ("NONE/bars/latest", {}, 404, "no bar found for NONE"),
        ("NONE/snapshot", {}, 404, "no snapshot found for NONE"),
    ],
)
def test_an_error_has_alpacas_words(
    at_ten: Launched, path: str, params: dict[str, Any], status: int, message: str
) -> None:
    bare = message in ("symbols is required", "timeframe is required")
    answer = get(at_ten, path, **(params if bare else {"symbols": "AAPL", "timeframe": "1Min", **params}))
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert answer.json()["code"]


def test_what_changes_nothing_is_accepted(at_ten: Launched) -> None:
    usual = {"symbols": "AAPL", "timeframe": "1Day", "start": "2023-01-01"}
    plain = get(at_ten, "bars", **usual).json()
    for params in ({"asof": "-"}, {"asof": "2023-01-02"}, {"adjustment": "split,dividend"}, {"feed": "otc"}):
        assert get(at_ten, "bars", **usual, **params).json() == plain
    assert get(at_ten, "meta/exchanges").json()["V"] == "IEX"
    assert get(at_ten, "meta/conditions/trade", tape="B").json()["I"] == "Odd Lot Trade"


def test_a_date_is_all_of_its_day_in_new_york(at_ten: Launched) -> None:
    day = {"symbols": "AAPL", "timeframe": "1Day"}
    assert get(at_ten, "bars", **day, start="2023-01-04", end="2023-01-04").json()["bars"]
    assert not get(at_ten, "bars", **day, start="2023-01-04T05:00:01Z").json()["bars"]
    assert get(at_ten, "bars", **day).json()["bars"]  # from the beginning of today, where nothing is said
    assert not get(at_ten, "bars", **day, end="2023-01-03").json()["bars"]


def test_keys_rates_and_what_the_official_client_makes_of_an_error(start: Callable[..., Launched]) -> None:
    recycler = start(rate_limit=3)
    assert requests.get(f"{recycler.http}/v2/stocks/snapshots?symbols=AAPL", timeout=5).status_code == 401
    with pytest.raises(APIError) as refused:
        StockHistoricalDataClient("K", "S", url_override=recycler.http).get_stock_bars(
            asked("AAPL", TimeFrame.Minute, asof="today")
        )
    assert (refused.value.message, refused.value.code) == ("invalid asof: today", 40010001)
    answers = [get(recycler, "meta/exchanges") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Limit"] == "3"
    assert int(answers[0].headers["X-RateLimit-Remaining"]) == 1
    assert answers[0].headers["X-Request-ID"]
    assert json.loads(answers[2].text)["message"]


def test_a_proxied_symbol_is_named_in_a_header(start: Callable[..., Launched]) -> None:
    recycler = start(symbols=("AAPL", "PDFS"), proxies={"PDFS": "AAPL"})
    with standing_at(recycler, TEN):
        answer = get(recycler, "bars", symbols="AAPL,PDFS", timeframe="1Hour", start="2023-01-04")
        assert answer.headers["X-Tandem-Proxy"] == "PDFS=AAPL"
        assert answer.json()["bars"]["PDFS"] == answer.json()["bars"]["AAPL"]
        assert "X-Tandem-Proxy" not in get(recycler, "bars", symbols="AAPL", timeframe="1Hour").headers
