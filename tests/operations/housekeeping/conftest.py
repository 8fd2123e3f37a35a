"""The night after one session of two symbols, with a server that has their history."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from pydantic import SecretStr

from tandem.config import AlpacaSettings, Settings
from tandem.execution import Origin
from tandem.market import Calendar, Session, Timeframe, World, WorldKind
from tandem.operations import Night
from tandem.store import Store

DAY = date(2023, 1, 25)
SYMBOLS = ("AAPL", "MSFT")
MINUTE = timedelta(minutes=1)


def session_of(day: date = DAY) -> Session:
    found = Calendar().session(day)
    assert found is not None
    return found


def bars_of(
    symbol: str, starts: "list[datetime] | pd.DatetimeIndex", close: float = 100.0, **more: Any
) -> pd.DataFrame:
    prices = {"open": close, "high": close + 1, "low": close - 1, "close": close}
    return pd.DataFrame({"symbol": symbol, "start": pd.DatetimeIndex(starts), **prices, "volume": 100, **more})


def minutes_of(session: Session, lacking: "tuple[int, ...]" = ()) -> "list[datetime]":
    """Starts of its minutes but some, by number."""
    return [end - MINUTE for n, end in enumerate(session.minutes) if n not in lacking]


def keep(store: Store, symbol: str, lacking: "tuple[int, ...]" = (), day: date = DAY, **series: Any) -> None:
    marks = {"timeframe": Timeframe.MIN_1, "source": "alpaca", "feed": "iex", **series}
    store.bars.load(bars_of(symbol, minutes_of(session_of(day), lacking)), **marks)


@dataclass
class History:
    """A server of minute bars; nobody traded in the minutes that are silent."""

    silent: set[tuple[str, datetime]] = field(default_factory=set)
    price: float = 7
    requests: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    url: str = ""
    world: World | None = None
    unknown: set[str] = field(default_factory=set)

    def refused(self, query: dict[str, str]) -> str:
        """The first symbol asked for that nobody knows: Alpaca names one, and answers for none."""
        return next((symbol for symbol in query["symbols"].split(",") if symbol in self.unknown), "")

    def answer(self, query: dict[str, str]) -> str:
        self.requests.append(query)
        first, last = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
        count = int((last - first) / MINUTE) + 1
        bars = {
            symbol: [
                {"t": f"{at:%Y-%m-%dT%H:%M:%SZ}", "o": self.price, "h": 8, "l": 6, "c": 7, "v": 10, "n": 1, "vw": 7}
                for n in range(count)
                if (symbol, at := (first + n * MINUTE).astimezone(UTC)) not in self.silent
            ]
            for symbol in query["symbols"].split(",")
        }
        return json.dumps({"bars": bars, "next_page_token": None} if self.status == 200 else {"message": "no"})

    def origin(self, source: str = "alpaca", keys: bool = True) -> Origin:
        """It as the place where bars come from; its time tells the world alone."""
        given = {"key_id": SecretStr("key"), "secret_key": SecretStr("other")} if keys else {}
        return Origin("Alpaca", "", self.url, AlpacaSettings.model_validate(given), source, Playing(self.world))


@dataclass
class Playing:
    """Tells which world a recycler plays."""

    playing: World | None

    def world(self) -> World | None:
        return self.playing

    def moment(self) -> Any:
        raise NotImplementedError


@pytest.fixture
def history() -> Iterator[History]:
    made = History()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            body, stranger = made.answer(query), made.refused(query)
            if stranger and made.status == 200:
                body = json.dumps({"message": f"invalid symbol: {stranger}"})
            self.send_response(400 if stranger and made.status == 200 else made.status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield made
        server.shutdown()


@pytest.fixture
def night(store: Store, tmp_path: Path) -> Callable[..., Night]:
    """Makes nights of one new world."""
    worlds: dict[WorldKind, World] = {}

    def made(kind: WorldKind = WorldKind.PAPER, day: date = DAY, **changes: Any) -> Night:
        world = worlds.get(kind) or worlds.setdefault(kind, store.new_world(kind))
        blocks = {name: changes.pop(name) for name in list(changes) if name in Settings.model_fields}
        usual: dict[str, Any] = {"home": tmp_path / "home", "websocket": {"symbols": SYMBOLS}}
        settings = Settings.model_validate(usual | blocks)
        session = session_of(day)
        return Night(
            store, store.facts(world), session, settings, **{"now": session.close + timedelta(hours=5), **changes}
        )

    return made
