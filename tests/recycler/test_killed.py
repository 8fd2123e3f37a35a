"""A recycler killed with SIGKILL, again and again, while clients trade: nothing is lost, nothing happens twice."""

import json
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from os import environ
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pandas as pd
import pytest
import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tandem.config import CostSettings
from tandem.market import Calendar, Side, Timeframe
from tandem.matching import Execution, LedgerState, Ticket
from tandem.recycler import Launched, Options, launch
from tandem.recycler.account.account import new_account
from tandem.store import Store

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
CASH = Decimal(5_000_000)
SECONDS = 10
COSTS = CostSettings(
    max_volume_share=0.002,
    commission_per_share=Decimal("0.01"),
    sec_fee_per_dollar=Decimal("0.0000278"),
    taf_fee_per_share=Decimal("0.000166"),
)


def minutes_of_days(count: int) -> pd.DataFrame:
    """Bars of AAPL and MSFT that swing by four dollars, minute for minute, over some January sessions."""
    sessions = Calendar().sessions(pd.Timestamp("2023-01-03").date(), pd.Timestamp("2023-03-01").date())[:count]
    starts = [pd.date_range(day.open, day.close, freq="min", inclusive="left", unit="us") for day in sessions]
    frames = []
    for symbol, base in (("AAPL", 125.0), ("MSFT", 240.25)):
        frame = pd.DataFrame({"symbol": symbol, "start": starts[0].append(starts[1:])})
        steps = pd.Series(range(len(frame)))
        frame["open"] = (base + (steps * 7 % 31) * 0.13).round(2)
        frame = frame.assign(high=frame["open"] + 0.5, low=frame["open"] - 0.5, close=(frame["open"] + 0.11).round(2))
        frames.append(frame.assign(volume=10_000 + steps % 390))
    return pd.concat(frames, ignore_index=True)


@dataclass
class Memory:
    """What clients were told by recyclers that are dead now.

    Attributes:
        sent: client order id to the order, of those whose fate is not known.
        taken: client order id to the order as it was shown last.
        refused: client order ids.
        done: what was acknowledged of an order: `canceled`, `replaced`.
        clock: the latest market time that was answered.
    """

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    done: dict[str, set[str]] = field(default_factory=dict)
    clock: str = ""

    def saw(self, order: dict[str, Any]) -> None:
        """An order, shown: shares that have filled stay filled."""
        before = self.taken.get(order["client_order_id"])
        if before is not None:
            assert before["id"] == order["id"]
            assert Decimal(before["filled_qty"]) <= Decimal(order["filled_qty"]), (before, order)
        self.taken[order["client_order_id"]] = order
        self.sent.pop(order["client_order_id"], None)


