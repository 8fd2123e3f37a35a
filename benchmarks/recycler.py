"""How fast the local Alpaca replays bars, answers and takes orders, and how that compares with the plain way.

    python benchmarks/recycler.py [--full] [--json] [--only WORD]

Runs on an embedded PostgreSQL of its own in a temporary folder, with a million 1-minute bars of 500 symbols; the
recycler and its clients are processes of their own and share this machine. `--full` replays ten million bars for the
figure of memory. `--only` measures the sections whose names hold the word. With `--json` each line is a row of
{name, value, unit, goal, met}.
"""

import argparse
import asyncio
import hashlib
import http.client
import json
import multiprocessing
import struct
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, Literal

import msgspec
import numpy as np
import pandas as pd
from websockets.asyncio.client import connect as connect_async
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from figures import Figure, at_least, at_most, line, row
from tandem.market import Calendar, Stopwatch, Timeframe
from tandem.recycler import Launched, Options, launch
from tandem.store import Store

SYMBOLS: Final = tuple(sorted(f"S{n:03d}" for n in range(500)))
SESSIONS: Final = Calendar().sessions(datetime(2024, 2, 1, tzinfo=UTC).date(), datetime(2024, 2, 8, tzinfo=UTC).date())
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
KEYS: Final = {"APCA-API-KEY-ID": "K", "APCA-API-SECRET-KEY": "S"}
PACKED: Final = {"Content-Type": "application/msgpack"}
AUTH: Final = {"action": "auth", "key": "K", "secret": "S"}
ALL_BARS: Final = {"action": "subscribe", "bars": ["*"]}
MIB: Final = 1024 * 1024
ONE_IN: Final = 100
SECONDS: Final = 6.0
PACE: Final = 60.0
CROWD: Final = 100
FIELDS: Final = ("S", "t", "o", "h", "l", "c", "v", "n", "vw")
RECORD: Final = struct.Struct("<4sqddddqqd")

Task = Literal["count", "decode"]


@dataclass(frozen=True)
class Received:
    """What one client got: bars and frames in a number of seconds, and bytes of them before compression."""

    bars: int
    frames: int
    seconds: float
    bytes: int

    @property
    def rate(self) -> float:
        """Bars a second."""
        return self.bars / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        with Store.open(Path(home)) as store:
            stored = bars()
            store.bars.load(stored, timeframe=Timeframe.MIN_1, source="walks")
            for figure in measure(Bench(Path(home), stored), asked.full, asked.only):
                print(row(figure) if asked.json else line(figure), flush=True)
        assert store.server is not None
        assert store.server.has_stopped()


@dataclass(frozen=True)
class Bench:
    """The stored bars, and recyclers over them."""

    home: Path
    stored: pd.DataFrame

    def options(self, **changes: Any) -> Options:
        """Everything that is stored, over and over."""
        usual = Options(SYMBOLS, port=0, mode="loop", timestamps="current", cash=Decimal(10_000_000))
        return replace(usual, **changes)

    def launch(self, **changes: Any) -> Launched:
        """A recycler at full speed, unless told otherwise."""
        return launch(self.options(**changes), {"TANDEM_HOME": str(self.home)})


def measure(bench: Bench, full: bool, only: str) -> Iterator[Figure]:
    sections = (start_up, full_speed, official_client, compressed, checksums, rest, pings, crowd, orders)
    for section in sections:
        if only in section.__name__:
            yield from section(bench)
    if only in memory.__name__:
        yield from memory(bench, full)


def start_up(bench: Bench) -> Iterator[Figure]:
    """From the command to the first bar at a client."""
    seconds = [timed(lambda: _first_bar(bench)) for _ in range(3)]
    name = f"start-up to the first bar, {len(bench.stored):,} bars stored"
    yield at_most(name, min(seconds), "s", 2.0)


def _first_bar(bench: Bench) -> None:
    with bench.launch() as recycler, closing(subscribed(recycler.ws, PACKED)) as socket:
        socket.recv(timeout=30)


