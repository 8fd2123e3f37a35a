import asyncio
import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgpack
import pandas as pd
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tandem.market import Stopwatch
from tandem.recycler import Launched, Options, launch
from tandem.recycler.stream.slots import Slots

AUTH = {"action": "auth", "key": "k", "secret": "s"}
CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
NOTHING: dict[str, list[str]] = {
    name: []
    for name in (
        "trades",
        "quotes",
        "bars",
        "updatedBars",
        "dailyBars",
        "statuses",
        "lulds",
        "corrections",
        "cancelErrors",
    )
}


class Client:
    def __init__(
        self, url: str, packed: bool = False, headers: dict[str, str] | None = None, compression: str | None = "deflate"
    ) -> None:
        kind = {"Content-Type": f"application/{'msgpack' if packed else 'json'}"}
        self.packed = packed
        self.socket: ClientConnection = connect(
            url, additional_headers={**kind, **(headers or {})}, proxy=None, compression=compression
        )

    def hear(self, timeout: float = 5) -> Any:
        frame = self.socket.recv(timeout)
        assert isinstance(frame, bytes) == self.packed
        return msgpack.unpackb(frame) if isinstance(frame, bytes) else json.loads(frame)

    def say(self, message: object) -> None:
        self.socket.send(self.encoded(message))

    def encoded(self, message: object) -> Any:
        return msgpack.packb(message) if self.packed else json.dumps(message)

    def authenticated(self, **channels: list[str]) -> "Client":
        self.hear()
        assert self.ask(AUTH) == AUTHENTICATED
        if channels:
            assert self.ask({"action": "subscribe", **channels})[0]["T"] == "subscription"
        return self

    def ask(self, message: object) -> Any:
        self.say(message)
        return self.hear()


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(*args: Any, **kwargs: Any) -> Client:
        made.append(Client(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.socket.close()


@pytest.fixture(scope="module")
def wound(options: Options) -> Iterator[Launched]:
    """A recycler that tests wind to where they want it; trades and quotes are made up."""
    with launch(replace(options, derive_ticks=True)) as recycler:
        yield recycler


def control(recycler: Launched, what: str, **body: object) -> Any:
    answer = requests.post(f"{recycler.http}/control/{what}", json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("path", ["/v2/iex", "/v2/sip", "/v2/delayed_sip", "/v2/test", "/"])
def test_a_client_connects_authenticates_and_subscribes(
    standing: Launched, client: Callable[..., Client], path: str, packed: bool
) -> None:
    one = client(standing.ws + path, packed)
    assert one.hear() == CONNECTED
    assert one.ask(AUTH) == AUTHENTICATED
    ack = one.ask({"action": "subscribe", "trades": ["AAPL"], "bars": ["AAPL", "MSFT"]})
    assert ack == [
        {
            "T": "subscription",
            **NOTHING,
            "trades": ["AAPL"],
            "bars": ["AAPL", "MSFT"],
            "corrections": ["AAPL"],
            "cancelErrors": ["AAPL"],
        }
    ]
    assert next(iter(ack[0])) == "T"
    ack = one.ask({"action": "subscribe", "bars": ["*"]})
    assert ack[0]["bars"] == ["AAPL", "MSFT", "*"]
    ack = one.ask({"action": "unsubscribe", "bars": ["AAPL", "*"], "trades": "AAPL"})
    assert ack == [{"T": "subscription", **NOTHING, "bars": ["MSFT"]}]


def test_channels_that_are_null_or_empty_are_no_offence(standing: Launched, client: Callable[..., Client]) -> None:
    one = client(standing.ws + "/v2/iex")
    one.hear()
    one.ask(AUTH)
    ack = one.ask(
        {"action": "subscribe", "bars": ["AAPL"], "quotes": None, "orderbooks": None, "news": [], "pricing": []}
    )
    assert ack == [{"T": "subscription", **NOTHING, "bars": ["AAPL"]}]


@pytest.mark.parametrize(
    "headers",
    [
        {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"},
        {"Authorization": "Bearer token"},
        {"Authorization": f"Basic {base64.b64encode(b'k:s').decode()}"},
    ],
)
def test_keys_in_the_handshake_need_no_message(
    standing: Launched, client: Callable[..., Client], headers: dict[str, str]
) -> None:
    one = client(standing.ws + "/v2/iex", headers=headers)
    assert [one.hear(), one.hear()] == [CONNECTED, AUTHENTICATED]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ({"action": "dance"}, 400, "invalid syntax"),
        (["auth"], 400, "invalid syntax"),
        ({"action": "subscribe", "bars": ["AAPL"]}, 401, "not authenticated"),
        ({"action": "auth", "key": "", "secret": ""}, 402, "auth failed"),
    ],
)
def test_what_goes_wrong_before_authentication_has_alpacas_code(
    standing: Launched, client: Callable[..., Client], message: object, code: int, text: str, packed: bool
) -> None:
    one = client(standing.ws + "/v2/iex", packed)
    one.hear()
    assert one.ask(message) == [{"T": "error", "code": code, "msg": text}]


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ({"action": "dance"}, 400, "invalid syntax"),
        ({"action": "subscribe", "bars": ["aapl!"]}, 400, "invalid syntax"),
        ({"action": "subscribe", "bars": {"AAPL": 1}}, 400, "invalid syntax"),
        (AUTH, 403, "already authenticated"),
        ({"action": "subscribe", "news": ["AAPL"]}, 410, "invalid subscribe action for this feed"),
    ],
)
def test_what_goes_wrong_after_authentication_leaves_the_connection_usable(
    standing: Launched, client: Callable[..., Client], message: object, code: int, text: str
) -> None:
    one = client(standing.ws + "/v2/iex")
    one.hear()
    one.ask(AUTH)
    assert one.ask(message) == [{"T": "error", "code": code, "msg": text}]
    assert one.ask({"action": "subscribe", "bars": ["AAPL"]})[0]["T"] == "subscription"


