"""Worlds to look at: a real one from the shipped bars, one by hand, none; and the site over them."""

import json
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
import requests

from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import Settings
from tandem.desk import backtest_desk, prepare, run_session
from tandem.market import Calendar, RecyclerError, World, WorldKind
from tandem.operations.dashboard.server import opened, server_of
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.listening import listening
from tandem.sources import samples
from tandem.store import MemoryFacts, Record, Store

NOON = datetime(2023, 1, 27, 17, tzinfo=UTC)
MIDDAY = datetime(2023, 1, 27, 18, 2, tzinfo=UTC)
DAYS = [date(2023, 1, 25), date(2023, 1, 26), date(2023, 1, 27)]


class Ticking:
    """A clock that goes on a second each time it is looked at."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def wait_until(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


class Recycler:
    """Answers as the control API does, and keeps what it was told."""

    def __init__(self, world: str = "recycler-1") -> None:
        self.away = False
        self.told: list[tuple[str, str, Any]] = []
        self.faults: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {
            "time": "2023-01-27T17:00:00Z", "ended": False, "world": world, "symbols": ["AAPL", "NVDA"], "proxies": {},
            "sources": {}, "mode": "loop", "timestamps": "original", "loop": 0, "first": "2023-01-23T14:30:00Z",
            "bars": 1200, "order_events": 12, "lockstep": False, "speed": 60.0, "paused": False, "desks": [world],
            "connections": {"stocks": 1, "trades": 1}, "waited_for": [],
        }  # fmt: skip

    def __call__(self, method: str, path: str, body: Any, _: float) -> Any:
        if self.away:
            raise RecyclerError("no recycler answers at localhost:8765", "Start one")
        if method == "GET":
            scenarios = [{"name": "bad-monday", "meaning": "everything at once", "client": "cope"}]
            return {"status": self.status, "faults": self.faults, "scenarios": scenarios}[path]
        self.told.append((method, path, body))
        if path == "pause":
            self.status = {**self.status, "paused": True}
        if path == "faults" and method == "POST":
            if body["name"] == "nonsense":
                raise RecyclerError("the recycler at localhost:8765 refuses: there is none of that name")
            self.faults = [*self.faults, {"number": 1, **body, "occasions": 0, "strikes": 0}]
        if method == "DELETE":
            self.faults = []
        return self.status


@pytest.fixture
def ask() -> Recycler:
    """A recycler that answers."""
    return Recycler()


@pytest.fixture(scope="session")
def demo(new_store: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, World]]:
    """Three sessions of the shipped bars, identified, trained, traded in one process: real facts."""
    home = tmp_path_factory.mktemp("home")
    with new_store() as store:
        samples.load(store)
        settings = settings_of(home).model_dump() | {"database_url": store.url}
        settings["model"] |= {"epochs": 4}
        settings = Settings.model_validate(settings)
        facts = MemoryFacts(store.new_world(WorldKind.RECYCLER, "demo"))
        sessions = [session for day in DAYS if (session := Calendar().session(day))]
        desk = backtest_desk(store, facts.world, settings, SYMBOLS, sessions, facts)
        for session in sessions:
            prepare(store, facts, session, settings, None)
            run_session(desk, session)
        facts.flush(store.facts(facts.world))
        yield store, facts.world


@pytest.fixture(scope="session")
def midday(demo: tuple[Store, World]) -> tuple[Store, World, Recycler]:
    """The same world in the middle of its last session, in a world of its own; and a recycler that plays it."""
    store, world = demo
    made = store.new_world(WorldKind.RECYCLER, "midday")
    number = {each: store.facts(each)._number for each in (world, made)}
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(COPY, [number[made], number[world], MIDDAY])
    facts, began = store.facts(made), MIDDAY - timedelta(hours=4)
    for name in ("flows", "mlflow", "postgresql", "prefect", "session"):
        facts.append(Record(ProcessChanged(name, "started"), began.date(), began, f"process.{name}"))
    for day in DAYS[:2]:
        at = datetime.combine(day, time(11), UTC)
        for flow in FlowName:
            done = FlowDone(flow, f"{flow} of {day}", "" if flow is FlowName.SESSION else "f5caef9fef" * 6)
            facts.append(Record(done, day, at, f"flow.{flow}.{day}"))
    ask = Recycler(str(made))
    ask.status["time"] = MIDDAY.isoformat()
    return store, made, ask


COPY = """
INSERT INTO facts (world, session, kind, pair, at, key, body)
SELECT %s, session, kind, pair, at, key, body FROM facts WHERE world = %s AND at < %s ORDER BY id
"""


class Visitor(requests.Session):
    """A browser without scripts in front of the site.

    Attributes:
        url: of the site.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.headers["accept"] = "text/html"
        self.trust_env = False

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        whole = url if str(url).startswith("http") else self.url + str(url)
        return super().request(method, whole, *args, **{"timeout": 20, **options, "allow_redirects": False})

    def csrf(self, path: str = "/") -> str:
        """What the forms of a page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def parts(self, view: str = "desk", query: str = "") -> Iterator[tuple[str, Any]]:
        """What the stream of a page says, event by event: its name and data."""
        with self.get(f"/events/{view}{query}", stream=True) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in answer.iter_lines(chunk_size=1):
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"data: "):
                    yield name, json.loads(line[6:])


Serve = Callable[..., AbstractContextManager[Visitor]]


@contextmanager
def served(
    store: Store,
    ask: Any = None,
    *,
    kind: WorldKind = WorldKind.RECYCLER,
    named: str = "",
    token: str | None = None,
    host: str = "127.0.0.1",
    now: datetime = NOON,
    further: Any = (),
) -> Iterator[Visitor]:
    """The site on a port of its own, and who visits it.

    Args:
        host: that the settings name; it listens on loopback whatever they say.
    """
    settings = Settings.model_validate({"dashboard": {"host": host, "token": token}})
    with (
        listening("127.0.0.1", 0) as listener,
        opened(store, settings, kind, named, ask or Recycler(), Ticking(now), further) as site,
    ):
        server = server_of(site)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            with Visitor(f"http://localhost:{listener.getsockname()[1]}") as visitor:
                yield visitor
        finally:
            server.handle_exit(signal.SIGTERM, None)
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves the site over a store for the length of a `with` block."""
    return served


@pytest.fixture(scope="module")
def desk(demo: tuple[Store, World]) -> Iterator[Visitor]:
    """The site over the real world."""
    with served(demo[0], named=str(demo[1])) as visitor:
        yield visitor


@pytest.fixture
def empty(store: Store, serve: Serve) -> Iterator[Visitor]:
    """The site over a store in which nothing has happened."""
    with serve(store) as visitor:
        yield visitor
