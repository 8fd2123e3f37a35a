"""History from a local server that answers in the shapes that Alpaca documents."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
import stamina
from pydantic import SecretStr

from tandem.config import AlpacaSettings
from tandem.market import NEW_YORK, Calendar, ConfigError, DataError, Timeframe
from tandem.sources import alpaca
from tandem.store import Loaded, Store

MONDAY, TUESDAY, WEDNESDAY = date(2023, 1, 9), date(2023, 1, 10), date(2023, 1, 11)
LATER = datetime(2023, 2, 1, tzinfo=UTC)
KEYS = AlpacaSettings(key_id=SecretStr("key"), secret_key=SecretStr("secret"))
STEPS = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "30Min": timedelta(minutes=30),
    "1Day": timedelta(days=1),
}


@dataclass
class Market:
    """Bars of every known symbol, around the clock from 4:00 to 20:00 in New York."""

    page: int = 10_000
    faults: list[tuple[int, str]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    unknown: str = "NONE"
    url: str = ""

    def answer(self, query: dict[str, str]) -> tuple[int, str]:
        self.requests.append(query)
        if self.faults and (fault := self.faults.pop(0))[0]:
            return fault
        rows = [row for symbol in sorted(query["symbols"].split(",")) for row in self._bars(symbol, query)]
        first = int(query.get("page_token", 0))
        last = first + min(self.page, int(query["limit"]))
        bars: dict[str, list[Any]] = {}
        for symbol, bar in rows[first:last]:
            bars.setdefault(symbol, []).append(bar)
        return 200, json.dumps({"bars": bars, "next_page_token": str(last) if last < len(rows) else None})

    def _bars(self, symbol: str, query: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
        if symbol == self.unknown:
            return
        for session in Calendar().sessions(start.astimezone(NEW_YORK).date(), end.astimezone(NEW_YORK).date()):
            midnight = datetime(session.day.year, session.day.month, session.day.day, tzinfo=NEW_YORK)
            step = STEPS[query["timeframe"]]
            count = 1 if step.days else timedelta(hours=16) // step
            for n in range(count):
                at = midnight if step.days else midnight + timedelta(hours=4) + n * step
                if start <= at <= end:
                    yield symbol, self._bar(at.astimezone(UTC))

    def _bar(self, at: datetime) -> dict[str, Any]:
        return {"t": f"{at:%Y-%m-%dT%H:%M:%SZ}", "o": 10, "h": 11.5, "l": 9, "c": 10.5, "v": 100, "n": 7, "vw": 10.25}


@pytest.fixture
def market() -> Iterator[Market]:
    made = Market()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            status, body = made.answer(query)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield made
        server.shutdown()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("alpaca.common.rest.DEFAULT_RETRY_WAIT_SECONDS", 0)
    with stamina.set_testing(True, attempts=3):
        yield


def load(store: Store, market: Market, symbols: list[str], **kind: Any) -> Loaded:
    asked = {
        "timeframe": Timeframe.MIN_5,
        "first": MONDAY,
        "last": TUESDAY,
        "now": LATER,
        "account": KEYS,
        "url": market.url,
    }
    asked |= kind
    return alpaca.load(store, symbols, asked.pop("timeframe"), **asked)


def held(store: Store, symbol: str, timeframe: Timeframe = Timeframe.MIN_5) -> pd.DataFrame:
    return store.bars.read([symbol], timeframe, first=datetime(2022, 12, 1, tzinfo=UTC), last=LATER, source="alpaca")


def test_the_regular_session_is_stored_and_nothing_around_it(store: Store, market: Market) -> None:
    assert load(store, market, ["AAPL", "MSFT"]).added == 2 * 2 * 78
    starts = held(store, "AAPL")["start"].dt.tz_convert(NEW_YORK).dt.strftime("%H:%M")
    assert (starts.min(), starts.max()) == ("09:30", "15:55")


def test_a_bar_keeps_what_alpaca_says_of_it(store: Store, market: Market) -> None:
    load(store, market, ["AAPL"])
    bar = held(store, "AAPL").iloc[0]
    assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"]) == (10, 11.5, 9, 10.5, 100)
    assert (bar["trade_count"], bar["vwap"]) == (7, 10.25)
    coverage = store.bars.coverage().iloc[0]
    assert (coverage["source"], coverage["feed"], coverage["adjustment"]) == ("alpaca", "iex", "split")


def test_pages_are_followed_to_the_last(store: Store, market: Market) -> None:
    market.page = 50
    assert load(store, market, ["AAPL", "MSFT"]).added == 2 * 2 * 78
    assert len(market.requests) > 5


def test_what_is_there_is_not_asked_for_again(store: Store, market: Market) -> None:
    load(store, market, ["AAPL"], last=MONDAY)
    market.requests.clear()
    assert load(store, market, ["AAPL"]).added == 78
    assert datetime.fromisoformat(market.requests[0]["start"]) > datetime(2023, 1, 9, 20, 55, tzinfo=UTC)
    market.requests.clear()
    load(store, market, ["AAPL"])
    assert market.requests == []


def test_history_before_the_first_stored_bar_is_fetched_too(store: Store, market: Market) -> None:
    load(store, market, ["AAPL"], first=WEDNESDAY, last=WEDNESDAY)
    assert load(store, market, ["AAPL"], first=MONDAY, last=WEDNESDAY).added == 2 * 78
    assert len(held(store, "AAPL")) == 3 * 78


def test_an_interrupted_download_goes_on_where_it_stopped(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alpaca, "PAGES_PER_CHUNK", 0)

    class Interrupted(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        load(store, market, ["A", "B", "C"], progress=stop)
    market.requests.clear()
    assert load(store, market, ["A", "B", "C"]).added == 2 * 78
    assert {request["symbols"] for request in market.requests} == {"C"}


def test_progress_counts_symbols(store: Store, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpaca, "PAGES_PER_CHUNK", 0)
    told: list[tuple[int, int]] = []
    load(store, market, ["A", "B", "C"], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("status", [429, 503])
def test_a_passing_fault_is_tried_again(store: Store, market: Market, status: int) -> None:
    market.faults = [(status, '{"message":"too many requests"}')] * 2
    assert load(store, market, ["AAPL"]).added == 2 * 78


def test_a_fault_that_does_not_pass_is_one_line(store: Store, market: Market) -> None:
    market.faults = [(503, "<html>busy</html>")] * 50
    with pytest.raises(DataError, match="busy") as caught:
        load(store, market, ["AAPL"])
    assert "goes on where it stopped" in str(caught.value)


def test_wrong_keys_are_one_line_and_not_tried_again(store: Store, market: Market) -> None:
    market.faults = [(401, "<html>401</html>")] * 9
    with pytest.raises(ConfigError, match="refuses the keys"):
        load(store, market, ["AAPL"])
    assert len(market.requests) == 1


def test_a_refusal_is_told_in_alpacas_words(store: Store, market: Market) -> None:
    market.faults = [(403, '{"code":42210000,"message":"subscription does not permit querying recent SIP data"}')]
    with pytest.raises(DataError, match="subscription does not permit"):
        load(store, market, ["AAPL"])


def test_no_server_is_one_line(store: Store) -> None:
    with pytest.raises(DataError, match="does not answer"):
        load(store, Market(url="http://127.0.0.1:9"), ["AAPL"])


def test_no_keys_are_one_line_but_a_local_server_needs_none(store: Store, market: Market) -> None:
    with pytest.raises(ConfigError, match="TANDEM_ALPACA__KEY_ID"):
        load(store, Market(), ["AAPL"], account=AlpacaSettings(), url=None)
    assert load(store, market, ["AAPL"], account=AlpacaSettings()).added == 2 * 78


def test_a_range_without_a_trading_day_is_refused(store: Store, market: Market) -> None:
    with pytest.raises(DataError, match="no trading day"):
        load(store, market, ["AAPL"], first=date(2023, 1, 7), last=date(2023, 1, 8))


def test_a_symbol_without_bars_is_no_error(store: Store, market: Market) -> None:
    assert load(store, market, ["AAPL", market.unknown]).added == 2 * 78
    assert load(store, market, [market.unknown]).added == 0


def test_a_bar_that_has_not_ended_is_left_for_the_next_time(store: Store, market: Market) -> None:
    load(store, market, ["AAPL"], now=datetime(2023, 1, 9, 15, 2, tzinfo=UTC))
    assert held(store, "AAPL")["start"].max() == datetime(2023, 1, 9, 14, 55, tzinfo=UTC)


def test_an_hour_holds_the_regular_session_alone(store: Store, market: Market) -> None:
    load(store, market, ["AAPL"], timeframe=Timeframe.HOUR_1)
    assert {request["timeframe"] for request in market.requests} == {"30Min"}
    hours = held(store, "AAPL", Timeframe.HOUR_1)
    local = hours["start"].dt.tz_convert(NEW_YORK).dt.hour
    assert list(local) == [9, 10, 11, 12, 13, 14, 15] * 2
    assert list(hours["volume"][:2]) == [100, 200]


def test_daily_bars_wait_for_the_close(store: Store, market: Market) -> None:
    half_past_three = datetime(2023, 1, 10, 20, 30, tzinfo=UTC)
    assert load(store, market, ["AAPL"], timeframe=Timeframe.DAY_1, now=half_past_three).added == 1
    after = datetime(2023, 1, 10, 21, 0, tzinfo=UTC)
    assert load(store, market, ["AAPL"], timeframe=Timeframe.DAY_1, now=after).added == 1


def test_the_estimate_counts_pages_and_minutes() -> None:
    one = alpaca.estimate(1, 1, Timeframe.MIN_1)
    assert (one.calls, one.minutes) == (1, 1 / 200)
    many = alpaca.estimate(500, 60, Timeframe.MIN_1)
    assert 500 * 60 * 960 / 10_000 <= many.calls <= 500 * 60 * 960 / 10_000 + 500
    assert many.minutes == many.calls / 200
    assert alpaca.estimate(500, 60, Timeframe.DAY_1).calls == 3
    assert alpaca.estimate(0, 60, Timeframe.DAY_1).calls == 0


def test_a_download_needs_no_more_calls_than_estimated(store: Store, market: Market) -> None:
    load(store, market, ["AAPL", "MSFT"], timeframe=Timeframe.MIN_1)
    assert len(market.requests) <= alpaca.estimate(2, 2, Timeframe.MIN_1).calls