def test_a_client_that_does_not_authenticate_in_time_is_let_go(
    standing: Launched, client: Callable[..., Client]
) -> None:
    one = client(standing.ws + "/v2/iex")
    one.hear()
    assert one.hear() == [{"T": "error", "code": 404, "msg": "auth timeout"}]
    with pytest.raises(ConnectionClosed):
        one.hear()


@pytest.mark.parametrize("key", ["oauth", "access_token"])
def test_a_token_stands_for_the_keys(standing: Launched, client: Callable[..., Client], key: str) -> None:
    one = client(standing.ws + "/v2/iex")
    one.hear()
    assert one.ask({"action": "auth", "key": key, "secret": "token"}) == AUTHENTICATED


def test_a_feed_that_is_not_here_is_not_in_the_plan(standing: Launched, client: Callable[..., Client]) -> None:
    one = client(standing.ws + "/v2/otc")
    one.hear()
    assert one.ask(AUTH) == [{"T": "error", "code": 409, "msg": "insufficient subscription"}]


def test_wrong_keys_fail_and_the_right_ones_pass(start: Callable[..., Launched], client: Callable[..., Client]) -> None:
    recycler = start({"TANDEM_RECYCLER_KEY_ID": "k", "TANDEM_RECYCLER_SECRET_KEY": "s"})
    wrong = client(recycler.ws + "/v2/iex")
    wrong.hear()
    assert wrong.ask({**AUTH, "secret": "t"}) == [{"T": "error", "code": 402, "msg": "auth failed"}]
    with pytest.raises(ConnectionClosed):
        wrong.hear()
    right = client(recycler.ws + "/v2/iex")
    right.hear()
    assert right.ask(AUTH) == AUTHENTICATED


def test_bars_are_those_put_in_and_then_the_socket_stays_open_and_silent(
    start: Callable[..., Launched], client: Callable[..., Client], bars: pd.DataFrame
) -> None:
    recycler = start()
    one, other = client(recycler.ws + "/v2/iex", True), client(recycler.ws + "/")
    for each, symbol in ((one, "*"), (other, "MSFT")):
        each.authenticated(bars=[symbol])
    desk = {"desk": "d", "symbols": ["AAPL"]}
    with requests.post(recycler.http + "/control/desks", json=desk, stream=True, timeout=5) as held:
        held.raise_for_status()
        done = {"desk": "d", "through": "2023-01-05T00:00:00Z"}
        requests.post(recycler.http + "/control/ready", json=done, timeout=5).raise_for_status()
    heard: list[dict[str, Any]] = []
    while len(heard) < len(bars):
        heard += one.hear()
    expected = bars.sort_values(["start", "symbol"]).to_dict("records")
    for said, bar in zip(heard, expected, strict=True):
        assert (said["S"], said["t"].to_datetime()) == (bar["symbol"], bar["start"].to_pydatetime())
        assert [said[k] for k in "ohlcv"] == [bar[k] for k in ("open", "high", "low", "close", "volume")]
        assert said["n"] == (None if pd.isna(bar["trade_count"]) else bar["trade_count"])
        assert said["vw"] == (None if pd.isna(bar["vwap"]) else bar["vwap"])
    mine: list[dict[str, Any]] = []
    while len(mine) < 390:
        mine += other.hear()
    assert {said["S"] for said in mine} == {"MSFT"}
    assert mine[0]["t"] == "2023-01-04T14:30:00Z"
    with pytest.raises(TimeoutError):
        one.hear(0.3)
    assert one.ask({"action": "unsubscribe", "bars": ["*"]}) == [{"T": "subscription", **NOTHING}]


