"""Malformed inputs: no crash, no hang, no leaked connection, always a documented error."""

import json
import random
import string
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tandem.recycler import Launched

KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
SECONDS = 10
STREAM_ERRORS = {400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411}
REFUSALS = {400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 429, 431}
WORDS = [
    "AAPL",
    "MSFT",
    "*",
    "",
    "aapl",
    "A" * 300,
    "🦙",
    "null",
    "-1",
    "0",
    "1e999",
    "NaN",
    "Infinity",
    "\x00",
    "../..",
    "%",
]
KEYS_OF_ORDERS = [
    "symbol", "qty", "notional", "side", "type", "time_in_force", "limit_price", "stop_price", "trail_price",
    "trail_percent", "order_class", "client_order_id", "extended_hours", "take_profit", "stop_loss", "legs",
]  # fmt: skip
CHOICES = {
    "side": ["buy", "sell"],
    "type": ["market", "limit", "stop", "stop_limit", "trailing_stop"],
    "time_in_force": ["day", "gtc", "opg", "cls", "ioc", "fok"],
    "order_class": ["simple", "bracket", "oco", "oto", "mleg"],
}
PATHS = [
    "/v2/account", "/v2/account/configurations", "/v2/account/portfolio/history", "/v2/account/activities",
    "/v2/account/activities/FILL", "/v2/orders", "/v2/orders/{}", "/v2/orders:by_client_order_id", "/v2/positions",
    "/v2/positions/{}", "/v2/assets", "/v2/assets/{}", "/v2/clock", "/v2/calendar", "/v2/watchlists",
    "/v2/watchlists/{}", "/v2/watchlists:by_name", "/v2/watchlists/{}/{}", "/v2/stocks/bars", "/v2/stocks/{}/bars",
    "/v2/stocks/bars/latest", "/v2/stocks/quotes/latest", "/v2/stocks/trades/latest", "/v2/stocks/snapshots",
    "/v2/stocks/{}/snapshot", "/v2/stocks/quotes", "/v2/stocks/trades", "/v2/stocks/auctions",
    "/v2/stocks/meta/conditions/{}", "/v2/stocks/meta/exchanges", "/v3/clock", "/v3/calendar/{}", "/{}",
]  # fmt: skip
PARAMETERS = [
    "symbols", "timeframe", "start", "end", "limit", "page_token", "sort", "adjustment", "asof", "feed", "currency",
    "status", "after", "until", "direction", "nested", "side", "client_order_id", "period", "page_size", "date",
    "percentage", "qty", "cancel_orders", "before_order_id", "asset_class", "intraday_reporting", "pnl_reset", "name",
]  # fmt: skip


