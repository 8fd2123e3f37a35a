import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import requests
from websockets.sync.client import connect

from tandem.config import CostSettings
from tandem.recycler import Launched, Options, launch

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
ORDER = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}


class Rest:
    def __init__(self, recycler: Launched) -> None:
        self.base = recycler.http

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] = HEADERS) -> tuple[int, Any]:
        answer = requests.request(method, self.base + path, json=body, headers=headers, timeout=10)
        return answer.status_code, answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        status, said = self.ask("GET", path)
        assert status == 200, said
        return said

    def until(self, through: str) -> dict[str, Any]:
        status, said = self.ask("POST", "/control/ready", {"desk": "d", "through": through})
        assert status == 200, said
        return dict(said)

    def minute_on(self) -> dict[str, Any]:
        return self.until(str(requests.get(self.base + "/control/status", timeout=5).json()["time"]))


@pytest.fixture(scope="module")
def trading(options: Options) -> Iterator[Rest]:
    with launch(replace(options, costs=CostSettings(spread_bps=2.0, impact=0.1))) as recycler:
        rest = Rest(recycler)
        with requests.post(rest.base + "/control/desks", json={"desk": "d"}, stream=True, timeout=10) as held:
            assert held.status_code == 200
            rest.until("2023-01-04T14:34:00Z")
            yield rest


@pytest.fixture(scope="module")
def still(standing: Launched) -> Rest:
    return Rest(standing)


def test_without_keys_nothing_is_answered(still: Rest) -> None:
    for path in ("/v2/account", "/v2/orders", "/v2/clock"):
        assert still.ask("GET", path, headers={}) == (401, {"code": 40110000, "message": "unauthorized."})