SCRIPT: list[object] = [
    AUTH,
    {"action": "subscribe", "bars": ["AAPL", "*"], "trades": ["MSFT"], "quotes": None},
    {"action": "subscribe", "news": ["AAPL"]},
    {"action": "unsubscribe", "bars": ["*"]},
]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), packed=st.booleans(), compression=st.sampled_from(["deflate", None]))
def test_however_a_client_chops_its_messages_it_hears_the_same(
    standing: Launched, client: Callable[..., Client], data: st.DataObject, packed: bool, compression: str | None
) -> None:
    whole, chopped = (client(standing.ws + "/v2/iex", packed, compression=how) for how in (None, compression))
    assert whole.hear() == chopped.hear() == CONNECTED
    for message in SCRIPT:
        encoded = whole.encoded(message)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=5)))
        pieces = [encoded[a:b] for a, b in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
        chopped.socket.send(pieces)
        whole.say(message)
        assert whole.hear() == chopped.hear()
    whole.socket.close()
    chopped.socket.close()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("compression", ["deflate", None])
def test_bars_are_the_same_compressed_or_not(
    wound: Launched, client: Callable[..., Client], packed: bool, compression: str | None
) -> None:
    recycler = wound
    one = client(recycler.ws + "/v2/iex", packed, compression=compression).authenticated(bars=["*"])
    control(recycler, "seek", to="2023-01-04T14:30:00Z")
    control(recycler, "step", count=2)
    first, second = one.hear(), one.hear()
    assert [bar["S"] for bar in first + second] == ["AAPL", "MSFT"] * 2
    assert (first[0]["o"], first[0]["h"]) == (125, 125.5)


def test_a_recycler_that_does_not_compress_agrees_to_none(
    start: Callable[..., Launched], client: Callable[..., Client]
) -> None:
    recycler = start(compression=False)
    one = client(recycler.ws + "/v2/iex").authenticated(bars=["*"])
    assert one.socket.protocol.extensions == []


def test_a_limit_of_symbols_leaves_the_subscriptions_as_they_are(
    start: Callable[..., Launched], client: Callable[..., Client]
) -> None:
    one = client(start(symbol_limit=2).ws + "/v2/iex").authenticated(bars=["AAPL"], trades=["AAPL"])
    exceeded = [{"T": "error", "code": 405, "msg": "symbol limit exceeded"}]
    assert one.ask({"action": "subscribe", "quotes": ["A", "B"]}) == exceeded
    ack = one.ask({"action": "subscribe", "quotes": ["*"]})
    assert (ack[0]["bars"], ack[0]["quotes"]) == (["AAPL"], ["*"])
    assert one.ask({"action": "subscribe", "bars": ["A", "B", "C"]}) == exceeded


def test_above_the_connection_limit_a_client_may_go_on_asking(
    start: Callable[..., Launched], client: Callable[..., Client]
) -> None:
    url = start(connection_limit=1).ws + "/v2/"
    first = client(url + "iex").authenticated()
    client(url + "sip").authenticated()
    second = client(url + "iex")
    second.hear()
    exceeded = [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
    assert second.ask(AUTH) == exceeded
    assert second.ask(AUTH) == exceeded
    first.socket.close()
    watch = Stopwatch()
    while (answer := second.ask(AUTH)) == exceeded:
        assert watch.seconds < 2
    assert answer == AUTHENTICATED


def test_a_client_that_goes_without_a_word_keeps_its_slot(
    start: Callable[..., Launched], client: Callable[..., Client]
) -> None:
    url = start(connection_limit=1).ws + "/v2/iex"
    client(url).authenticated().socket.socket.shutdown(socket.SHUT_RDWR)  # close() would leave its reader waiting
    second = client(url)
    second.hear()
    threading.Event().wait(0.1)
    assert second.ask(AUTH)[0]["code"] == 406


def test_slots_come_back_at_once_or_after_a_while() -> None:
    async def play() -> None:
        slots = Slots(1, half_dead_seconds=0.02)
        assert slots.take("iex")
        assert not slots.take("iex")
        slots.give_back("iex", politely=True)
        assert slots.take("iex")
        slots.give_back("iex", politely=False)
        assert not slots.take("iex")
        await asyncio.sleep(0.05)
        assert slots.take("iex")

    asyncio.run(play())


def test_the_test_feed_answers_for_its_placeholder_too(wound: Launched, client: Callable[..., Client]) -> None:
    recycler = wound
    one = client(recycler.ws + "/v2/test").authenticated(bars=["FAKEPACA"])
    other = client(recycler.ws + "/v2/iex").authenticated(bars=["FAKEPACA", "MSFT"])
    control(recycler, "seek", to="2023-01-04T14:30:00Z")
    control(recycler, "step")
    assert [(bar["S"], bar["o"]) for bar in one.hear()] == [("FAKEPACA", 125)]
    assert [bar["S"] for bar in other.hear()] == ["MSFT"]


def test_daily_bars_follow_each_minute_and_ticks_are_made_up_when_asked_for(
    wound: Launched, client: Callable[..., Client], bars: pd.DataFrame
) -> None:
    recycler = wound
    channels = {name: ["AAPL"] for name in ("bars", "dailyBars", "trades", "quotes", "updatedBars")}
    one = client(recycler.ws + "/v2/iex").authenticated(**channels)
    control(recycler, "seek", to="2023-01-04T14:30:00Z")
    control(recycler, "step", count=2)
    heard = [one.hear() for _ in range(8)]
    assert [message["T"] for (message,) in heard] == ["t", "q", "b", "d"] * 2
    daily = heard[-1][0]
    two = bars[bars["symbol"] == "AAPL"].head(2)
    assert (daily["o"], daily["c"], daily["v"]) == (125, two["close"].iloc[1], two["volume"].sum())
    assert (daily["h"], daily["t"]) == (two["high"].max(), "2023-01-04T05:00:00Z")


def test_at_the_end_sockets_are_closed_where_that_is_asked_for(
    start: Callable[..., Launched], client: Callable[..., Client]
) -> None:
    recycler = start(on_end="close")
    one = client(recycler.ws + "/v2/iex").authenticated(bars=["*"])
    control(recycler, "seek", to="2023-01-04T20:59:00Z")
    control(recycler, "step")
    assert len(one.hear()) == 2
    with pytest.raises(ConnectionClosed):
        one.hear()
    client(recycler.ws + "/v2/iex").authenticated(bars=["*"])


def test_alpacas_own_client_hears_every_bar_of_the_store(start: Callable[..., Launched], bars: pd.DataFrame) -> None:
    from alpaca.data.live import StockDataStream
    from alpaca.data.models import Bar

    recycler = start()
    stream = StockDataStream("k", "s", url_override=recycler.ws + "/v2/iex")
    heard: list[Bar] = []

    async def hear(bar: Bar) -> None:
        heard.append(bar)
        if len(heard) == len(bars):
            await stream.stop_ws()

    stream.subscribe_bars(hear, "*")
    running = threading.Thread(target=stream.run, daemon=True)
    running.start()
    watch = Stopwatch()
    while not requests.get(recycler.http + "/control/status", timeout=5).json()["connections"]["stocks"]:
        assert watch.seconds < 5
        threading.Event().wait(0.05)
    threading.Event().wait(0.2)
    with requests.post(recycler.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=5):
        done = {"desk": "d", "through": "2023-01-05T00:00:00Z"}
        requests.post(recycler.http + "/control/ready", json=done, timeout=5).raise_for_status()
        running.join(10)
    assert not running.is_alive()
    expected = bars.sort_values(["start", "symbol"]).to_dict("records")
    for bar, row in zip(heard, expected, strict=True):
        assert (bar.symbol, bar.timestamp) == (row["symbol"], row["start"].to_pydatetime())
        assert [bar.open, bar.high, bar.low, bar.close] == [row[k] for k in ("open", "high", "low", "close")]
        assert bar.volume == row["volume"]
        assert bar.trade_count == (None if pd.isna(row["trade_count"]) else row["trade_count"])