def full_speed(bench: Bench) -> Iterator[Figure]:
    """One client, as fast as it takes them, beside a plain server that does the same work bar by bar."""
    with bench.launch() as recycler:
        packed = apart(listen, recycler.ws, PACKED, "count")
        text = apart(listen, recycler.ws, {}, "count")
        packed_read = apart(listen, recycler.ws, PACKED, "decode")
        text_read = apart(listen, recycler.ws, {}, "decode")
    with plain_server(bench.stored) as url:
        plain = apart(listen, url, {}, "count")
    counting = "a client that counts and decodes one frame in a hundred"
    yield at_least(f"max speed in MessagePack, {counting}", packed.rate, "bars/s", 500_000)
    yield at_least(f"max speed in JSON, {counting}", text.rate, "bars/s", 400_000)
    yield at_least("max speed in MessagePack, a client that decodes every bar", packed_read.rate, "bars/s", 150_000)
    yield at_least("max speed in JSON, a client that decodes every bar", text_read.rate, "bars/s", 150_000)
    yield Figure("the plain way: websockets, each bar as JSON for each client", plain.rate, "bars/s")
    yield Figure("max speed in JSON, times the plain way", text.rate / plain.rate, "x")
    yield Figure("bars in a frame", packed.bars / packed.frames, "bars")
    yield Figure("bytes of a bar in MessagePack", packed.bytes / packed.bars, "bytes")
    yield Figure("bytes of a bar in JSON", text.bytes / text.bars, "bytes")


def official_client(bench: Bench) -> Iterator[Figure]:
    """What the official client makes of it: its own decoding and models are the limit."""
    with bench.launch() as recycler:
        received = apart(listen_officially, recycler.ws)
    yield Figure("max speed, alpaca-py's StockDataStream", received.rate, "bars/s")


def compressed(bench: Bench) -> Iterator[Figure]:
    with bench.launch() as recycler:
        packed = apart(listen, recycler.ws, PACKED, "count", "deflate")
        text = apart(listen, recycler.ws, {}, "count", "deflate")
    yield Figure("max speed in MessagePack, compressed", packed.rate, "bars/s")
    yield Figure("max speed in JSON, compressed", text.rate, "bars/s")


def checksums(bench: Bench) -> Iterator[Figure]:
    """Every bar of a whole replay, decoded and compared with the store's."""
    expected = _digest(bench.stored)
    for headers, name in ((PACKED, "MessagePack"), ({}, "JSON")):
        with bench.launch(mode="single_pass", timestamps="original", lockstep=True) as recycler, worker() as pool:
            reading = pool.submit(checksum, recycler.ws, headers, len(bench.stored))
            _until_connected(recycler)
            with _released(recycler):
                count, digest = reading.result(timeout=120)
        same = count == len(bench.stored) and digest == expected
        yield Figure(f"bars of a replay in {name} equal to the store's", count, "bars", len(bench.stored), same)


def rest(bench: Bench) -> Iterator[Figure]:
    """Requests while a client takes bars at full speed."""
    with bench.launch() as recycler, worker() as pool:
        reading = pool.submit(listen, recycler.ws, PACKED, "count", None, SECONDS + 8)
        _until_connected(recycler)
        with closing(http.client.HTTPConnection("127.0.0.1", recycler.port)) as connection:
            day = f"{json.loads(_get(connection, '/control/status'))['time'][:10]}"
            times = _times_of(connection, list(_paths(day).values()), SECONDS + 2)
        received = reading.result(timeout=60)
    everything = [seconds for some in times.values() for seconds in some]
    yield at_most(f"REST while a replay runs at max, 99th percentile of {len(everything):,}", p99(everything), "ms", 50)
    for name, path in _paths(day).items():
        yield Figure(f"... {name}, 99th percentile", p99(times[path]), "ms")
        yield Figure(f"... {name}, median", median(times[path]), "ms")
    yield Figure("max speed in MessagePack while the REST answers", received.rate, "bars/s")


def pings(bench: Bench) -> Iterator[Figure]:
    """A client that takes bars at full speed, and pings."""
    with bench.launch() as recycler, worker() as pool:
        waited = pool.submit(ping, recycler.ws, 100).result(timeout=60)
    yield at_most("a ping while a replay runs at max, the slowest of 100", max(waited), "ms", 1000)
    yield Figure("a ping while a replay runs at max, median", median(waited), "ms")