def junk(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value of any shape."""
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return chance.choice(WORDS)
    if kind == 1:
        return chance.choice([0, -1, 1, 2**63, -(2**70), 10**40])
    if kind == 2:
        return chance.choice([0.0, -0.5, 1e308, 1e-308, 123.4567891234])
    if kind in (3, 4):
        return chance.choice([None, True, False])
    if kind == 5:
        return "".join(chance.choices(string.printable, k=chance.randrange(40)))
    if kind == 6:
        return [junk(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice([*WORDS, *KEYS_OF_ORDERS]): junk(chance, depth + 1) for _ in range(chance.randrange(4))}


def bytes_of(chance: random.Random, value: object) -> bytes:
    """The value in JSON or MessagePack, often damaged."""
    sound = json.dumps(value).encode()
    if chance.random() < 0.2:
        sound = bytes(chance.randbytes(chance.randrange(60)))
    elif chance.random() < 0.4 and sound:
        at = chance.randrange(len(sound))
        sound = sound[:at] + chance.randbytes(chance.randrange(3)) + sound[at + chance.randrange(3) :]
    return sound


def stream_message(chance: random.Random) -> bytes | str:
    action = chance.choice(["auth", "subscribe", "unsubscribe", "listen", "authenticate", "", None, 7, "dance"])
    body: Any = {"action": action} if chance.random() < 0.9 else junk(chance)
    if isinstance(body, dict):
        for _ in range(chance.randrange(4)):
            body[chance.choice(["bars", "trades", "quotes", "news", "data", "statuses", "x"])] = junk(chance)
    kind = chance.randrange(3)
    if kind == 0:
        return bytes_of(chance, body).decode("utf-8", "replace")
    try:
        return bytes_of(chance, body) if kind == 1 else msgspec.msgpack.encode(body)
    except (OverflowError, msgspec.MsgspecError):
        return b"\xc1"


def rest_input(chance: random.Random) -> tuple[str, str, bytes | None, dict[str, str]]:
    method = chance.choice(["GET", "GET", "GET", "POST", "PATCH", "PUT", "DELETE"])
    holes = [quote(str(chance.choice(WORDS)), safe="") for _ in range(2)]
    path = chance.choice(PATHS).format(*holes)
    asked = "&".join(
        f"{chance.choice(PARAMETERS)}={quote(str(junk(chance)), safe='')}" for _ in range(chance.randrange(4))
    )
    body = None
    if method in ("POST", "PATCH", "PUT"):
        order = {
            key: chance.choice(CHOICES[key]) if key in CHOICES and chance.random() < 0.7 else junk(chance)
            for key in chance.sample(KEYS_OF_ORDERS, chance.randrange(1, 10))
        }
        body = bytes_of(chance, order if chance.random() < 0.8 else junk(chance))
    headers = KEYS if chance.random() < 0.95 else {"Authorization": str(chance.randrange(99))}
    return method, f"{path}?{asked}" if asked else path, body, headers


def frames(socket: ClientConnection) -> Iterator[list[dict[str, Any]]]:
    while True:
        frame = socket.recv(timeout=SECONDS)
        yield msgspec.msgpack.decode(frame) if isinstance(frame, bytes) else msgspec.json.decode(frame)


def attack_stream(recycler: Launched, chance: random.Random, count: int) -> None:
    """Every message is answered by an error, an ack or a hang-up; a sound one still works on the same socket."""
    sent = 0
    while sent < count:
        headers = {"Content-Type": chance.choice(["application/msgpack", "application/json"])}
        with connect(f"{recycler.ws}/v2/iex", additional_headers=headers) as socket:
            answers = frames(socket)
            assert next(answers)[0]["msg"] == "connected"
            try:
                if chance.random() < 0.9:
                    socket.send('{"action":"auth","key":"k","secret":"s"}')
                    assert next(answers)[0]["msg"] == "authenticated"
                for _ in range(200):
                    socket.send(stream_message(chance))
                    sent += 1
                    (answer,) = next(answers)
                    assert answer["T"] in ("error", "subscription", "success"), answer
                    assert answer["T"] != "error" or answer["code"] in STREAM_ERRORS, answer
            except ConnectionClosed:
                continue


def attack_trade_stream(recycler: Launched, chance: random.Random, count: int) -> None:
    """Whatever came before, a sound `authenticate` on a new or the same socket is answered."""
    for _ in range(0, count, 100):
        with connect(f"{recycler.ws}/stream") as socket:
            for _ in range(100):
                socket.send(stream_message(chance))
            socket.send('{"action":"authenticate","data":{"key_id":"k","secret_key":"s"}}')
            while True:
                answer = msgspec.json.decode(socket.recv(timeout=SECONDS))
                if answer["data"].get("status") == "authorized":
                    break


def attack_rest(recycler: Launched, chance: random.Random, count: int) -> None:
    """Every request is answered in time with a documented status and, where refused, Alpaca's JSON error."""
    where = urlsplit(recycler.http)
    line = HTTPConnection(where.hostname or "", where.port, timeout=SECONDS)
    for _ in range(count):
        method, path, body, headers = rest_input(chance)
        try:
            line.request(method, path, body, {**headers, "Content-Type": "application/json"})
            answer = line.getresponse()
            said = answer.read()
        except (HTTPException, ValueError) as error:
            raise AssertionError(f"{method} {path} {body!r}: {error!r}") from error
        what = (method, path, body, answer.status, said[:300])
        assert answer.status in (200, 204, 207) or answer.status in REFUSALS, what
        if answer.status in REFUSALS:
            assert "message" in json.loads(said), what
    line.close()


def status(recycler: Launched) -> dict[str, Any]:
    where = urlsplit(recycler.http)
    line = HTTPConnection(where.hostname or "", where.port, timeout=SECONDS)
    line.request("GET", "/control/status")
    said: dict[str, Any] = json.loads(line.getresponse().read())
    line.close()
    return said


def is_whole(recycler: Launched) -> None:
    """It runs, holds no connection, and said nothing of a bug."""
    assert recycler.process.poll() is None
    assert set(status(recycler)["connections"].values()) == {0}
    recycler.words.seek(0)
    assert "Traceback" not in recycler.words.read()


@pytest.mark.parametrize("attack", [attack_stream, attack_trade_stream, attack_rest])
def test_malformed_inputs_get_documented_errors(
    start: Callable[..., Launched], attack: Callable[[Launched, random.Random, int], None]
) -> None:
    recycler = start()
    attack(recycler, random.Random(7), 1_000)
    is_whole(recycler)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_inputs_leave_it_whole(start: Callable[..., Launched]) -> None:
    recycler = start()
    attack_rest(recycler, random.Random(1), 50_000)
    attack_stream(recycler, random.Random(2), 45_000)
    attack_trade_stream(recycler, random.Random(3), 5_000)
    is_whole(recycler)
