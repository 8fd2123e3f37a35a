import json
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pandas as pd
import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tandem.recycler import Launched

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
    def __init__(self, url: str, packed: bool = False, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": f"application/{'msgpack' if packed else 'json'}"}
        self.packed = packed
        self.socket: ClientConnection = connect(url, additional_headers={**kind, **(headers or {})}, proxy=None)

    def hear(self, timeout: float = 5) -> Any:
        frame = self.socket.recv(timeout)
        assert isinstance(frame, bytes) == self.packed
        return msgpack.unpackb(frame) if isinstance(frame, bytes) else json.loads(frame)

    def say(self, message: object) -> None:
        self.socket.send(msgpack.packb(message) if self.packed else json.dumps(message))

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


def test_keys_in_the_handshake_need_no_message(standing: Launched, client: Callable[..., Client]) -> None:
    one = client(standing.ws + "/v2/iex", headers={"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"})
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
        each.hear()
        each.ask(AUTH)
        each.ask({"action": "subscribe", "bars": [symbol]})
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
