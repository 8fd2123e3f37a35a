"""The recycler's one port: market data, trading and control."""

import asyncio
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from tandem.market import RecyclerError, TandemError, WallClock
from tandem.matching import Minute, Replay
from tandem.recycler.account.journal import Journal, MemoryJournal
from tandem.recycler.account.resumption import opened
from tandem.recycler.control import Control
from tandem.recycler.faults import Chronicle, Fault, Panel, Saboteur
from tandem.recycler.history.history import History
from tandem.recycler.keys import Keys
from tandem.recycler.loopback import Loopback
from tandem.recycler.metronome import Metronome
from tandem.recycler.options import Options
from tandem.recycler.rest.answer import reply
from tandem.recycler.rest.gate import Gate
from tandem.recycler.rest.rate import Rate
from tandem.recycler.stream.publisher import Publisher
from tandem.recycler.stream.slots import Slots
from tandem.recycler.stream.stock_stream import Terms
from tandem.recycler.stream.websocket import WebSocketProtocol
from tandem.recycler.tls import Certificate
from tandem.recycler.trading.listing import Listing
from tandem.recycler.trading.trading import Trading
from tandem.store import Facts

if TYPE_CHECKING:
    from tandem.recycler.reel.shelf import Shelf

HOME: Final = "~/.tandem"
HOST: Final = "127.0.0.1"
TOKEN_VARIABLE: Final = "TANDEM_RECYCLER_TOKEN"  # noqa: S105 - a name
KEEP_ALIVE_SECONDS: Final = 3600
STANDARD_INPUT: Final = 0
SWITCH_SECONDS: Final = 0.0001  # a thread that reads history beside a replay at max takes many turns
BASIS_POINTS: Final = 10_000
LONGEST_MESSAGE: Final = 1 << 20
UNREAD: Final = 1 << 19

Announce = Callable[[dict[str, Any]], None]