@pytest.mark.parametrize(
    ("change", "status", "code", "message"),
    [
        ({"qty": None}, 422, 40010001, "qty or notional is required"),
        ({"notional": "5"}, 422, 40010001, "only one of qty or notional is accepted"),
        ({"qty": 0}, 422, 40010001, "qty must be > 0"),
        ({"qty": "-3"}, 422, 40010001, "qty must be > 0"),
        ({"limit_price": "3"}, 422, 40010001, "market orders require no stop or limit price"),
        ({"symbol": "ZZZ"}, 422, 42210000, 'asset "ZZZ" not found'),
        ({"symbol": None}, 422, 40010001, "symbol is required"),
        ({"side": "hold"}, 422, 40010001, "invalid side: hold"),
        ({"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit orders"),
        ({"side": "sell", "qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        ({"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128 characters"),
        (
            {"type": "limit", "limit_price": 3},
            422,
            42210000,
            "the recycler does not take limit orders, only market orders for the day",
        ),
        ({"qty": "many"}, 422, 40010001, "request body format is invalid"),
    ],
)
def test_an_order_that_cannot_be_taken_is_refused_in_alpacas_words(
    still: Rest, change: dict[str, Any], status: int, code: int, message: str
) -> None:
    answered, said = still.ask("POST", "/v2/orders", {**ORDER, **change})
    assert (answered, said["code"]) == (status, code)
    assert said["message"].startswith(message)
    assert still.get("/v2/orders?status=all") == []


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v2/positions/AAPL", 404, "position does not exist"),
        (
            "GET",
            "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d",
            404,
            "order not found for 61e69015-8549-4bfd-b9c3-01e75843f47d",
        ),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=nobody", 404, "order not found for nobody"),
        (
            "DELETE",
            "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d",
            404,
            "order not found for 61e69015-8549-4bfd-b9c3-01e75843f47d",
        ),
        ("GET", "/v2/assets/ZZZ", 404, "asset not found for ZZZ"),
        ("GET", "/v2/nowhere", 404, "endpoint not found."),
        ("PATCH", "/v2/account", 404, "endpoint not found."),
        ("GET", "/v2/orders?limit=501", 422, "invalid limit: 501"),
        ("GET", "/v2/orders?after=soon", 422, "invalid time: soon"),
    ],
)
def test_what_is_not_there_is_said_in_json(still: Rest, method: str, path: str, status: int, message: str) -> None:
    answered, said = still.ask(method, path)
    assert (answered, said["message"]) == (status, message)
    assert isinstance(said["code"], int)


def test_clock_calendar_and_assets_are_those_of_the_replay(still: Rest) -> None:
    assert still.get("/v2/clock") == {
        "timestamp": "2023-01-04T06:00:00-05:00",
        "is_open": False,
        "next_open": "2023-01-04T09:30:00-05:00",
        "next_close": "2023-01-04T16:00:00-05:00",
    }
    days = still.get("/v2/calendar?start=2023-01-05&end=2023-01-09")
    assert [(day["date"], day["open"], day["close"]) for day in days] == [
        (day, "09:30", "16:00") for day in ("2023-01-05", "2023-01-06", "2023-01-09")
    ]
    asset = still.get("/v2/assets/MSFT")
    assert asset["symbol"] == "MSFT"
    assert still.get(f"/v2/assets/{asset['id']}") == asset
    assert [one["symbol"] for one in still.get("/v2/assets")] == ["AAPL", "MSFT"]


def test_an_order_fills_at_the_next_open_with_costs_and_the_account_adds_up(trading: Rest) -> None:
    assert trading.get("/v2/clock")["timestamp"] == "2023-01-04T09:35:00-05:00"
    status, taken = trading.ask("POST", "/v2/orders", {**ORDER, "client_order_id": "one", "qty": 10})
    assert (status, taken["status"], taken["qty"], taken["filled_qty"]) == (200, "pending_new", "10", "0")
    assert str(UUID(taken["id"])) == taken["id"]
    assert trading.get("/v2/orders")[0]["status"] == "new"
    assert trading.ask("POST", "/v2/orders", {**ORDER, "client_order_id": "one"}) == (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
    )
    barrier = trading.minute_on()
    assert (barrier["order_events"], barrier["time"]) == (2, "2023-01-04T14:36:00Z")

    opened, volume, closed = Decimal("125.52"), 10_005, Decimal("125.63")  # the bar of 9:35
    paid = (opened * (1 + Decimal("0.0001") + Decimal("0.1") * 10 / volume)).quantize(Decimal("0.0001"))
    order = trading.get(f"/v2/orders/{taken['id']}")
    assert (order["status"], order["filled_qty"], Decimal(order["filled_avg_price"])) == ("filled", "10", paid)
    assert order["filled_at"] == "2023-01-04T14:35:00Z"
    account = trading.get("/v2/account")
    assert Decimal(account["cash"]) == Decimal(100_000) - 10 * paid
    assert Decimal(account["equity"]) == Decimal(account["cash"]) + 10 * closed
    assert Decimal(account["buying_power"]) == 2 * Decimal(account["equity"]) - 10 * closed
    assert (account["multiplier"], account["shorting_enabled"], account["status"]) == ("2", True, "ACTIVE")
    (position,) = trading.get("/v2/positions")
    assert trading.get("/v2/positions/AAPL") == trading.get(f"/v2/positions/{position['asset_id']}") == position
    assert (position["qty"], position["side"], Decimal(position["avg_entry_price"])) == ("10", "long", paid)
    assert Decimal(position["unrealized_pl"]) == 10 * (closed - paid)
    (activity,) = trading.get("/v2/account/activities/FILL")
    assert (activity["order_id"], activity["cum_qty"], activity["leaves_qty"]) == (taken["id"], "10", "0")


def test_more_than_is_held_or_paid_for_is_forbidden(trading: Rest) -> None:
    held = Decimal(trading.get("/v2/positions/AAPL")["qty"])
    status, said = trading.ask("POST", "/v2/orders", {**ORDER, "side": "sell", "qty": int(held) + 1})
    assert (status, said) == (
        403,
        {
            "code": 40310000,
            "message": f"insufficient qty available for order (requested: {held + 1}, available: {held})",
            "available": str(held),
            "existing_qty": str(held),
            "held_for_orders": "0",
            "symbol": "AAPL",
        },
    )
    status, said = trading.ask("POST", "/v2/orders", {**ORDER, "symbol": "MSFT", "qty": 10_000})
    assert (status, said["code"], said["message"]) == (403, 40310000, "insufficient buying power")
    assert {"buying_power", "cost_basis"} <= said.keys()


def test_open_orders_can_be_taken_back_one_by_one_or_all_together(trading: Rest) -> None:
    ids = [trading.ask("POST", "/v2/orders", {**ORDER, "symbol": s})[1]["id"] for s in ("AAPL", "MSFT", "MSFT")]
    assert trading.ask("DELETE", f"/v2/orders/{ids[0]}") == (204, None)
    status, said = trading.ask("DELETE", f"/v2/orders/{ids[0]}")
    assert (status, said["message"]) == (422, 'order is already in "canceled" state')
    status, said = trading.ask("DELETE", "/v2/orders")
    assert (status, [one["id"] for one in said], {one["status"] for one in said}) == (207, ids[1:], {200})
    assert trading.get("/v2/orders") == []
    assert [one["id"] for one in trading.get("/v2/orders?status=closed&limit=2")] == ids[:0:-1]
    assert [one["id"] for one in trading.get("/v2/orders?status=all&direction=asc&symbols=MSFT")][-2:] == ids[1:]


def test_the_trading_stream_tells_each_event_once_and_in_order(trading: Rest) -> None:
    with connect(trading.base.replace("http", "ws") + "/stream", proxy=None) as socket:

        def ask(message: object) -> Any:
            socket.send(json.dumps(message))
            return hear()

        def hear() -> Any:
            frame = socket.recv(5)
            assert isinstance(frame, bytes)
            return json.loads(frame)

        listen = {"action": "listen", "data": {"streams": ["trade_updates", "gossip"]}}
        assert ask(listen) == {"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}}
        refused = ask({"action": "authenticate", "data": {"key_id": "", "secret_key": ""}})
        assert refused["data"]["status"] == "unauthorized"
        authorized = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
        assert ask({"action": "auth", "key": "k", "secret": "s"}) == authorized
        assert ask({"action": "authenticate", "data": {"key_id": "k", "secret_key": "s"}}) == authorized
        assert ask(listen) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        status, _ = trading.ask("POST", "/v2/orders", {**ORDER, "symbol": "MSFT", "side": "sell"})
        assert status == 200
        now = trading.minute_on()
        new, fill = hear(), hear()
        assert (new["stream"], new["data"]["event"], new["data"]["order"]["status"]) == ("trade_updates", "new", "new")
        assert "price" not in new["data"]
        data = fill["data"]
        assert (data["event"], data["qty"], data["position_qty"]) == ("fill", "10", "-10")
        assert (data["timestamp"], now["last_bars"]["MSFT"]) == (now["last_bars"]["MSFT"], new["data"]["timestamp"])
        assert data["order"]["filled_avg_price"] == data["price"]
        assert ask({"action": "listen", "data": {"streams": []}})["data"] == {"streams": []}


def test_an_order_sent_after_the_close_waits_as_accepted(trading: Rest) -> None:
    trading.until("2023-01-04T20:59:00Z")
    account = trading.get("/v2/account")
    assert account["last_equity"] == account["equity"]
    _, late = trading.ask("POST", "/v2/orders", ORDER)
    assert late["status"] == trading.get(f"/v2/orders/{late['id']}")["status"] == "accepted"
    assert late["expires_at"] == "2023-01-05T21:00:00Z"