def _paths(day: str) -> dict[str, str]:
    ten = f"symbols={','.join(SYMBOLS[:10])}"
    return {
        "the account": "/v2/account",
        "the clock": "/v2/clock",
        "latest bars of 10 symbols": f"/v2/stocks/bars/latest?{ten}",
        "1,000 of today's minutes": f"/v2/stocks/bars?{ten}&timeframe=1Min&limit=1000",
        "1,000 minutes of the days before": f"/v2/stocks/bars?{ten}&timeframe=1Min&limit=1000&start={day}",
    }


def _times_of(connection: http.client.HTTPConnection, paths: list[str], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each request, in turns; the first round finds out which bars there are."""
    found: dict[str, list[float]] = {path: [] for path in paths}
    for path in paths:
        _get(connection, path)
    watch = Stopwatch()
    while watch.seconds < seconds:
        for path, times in found.items():
            times.append(1000 * timed(partial(_get, connection, path)))
            threading.Event().wait(0.005)
    return found


def crowd(bench: Bench) -> Iterator[Figure]:
    """A hundred clients of all symbols, a minute of market time each second."""
    with bench.launch(speed=PACE) as recycler:
        lost, late = apart(listen_together, recycler.ws, CROWD, SECONDS * 3)
    name = f"{CROWD} clients x {len(SYMBOLS)} symbols at {PACE:g}x"
    yield Figure(f"{name}: bars that a client did not get", lost, "bars", 0, lost == 0)
    yield at_most(f"{name}: 99th percentile of lateness", p99(late), "ms", 50)
    yield Figure(f"{name}: median of lateness", median(late), "ms")


def memory(bench: Bench, full: bool) -> Iterator[Figure]:
    """What the process grows by once it has played every stored bar."""
    wanted = 10_000_000 if full else 3_000_000
    with bench.launch() as recycler, worker() as pool:
        settled = _rss(recycler) if pool.submit(take, recycler.ws, len(bench.stored)).result(timeout=60) else 0
        taken = pool.submit(take, recycler.ws, wanted).result(timeout=300)
        grown = (_rss(recycler) - settled) / MIB
    yield at_most(f"growth of memory over {taken:,} bars", grown, "MiB", 32)
    yield Figure("memory of the recycler", settled / MIB, "MiB")


def orders(bench: Bench) -> Iterator[Figure]:
    """A durable account on a clock that stands at ten in the morning."""
    options = {"mode": "single_pass", "timestamps": "original", "lockstep": True, "durable": True}
    with bench.launch(**options) as recycler, _released(recycler, SESSIONS[0].open.replace(hour=15, minute=0)):
        with worker() as pool:
            waits = pool.submit(one_by_one, recycler.port, 200).result(timeout=60)
            yield at_most("a durable order sent to its `new` event, median", median(waits), "ms", 5)
            yield Figure("a durable order sent to its `new` event, 99th percentile", p99(waits), "ms")
            taken, seconds = pool.submit(at_once, recycler.port, 16, SECONDS).result(timeout=60)
        told = len(json.loads(_ask(recycler.port, "/v2/orders?status=all&limit=500")))
    yield at_least("durable orders, sustained, 16 at a time", taken / seconds, "orders/s", 500)
    yield Figure("orders that a question shows, of at most 500", told, "orders", 500, told == 500)


# --- clients, each in a process of its own ---


def listen(
    url: str, headers: dict[str, str], task: Task, compression: str | None = None, seconds: float = SECONDS
) -> Received:
    """Take bars for some seconds; of those that are not decoded the frame says how many they are."""
    frames = bars = size = 0
    packed = headers == PACKED
    decode = msgspec.msgpack.decode if packed else msgspec.json.decode
    with closing(subscribed(url, headers, compression)) as socket:
        for _ in range(20):
            socket.recv(timeout=30)
        watch = Stopwatch()
        while watch.seconds < seconds:
            frame = socket.recv(timeout=30, decode=False)
            frames, size = frames + 1, size + len(frame)
            if task == "decode" or frames % ONE_IN == 0:
                bars += len(decode(frame))
            else:
                bars += _length(frame) if packed else frame.count(b'"T":"b"')
        return Received(bars, frames, watch.seconds, size)


def listen_officially(url: str) -> Received:
    """The same by alpaca-py, whose callback counts."""
    from alpaca.data.live import StockDataStream

    stream = StockDataStream("K", "S", url_override=f"{url}/v2/iex")
    count, watch = 0, Stopwatch()

    async def on_bar(_: object) -> None:
        nonlocal count, watch
        if count == 0:
            watch = Stopwatch()
        count += 1
        if watch.seconds > SECONDS:
            await stream.stop_ws()

    stream.subscribe_bars(on_bar, "*")
    stream.run()
    return Received(count, 0, watch.seconds, 0)


def listen_together(url: str, clients: int, seconds: float) -> tuple[int, list[float]]:
    """Bars that a client missed between the first and the last minute that all saw, and how late frames were."""
    return asyncio.run(_listen_together(url, clients, seconds))


async def _listen_together(url: str, clients: int, seconds: float) -> tuple[int, list[float]]:
    loop = asyncio.get_running_loop()
    seen: list[list[tuple[float, bytes]]] = [[] for _ in range(clients)]

    async def one(frames: list[tuple[float, bytes]]) -> None:
        async with connect_async(url, additional_headers=PACKED, compression=None, max_size=None) as socket:
            for message in (AUTH, ALL_BARS):
                await socket.recv()
                await socket.send(msgspec.msgpack.encode(message))
            await socket.recv()
            while True:
                frame = await socket.recv(decode=False)
                frames.append((loop.time(), frame))

    tasks = [asyncio.create_task(one(frames)) for frames in seen]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return _judged([_minutes(frames) for frames in seen])


def _minutes(frames: Sequence[tuple[float, bytes]]) -> dict[Any, tuple[float, int]]:
    minutes: dict[Any, tuple[float, int]] = {}
    for arrived, frame in frames:
        messages = msgspec.msgpack.decode(frame)
        if messages[0]["T"] == "b":
            _, before = minutes.get(messages[0]["t"], (arrived, 0))
            minutes[messages[0]["t"]] = arrived, before + len(messages)
    return minutes


def _judged(seen: Sequence[dict[Any, tuple[float, int]]]) -> tuple[int, list[float]]:
    first = max(min(minutes) for minutes in seen)
    last = min(max(minutes) for minutes in seen)
    each = sorted({minute for minutes in seen for minute in minutes if first < minute < last})
    lost = sum(len(SYMBOLS) - minutes.get(minute, (0.0, 0))[1] for minutes in seen for minute in each)
    arrivals = [(minutes[minute][0], (minute - first).total_seconds() / PACE) for minutes in seen for minute in each]
    earliest = min(arrived - due for arrived, due in arrivals)
    return lost, [1000 * (arrived - due - earliest) for arrived, due in arrivals]


def checksum(url: str, headers: dict[str, str], count: int) -> tuple[int, str]:
    """Bars received until `count` of them are there or no more come, and the digest of all."""
    digest, got = hashlib.sha256(), 0
    decode = msgspec.msgpack.decode if headers == PACKED else msgspec.json.decode
    with closing(subscribed(url, headers)) as socket:
        while got < count:
            messages = decode(socket.recv(timeout=60, decode=False))
            got += len(messages)
            digest.update(b"".join(map(_record, messages)))
    return got, digest.hexdigest()


def take(url: str, count: int) -> int:
    """Bars received, at least `count`."""
    got = 0
    with closing(subscribed(url, PACKED)) as socket:
        while got < count:
            got += _length(socket.recv(timeout=30, decode=False))
    return got


def one_by_one(port: int, count: int) -> list[float]:
    """Milliseconds from sending each order to its `new` event; the next goes out when that is there."""
    waits = []
    with closing(trade_updates(port)) as socket, closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        for n in range(count):
            watch = Stopwatch()
            body = order(SYMBOLS[n % len(SYMBOLS)], f"one-{n}")
            connection.request("POST", "/v2/orders", body, {**KEYS, "Content-Type": "application/json"})
            while json.loads(socket.recv(timeout=10))["data"].get("event") != "new":
                pass
            waits.append(1000 * watch.seconds)
            assert connection.getresponse().read()
    return waits


def at_once(port: int, clients: int, seconds: float) -> tuple[int, float]:
    """Orders taken in some seconds from several clients, each of which waits for its answers."""
    return asyncio.run(_at_once(port, clients, seconds))


async def _at_once(port: int, clients: int, seconds: float) -> tuple[int, float]:
    watch = Stopwatch()

    async def one(client: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken = 0
        while watch.seconds < seconds:
            body = order(SYMBOLS[(taken * clients + client) % len(SYMBOLS)], f"many-{client}-{taken}")
            start = "POST /v2/orders HTTP/1.1\r\nHost: localhost\r\n"
            head = "".join(f"{name}: {value}\r\n" for name, value in KEYS.items())
            writer.write(f"{start}{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(row for row in answer.lower().split(b"\r\n") if row.startswith(b"content-length"))
            said = await reader.readexactly(int(length.split(b":")[1]))
            assert answer.startswith(b"HTTP/1.1 200"), said
            taken += 1
        writer.close()
        return taken

    return sum(await asyncio.gather(*(one(client) for client in range(clients)))), watch.seconds


def subscribed(url: str, headers: dict[str, str], compression: str | None = None) -> ClientConnection:
    """A socket on which all bars come next."""
    socket = connect(url, additional_headers=headers, compression=compression, max_size=None, ping_interval=None)
    encode = msgspec.msgpack.encode if headers == PACKED else json.dumps
    for message in (AUTH, ALL_BARS):
        socket.recv(timeout=10)
        socket.send(encode(message))
    socket.recv(timeout=10)
    return socket


def ping(url: str, count: int) -> list[float]:
    """Milliseconds from each ping to its pong, while every frame is taken."""
    with subscribed(url, PACKED) as socket:
        reading = threading.Thread(target=lambda: deque(socket, maxlen=0), daemon=True)
        reading.start()
        return [1000 * timed(lambda: socket.ping().wait(10)) for _ in range(count)]


def trade_updates(port: int) -> ClientConnection:
    """A socket on which order events come next."""
    socket = connect(f"ws://127.0.0.1:{port}/stream", compression=None, ping_interval=None)
    for message in (
        {"action": "authenticate", "data": {"key_id": "K", "secret_key": "S"}},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
    ):
        socket.send(json.dumps(message))
        socket.recv(timeout=10)
    return socket


def order(symbol: str, id: str) -> str:
    usual = {"qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    return json.dumps({**usual, "symbol": symbol, "client_order_id": id})


# --- the plain way ---


@contextmanager
def plain_server(stored: pd.DataFrame) -> Iterator[str]:
    """A websockets server in a process of its own that encodes each bar for each client."""
    spawn = multiprocessing.get_context("spawn")
    ports: multiprocessing.Queue[int] = spawn.Queue()
    day = stored[stored["start"] < SESSIONS[1].open].sort_values(["start", "symbol"]).head(100_000)
    process = spawn.Process(target=be_plain, args=(day, ports), daemon=True)
    process.start()
    try:
        yield f"ws://127.0.0.1:{ports.get(timeout=60)}/plain"
    finally:
        process.terminate()
        process.join()


def be_plain(bars: pd.DataFrame, ports: "multiprocessing.Queue[int]") -> None:
    """Serve until ended."""
    rows = list(bars.assign(start=bars["start"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).itertuples(index=False, name=None))

    async def replay(socket: ServerConnection) -> None:
        await socket.send('[{"T":"success","msg":"connected"}]')
        await socket.recv()
        await socket.send('[{"T":"success","msg":"authenticated"}]')
        await socket.recv()
        await socket.send('[{"T":"subscription"}]')
        with suppress(ConnectionClosed):
            for row in cycle(rows):
                bar = {"T": "b", **dict(zip(FIELDS, row, strict=True))}
                await socket.send(json.dumps([bar], separators=(",", ":")))

    async def run() -> None:
        async with serve(replay, "127.0.0.1", 0, compression=None) as server:
            ports.put(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    asyncio.run(run())


# --- what both sides need ---


def bars() -> pd.DataFrame:
    """Random walks over six sessions, seeded."""
    starts = np.concatenate([pd.date_range(s.open, s.close, freq="min", inclusive="left", unit="us") for s in SESSIONS])
    random = np.random.default_rng(7)
    closes = (100 * np.exp(np.cumsum(random.normal(0, 5e-4, (len(SYMBOLS), len(starts))), axis=1))).round(2).ravel()
    opens = (closes * (1 + random.normal(0, 2e-4, closes.size))).round(2)
    return pd.DataFrame(
        {
            "symbol": np.repeat(SYMBOLS, len(starts)),
            "start": pd.DatetimeIndex(np.tile(starts, len(SYMBOLS))),
            "open": opens,
            "high": (np.maximum(opens, closes) + 0.01).round(2),
            "low": (np.minimum(opens, closes) - 0.01).round(2),
            "close": closes,
            "volume": random.integers(100, 100_000, closes.size),
            "trade_count": random.integers(1, 1000, closes.size),
            "vwap": ((opens + closes) / 2).round(4),
        }
    )


def _digest(stored: pd.DataFrame) -> str:
    ordered = stored.sort_values(["start", "symbol"])
    fields = [("S", "S4"), ("t", "<i8"), *((name, "<f8") for name in "ohlc"), ("v", "<i8"), ("n", "<i8"), ("vw", "<f8")]
    block = np.zeros(len(ordered), dtype=fields)
    for (name, _), column in zip(fields, [*ordered.columns], strict=True):
        block[name] = ordered[column].dt.tz_localize(None) if name == "t" else ordered[column].to_numpy()
    return hashlib.sha256(block.tobytes()).hexdigest()


def _record(bar: dict[str, Any]) -> bytes:
    t = bar["t"]
    start = datetime.fromisoformat(t) if isinstance(t, str) else t
    ticks = int(start.timestamp()) * 1_000_000 + start.microsecond
    return RECORD.pack(bar["S"].encode(), ticks, bar["o"], bar["h"], bar["l"], bar["c"], bar["v"], bar["n"], bar["vw"])


def _length(frame: bytes) -> int:
    """How many bars a MessagePack frame holds, by its first bytes."""
    if frame[0] == 0xDC:
        return int.from_bytes(frame[1:3])
    return int.from_bytes(frame[1:5]) if frame[0] == 0xDD else frame[0] & 0x0F


@contextmanager
def worker() -> Iterator[ProcessPoolExecutor]:
    """A process for clients."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do the work in a process of its own."""
    with worker() as pool:
        done: Future[Any] = pool.submit(work, *arguments)
        return done.result(timeout=120)


@contextmanager
def _released(recycler: Launched, through: datetime = LAST) -> Iterator[None]:
    """A desk that lets the clock run through a moment, and holds it there."""
    with closing(http.client.HTTPConnection("127.0.0.1", recycler.port)) as held:
        held.request("POST", "/control/desks", json.dumps({"desk": "bench"}))
        held.getresponse().readline()
        done = json.dumps({"desk": "bench", "through": through.isoformat()})
        with closing(http.client.HTTPConnection("127.0.0.1", recycler.port)) as connection:
            connection.request("POST", "/control/ready", done)
            if through < LAST:
                connection.getresponse().read()
            yield


def _until_connected(recycler: Launched) -> None:
    watch = Stopwatch()
    while not json.loads(_ask(recycler.port, "/control/status"))["connections"]["stocks"]:
        assert watch.seconds < 30
        threading.Event().wait(0.05)
    threading.Event().wait(0.3)


def _ask(port: int, path: str) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        return _get(connection, path)


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers=KEYS)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def _rss(recycler: Launched) -> int:
    lines = Path(f"/proc/{recycler.process.pid}/status").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in lines if row.startswith("VmRSS"))


def timed(work: Callable[[], object]) -> float:
    watch = Stopwatch()
    work()
    return watch.seconds


def p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


if __name__ == "__main__":
    main()