class Client(threading.Thread):
    """Sends orders of every type, cancels and changes them as fast as it can until the recycler is gone."""

    def __init__(self, base: str, name: str, luck: Random) -> None:
        super().__init__(daemon=True)
        self._base = base
        self._name = name
        self._luck = luck
        self._session = requests.Session()
        self._session.headers.update(HEADERS)
        self.memory = Memory()
        self.bug: BaseException | None = None

    def go_on(self, before: Memory) -> None:
        """Start with what a client of an earlier recycler knew."""
        self.memory = before
        self.start()

    def run(self) -> None:
        """See `Thread.run`."""
        try:
            self._look_at_clock()
            self._settle()
            for number in range(100_000):
                self._one(number)
        except requests.RequestException:
            pass
        except BaseException as error:
            self.bug = error
        finally:
            self._session.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of one answer."""
        answer = self._session.request(method, self._base + path, json=body, timeout=SECONDS)
        assert answer.status_code < 500, answer.text
        return answer.status_code, json.loads(answer.content) if answer.content else None

    def _look_at_clock(self) -> None:
        said = pd.Timestamp(self.ask("GET", "/v2/clock")[1]["timestamp"]).tz_convert("UTC").isoformat()
        assert said >= self.memory.clock
        self.memory.clock = said

    def _settle(self) -> None:
        """An order whose fate is unknown is asked for, and sent again only where it was never taken."""
        for name, order in list(self.memory.sent.items()):
            status, shown = self.ask("GET", f"/v2/orders:by_client_order_id?client_order_id={name}")
            if status == 200:
                self.memory.saw(shown)
            else:
                assert status == 404
                self._send(order)
        for name in self._luck.sample(sorted(self.memory.taken), min(20, len(self.memory.taken))):
            status, shown = self.ask("GET", f"/v2/orders:by_client_order_id?client_order_id={name}")
            assert status == 200, f"{name} is lost"
            self.memory.saw(shown)

    def _one(self, number: int) -> None:
        kind = self._luck.random()
        if kind < 0.6 or not self.memory.taken:
            self._send(self._order(f"{self._name}-{number}"))
        elif kind < 0.8:
            self._cancel(self._known())
        elif kind < 0.92:
            self._replace(self._known(), f"{self._name}-{number}-changed")
        elif kind < 0.95:
            self._look_at_clock()
        else:
            for order in self.ask("GET", "/v2/orders?status=all&limit=50")[1]:
                if order["client_order_id"] in self.memory.taken:
                    self.memory.saw(order)

    def _known(self) -> dict[str, Any]:
        recent = list(self.memory.taken)[-30:]
        return self.memory.taken[self._luck.choice(recent)]

    def _send(self, order: dict[str, Any]) -> None:
        name = order["client_order_id"]
        self.memory.sent[name] = order
        status, answer = self.ask("POST", "/v2/orders", order)
        if status == 200:
            self.memory.saw(answer)
        else:
            assert status in (403, 422), answer
            assert "client_order_id" not in answer["message"], answer
            self.memory.sent.pop(name)
            self.memory.refused.add(name)

    def _cancel(self, order: dict[str, Any]) -> None:
        status, answer = self.ask("DELETE", f"/v2/orders/{order['id']}")
        assert status in (204, 422), answer
        if status == 204:
            self.memory.done.setdefault(order["client_order_id"], set()).add("canceled")

    def _replace(self, order: dict[str, Any], name: str) -> None:
        body = {"client_order_id": name, "qty": str(self._luck.randrange(1, 90))}
        status, answer = self.ask("PATCH", f"/v2/orders/{order['id']}", body)
        assert status in (200, 403, 422), answer
        if status == 200:
            self.memory.saw(answer)
            self.memory.done.setdefault(order["client_order_id"], set()).add("replaced")

    def _order(self, name: str) -> dict[str, Any]:
        luck, symbol = self._luck, self._luck.choice(["AAPL", "MSFT"])
        side = luck.choice(["buy", "sell"])
        sign = 1 if side == "buy" else -1
        middle = Decimal("127.00") if symbol == "AAPL" else Decimal("242.00")
        near = str(middle + Decimal(luck.randrange(-250, 250)) / 100)
        kinds: list[dict[str, Any]] = [
            {"type": "market", "time_in_force": "day"},
            {"type": "market", "time_in_force": "gtc"},
            {"type": "limit", "time_in_force": luck.choice(["day", "gtc", "ioc", "fok"]), "limit_price": near},
            {"type": "stop", "time_in_force": "day", "stop_price": str(middle + 2 * sign)},
            {
                "type": "stop_limit",
                "time_in_force": "gtc",
                "stop_price": str(middle + sign),
                "limit_price": str(middle + 2 * sign),
            },
            {"type": "trailing_stop", "time_in_force": "day", "trail_price": "1.5"},
            {
                "type": "market",
                "time_in_force": "day",
                "order_class": "bracket",
                "take_profit": {"limit_price": str(middle + 4 * sign)},
                "stop_loss": {"stop_price": str(middle - 4 * sign)},
            },
            {
                "type": "limit",
                "limit_price": near,
                "time_in_force": "gtc",
                "order_class": "oto",
                "stop_loss": {"stop_price": str(middle - 6 * sign)},
            },
        ]
        qty = str(luck.randrange(1, 80))
        return {"client_order_id": name, "symbol": symbol, "side": side, "qty": qty, **luck.choice(kinds)}


class Listener(threading.Thread):
    """Hears the order events of one recycler until it is gone."""

    def __init__(self, url: str, events: list[dict[str, Any]]) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._events = events

    def run(self) -> None:
        """See `Thread.run`."""
        with suppress(WebSocketException, OSError, EOFError), connect(self._url, open_timeout=SECONDS) as socket:
            socket.send(json.dumps({"action": "authenticate", "data": {"key_id": "k", "secret_key": "s"}}))
            socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            for frame in socket:
                said = json.loads(frame)
                if said["stream"] == "trade_updates":
                    self._events.append(said["data"])


@dataclass
class Trial:
    """One account, traded on by clients over the lives of many recyclers.

    Attributes:
        clients: what each of them knows.
        events: told on the stream, by all recyclers together.
    """

    options: Options
    url: str
    luck: Random
    clients: list[Memory] = field(default_factory=lambda: [Memory(), Memory()])
    events: list[dict[str, Any]] = field(default_factory=list)

    def life(self, number: int, seconds: float) -> None:
        """A recycler starts, clients trade, and it is killed."""
        recycler = launch(self.options, {"TANDEM_DATABASE_URL": self.url})
        try:
            self._trade(recycler, number, seconds)
        finally:
            recycler.process.kill()
            recycler.close()

    def stillborn(self, seconds: float) -> None:
        """A recycler is killed while it starts."""
        command = [sys.executable, "-m", "tandem.recycler", *self.options.arguments()]
        environment = {**environ, "TANDEM_DATABASE_URL": self.url}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            threading.Event().wait(seconds)
            process.kill()

    def _trade(self, recycler: Launched, number: int, seconds: float) -> None:
        listener = Listener(recycler.ws + "/stream", self.events)
        clients = [
            Client(recycler.http, f"{number}-{at}", Random(self.luck.random())) for at in range(len(self.clients))
        ]
        listener.start()
        for client, memory in zip(clients, self.clients, strict=True):
            client.go_on(memory)
        threading.Event().wait(seconds)
        recycler.process.kill()
        for thread in (listener, *clients):
            thread.join(2 * SECONDS)
            assert not thread.is_alive()
        for client in clients:
            if client.bug is not None:
                raise client.bug


@pytest.fixture
def trial(store: Store) -> Trial:
    store.bars.load(minutes_of_days(30), timeframe=Timeframe.MIN_1, source="sample")
    options = Options(
        ("AAPL", "MSFT"),
        port=0,
        cash=CASH,
        world=new_account(store, CASH),
        durable=True,
        costs=COSTS,
        speed=1500.0,
        lifeline=False,
    )
    return Trial(options, store.url, Random(11))


@dataclass(frozen=True)
class Books:
    """What the store holds of an account in the end."""

    tickets: dict[str, Ticket]
    executions: list[Execution]
    ledger: LedgerState


def books_of(store: Store, options: Options) -> Books:
    with store.paper(options.world).hold() as hold:
        kept = hold.read()
    tickets = [msgspec.json.decode(body, type=Ticket) for body in kept.orders]
    executions = [msgspec.json.decode(body, type=Execution) for body in kept.executions]
    assert len({ticket.client_order_id for ticket in tickets}) == len({ticket.id for ticket in tickets}) == len(tickets)
    assert [ticket.number for ticket in tickets] == list(range(1, len(tickets) + 1))
    assert [one.number for one in executions] == list(range(1, len(executions) + 1))
    assert kept.ledger is not None
    ledger = msgspec.json.decode(kept.ledger, type=LedgerState)
    return Books({ticket.client_order_id: ticket for ticket in tickets}, executions, ledger)


def check_books(books: Books) -> None:
    """Every execution is in its order once, no order is overfilled, and money follows from executions alone."""
    cash, shares = CASH, {"AAPL": Decimal(0), "MSFT": Decimal(0)}
    by_order: dict[str, list[Execution]] = {}
    for one in books.executions:
        sign = 1 if one.side is Side.BUY else -1
        cash -= sign * one.qty * one.price + one.fees
        shares[one.symbol] += sign * one.qty
        by_order.setdefault(one.client_order_id, []).append(one)
    assert cash.quantize(Decimal("0.01")) == books.ledger.cash.quantize(Decimal("0.01"))
    assert {s: q for s, q in shares.items() if q} == {held.symbol: held.qty for held in books.ledger.holdings}
    for ticket in books.tickets.values():
        filled = [(u.execution_id, u.qty, u.price) for u in ticket.updates if u.event.is_execution]
        assert filled == [(one.id, one.qty, one.price) for one in by_order.get(ticket.client_order_id, [])]
        assert ticket.qty is not None
        assert ticket.filled <= ticket.qty, ticket
        assert [u.event.is_final for u in ticket.updates].count(True) <= 1
    assert len({one.id for one in books.executions}) == len(books.executions)


def check_memory(memory: Memory, books: Books) -> None:
    """What a client was told is so."""
    for name, shown in memory.taken.items():
        ticket = books.tickets[name]
        assert str(ticket.id) == shown["id"]
        assert ticket.filled >= Decimal(shown["filled_qty"])
        assert ticket.request.qty == Decimal(shown["qty"]) or ticket.parent or ticket.replaces
    for name, done in memory.done.items():
        assert done <= {update.event.value for update in books.tickets[name].updates}, name
    assert not memory.refused & set(books.tickets)


def check_events(events: list[dict[str, Any]], books: Books) -> None:
    """Everything that was told on the stream had happened."""
    executions = {one.id: one for one in books.executions}
    for event in events:
        ticket = books.tickets[event["order"]["client_order_id"]]
        assert ticket.id == UUID(event["order"]["id"])
        assert event["event"] in {update.event.value for update in ticket.updates}
        if event["event"] in ("fill", "partial_fill"):
            told = executions[event["execution_id"]]
            assert (told.price, told.qty) == (Decimal(event["price"]), Decimal(event["qty"]))
    fills = [event["execution_id"] for event in events if event["event"] in ("fill", "partial_fill")]
    assert len(fills) == len(set(fills))


def kill_often(trial: Trial, store: Store, kills: int) -> Books:
    for number in range(kills):
        if number % 7 == 3:
            trial.stillborn(trial.luck.uniform(0.2, 1.5))
        else:
            trial.life(number, trial.luck.uniform(0.05, 1.2))
    trial.life(kills, 1.0)
    books = books_of(store, trial.options)
    check_books(books)
    for memory in trial.clients:
        check_memory(memory, books)
    check_events(trial.events, books)
    return books


def test_nothing_is_lost_or_doubled_by_three_kills(trial: Trial, store: Store) -> None:
    books = kill_often(trial, store, 3)
    assert len(books.tickets) > 50
    assert books.executions
    assert trial.events


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_by_fifty_kills(trial: Trial, store: Store) -> None:
    books = kill_often(trial, store, 50)
    print(f"\n{len(books.tickets)} orders, {len(books.executions)} executions, {len(trial.events)} events told")
    assert len(books.tickets) > 1000
    assert len(books.executions) > 500
    assert len({update.event for ticket in books.tickets.values() for update in ticket.updates}) >= 7