class Recycler:
    """A replay, its paper account, and everybody connected to them.

    Args:
        replay: reel and account.
        options: how it is played, and to whom.
        keys: who is let in.
        token: of the control API; empty for none.
        journal: where the account is kept; in memory where there is none.
        facts: where faults are put on record.
        shelf: where history is read; without one none is told.
    """

    def __init__(
        self,
        replay: Replay,
        options: Options,
        keys: Keys,
        token: str,
        journal: Journal | None = None,
        facts: Facts | None = None,
        shelf: "Shelf | None" = None,
    ) -> None:
        self._replay = replay
        self._on_end = options.on_end
        self._mode = options.mode
        self._timestamps = options.timestamps
        self._chronicle = Chronicle(facts)
        self._saboteur = Saboteur(replay, _faults(options), self._chronicle.tell)
        terms = Terms(
            keys,
            self._saboteur.lateness,
            options.auth_seconds,
            slots=Slots(options.connection_limit),
            symbol_limit=options.symbol_limit,
            symbols=len(replay.reel.symbols),
            is_shut=self._saboteur.door.is_shut,
        )
        spread = options.costs.spread_bps / BASIS_POINTS if options.derive_ticks else None
        self._publisher = Publisher(
            terms,
            replay.timeline.session_at,
            spread=spread,
            placeholder=replay.reel.symbols[0],
        )
        self._metronome = Metronome(
            replay,
            self._publish,
            speed=options.speed,
            lockstep=options.lockstep,
            room=self._publisher.room,
            ended=self._ended,
            seen=self._saboteur.seen,
            heard=self._heard,
        )
        self._was_heard = False
        self._journal = journal or MemoryJournal()
        self._trading = Trading(
            replay,
            keys,
            journal=self._journal,
            delay=self._saboteur.lateness,
            rate_limit=options.rate_limit,
            through=self._saboteur.answered,
            events=self._saboteur.events,
            listing=None if shelf is None else Listing(shelf.symbols),
        )
        gate = Gate(keys, Rate(options.rate_limit), through=self._saboteur.answered)
        self._history = None if shelf is None else History(replay, shelf, gate, spread, self._saboteur.halts.times)
        panel = Panel(self._saboteur.faults, replay.reel.symbols)
        self._control = Control(self._metronome, token, self.status, [panel])

    def app(self) -> Starlette:
        """Everything on one port."""
        return Starlette(
            routes=[
                *self._trading.routes(),
                *self._control.routes(),
                *(self._history.routes() if self._history else []),
                WebSocketRoute("/", self._publisher.serve),
                WebSocketRoute("/v2/{feed}", self._publisher.serve),
                Route("/{path:path}", _nothing_here, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
            ],
            middleware=[Middleware(Loopback)],
            exception_handlers={405: _nothing_here, 500: _bug},
        )

    async def play(self) -> None:
        """Move the clock until cancelled."""
        await self._metronome.run()

    async def keep(self) -> None:
        """Keep the account's journal until cancelled.

        Raises:
            StoreError: nothing can be committed any more.
        """
        await self._journal.run()

    async def end(self) -> None:
        """Stop the clock and let go of every desk."""
        await self._metronome.end()
        await asyncio.to_thread(self._chronicle.end)

    def status(self) -> dict[str, Any]:
        """Where the replay stands, who holds it and who listens."""
        replay, metronome = self._replay, self._metronome
        barrier = replay.barrier
        return {
            "time": barrier.time,
            "ended": barrier.ended,
            "world": str(replay.engine.world),
            "symbols": replay.reel.symbols,
            "proxies": replay.reel.proxies,
            "sources": replay.reel.sources,
            "mode": self._mode,
            "timestamps": self._timestamps,
            "loop": replay.place.loop,
            "first": replay.began,
            "bars": barrier.bars,
            "order_events": replay.order_events + self._saboteur.surplus,
            "lockstep": metronome.lockstep,
            "speed": "max" if metronome.speed is None else metronome.speed,
            "paused": metronome.paused,
            "desks": metronome.desks,
            "away": sorted(metronome.away),
            "connections": {"stocks": len(self._publisher.streams), "trades": self._trading.connections},
            "waited_for": self._waited_for(),
        }

    def _waited_for(self) -> list[Any]:
        first = ["a first client"] if self._metronome.waits_for_a_first_client else []
        return first or self._publisher.status()

    def _heard(self) -> bool:
        self._was_heard = self._was_heard or self._publisher.is_heard or self._trading.streams.is_heard
        return self._was_heard

    async def _publish(self, minute: Minute) -> None:
        damage = self._saboteur.minute(minute.bars, minute.mark)
        if damage.cut:
            await self._publisher.drop()
        if damage.cut_orders:
            await self._trading.streams.drop()
        await self._publisher.publish(minute, damage.bars)
        for status in damage.statuses:
            self._publisher.announce(status)
        self._trading.after(minute)

    async def _ended(self) -> None:
        if self._on_end == "close":
            await self._publisher.close()


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted; what a person can mend is one line on stderr and status 2."""
    try:
        run(Options.parse(arguments), lambda ready: print(json.dumps(ready), flush=True))
    except TandemError as error:
        print(f"tandem recycler: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def run(options: Options, announce: Announce) -> None:
    """Replay until interrupted, or until the lifeline ends.

    Args:
        options: what to replay.
        announce: told `port`, `url` and `world` once clients can connect.

    Raises:
        RecyclerError: the port is taken, or a symbol has no bars.
        StoreError: the store is away.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if options.lifeline:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    listener = _listen(options.port)
    try:
        with opened(options, WallClock()) as opening:
            recycler = Recycler(
                opening.replay,
                options,
                Keys.from_environment(),
                _token(options),
                opening.journal,
                opening.facts,
                opening.shelf,
            )
            asyncio.run(
                _serve(recycler, listener, options, lambda ready: announce(ready | {"account": opening.account}))
            )
    finally:
        listener.close()


def _faults(options: Options) -> Iterator[Fault]:
    yield from map(Fault.of, options.faults)
    if options.delay_ms:
        yield Fault(name="delay", seconds=options.delay_ms / 1000, every=1, seed=options.delay_seed)


class _Server(uvicorn.Server):
    """Tells when clients can connect, and when they must go."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[], None], ending: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._started = started
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._ending()
        await super().shutdown(sockets)


async def _serve(recycler: Recycler, listener: socket.socket, options: Options, announce: Announce) -> None:
    certificate = _certificate(options)
    config = uvicorn.Config(
        recycler.app(),
        ws=WebSocketProtocol,
        ws_max_size=LONGEST_MESSAGE,
        ws_per_message_deflate=options.compression,
        ws_ping_interval=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        lifespan="off",
        access_log=False,
        log_config=None,
        ssl_certfile=certificate.file if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    port = listener.getsockname()[1]
    scheme = "wss" if certificate else "ws"
    ready = {"port": port, "url": f"{scheme}://{HOST}:{port}", "world": recycler.status()["world"]}
    ready["proxies"] = dict(recycler.status()["proxies"])
    if certificate:
        ready["certificate"] = str(certificate.file)
    server = _Server(config, lambda: announce(ready), recycler.end)
    tasks = [asyncio.create_task(recycler.play()), asyncio.create_task(recycler.keep())]
    for task in tasks:
        task.add_done_callback(lambda task: _stop_on_bug(server, task))
    await server.serve([listener])
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def _stop_on_bug(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception():
        server.should_exit = True


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so that asyncio sets TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)  # an answer to a ping waits behind no more
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise RecyclerError(
            f"port {port} is taken", "Stop what listens there, or choose another with --port."
        ) from error
    listener.setblocking(False)
    return listener


def _certificate(options: Options) -> Certificate | None:
    if options.tls_cert and options.tls_key:
        return Certificate.given(options.tls_cert, options.tls_key)
    home = Path(os.environ.get("TANDEM_HOME", HOME)).expanduser()
    return Certificate.self_signed(home, WallClock().now()) if options.tls else None


def _token(options: Options) -> str:
    if options.token_file is None:
        return os.environ.get(TOKEN_VARIABLE, "")
    try:
        return options.token_file.read_text().strip()
    except OSError as error:
        raise RecyclerError(f"{options.token_file} cannot be read", "It holds the token of the control API.") from error


def _die_with_parent() -> None:
    while os.read(STANDARD_INPUT, 1):  # not sys.stdin: a thread that waits in its lock breaks the interpreter's exit
        pass
    os._exit(0)


async def _bug(_: Request, error: Exception) -> Response:
    print("".join(traceback.format_exception(error)), file=sys.stderr)
    return reply({"code": 50010000, "message": "internal server error occurred"}, 500)


async def _nothing_here(_: Request, __: Exception | None = None) -> Response:
    return reply({"code": 40410000, "message": "endpoint not found."}, 404)
