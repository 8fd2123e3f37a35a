"""The recycler's one port: market data, trading and control."""

import asyncio
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tandem.market import OrderUpdate, RecyclerError, TandemError
from tandem.matching import Engine, Minute, Replay
from tandem.recycler.control import Control
from tandem.recycler.history import reel_of
from tandem.recycler.keys import Keys
from tandem.recycler.metronome import Metronome
from tandem.recycler.options import Options
from tandem.recycler.outbox import Delay
from tandem.recycler.paper import Paper
from tandem.recycler.stock_stream import StockStream
from tandem.recycler.trade_stream import TradeStream
from tandem.recycler.trading import Trading, reply

HOST: Final = "127.0.0.1"
TOKEN_VARIABLE: Final = "TANDEM_RECYCLER_TOKEN"  # noqa: S105 - a name
KEEP_ALIVE_SECONDS: Final = 3600
STANDARD_INPUT: Final = 0

Announce = Callable[[dict[str, Any]], None]


class Recycler:
    """A replay, its paper account, and everybody connected to them."""

    def __init__(self, replay: Replay, options: Options, keys: Keys, token: str) -> None:
        self._replay = replay
        self._options = options
        self._keys = keys
        self._delay = Delay(options.delay_ms / 1000, options.delay_seed)
        self._paper = Paper(replay)
        self._metronome = Metronome(replay, self._publish, speed=options.speed, lockstep=options.lockstep)
        self._stocks: set[StockStream] = set()
        self._trades: set[TradeStream] = set()
        self._trading = Trading(self._paper, keys, self._tell)
        self._control = Control(self._metronome, token, self.status)

    def app(self) -> Starlette:
        """Everything on one port."""
        return Starlette(
            routes=[
                *self._trading.routes(),
                *self._control.routes(),
                WebSocketRoute("/", self._serve_stocks),
                WebSocketRoute("/v2/{feed}", self._serve_stocks),
                WebSocketRoute("/stream", self._serve_trades),
                WebSocketRoute("/stream/", self._serve_trades),
                Route("/{path:path}", _nothing_here, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
            ],
            exception_handlers={405: _nothing_here, 500: _bug},
        )

    async def play(self) -> None:
        """Move the clock until the reel ends."""
        await self._metronome.run()

    async def end(self) -> None:
        """Stop the clock and let go of every desk."""
        await self._metronome.end()

    def status(self) -> dict[str, Any]:
        """Where the replay stands, who holds it and who listens."""
        barrier = self._replay.barrier
        return {
            "time": barrier.time,
            "ended": barrier.ended,
            "world": str(self._replay.engine.world),
            "symbols": self._replay.reel.symbols,
            "first": self._replay.began,
            "bars": barrier.bars,
            "order_events": self._replay.order_events,
            "lockstep": self._metronome.lockstep,
            "speed": self._metronome.speed,
            "desks": self._metronome.desks,
            "connections": {"stocks": len(self._stocks), "trades": len(self._trades)},
        }

    async def _publish(self, minute: Minute) -> None:
        self._paper.after(minute)
        for stream in list(self._stocks):
            if await stream.outbox.room():
                stream.publish(minute.bars)
            else:
                self._stocks.discard(stream)
                await stream.fail(407)
        self._tell(minute.updates)

    def _tell(self, updates: Sequence[OrderUpdate]) -> None:
        for update in updates:
            message = self._paper.trade_update(update)
            for stream in self._trades:
                stream.publish(message)

    async def _serve_stocks(self, websocket: WebSocket) -> None:
        stream = StockStream(websocket, self._keys, self._delay, self._options.auth_seconds)
        self._stocks.add(stream)
        try:
            await stream.serve()
        finally:
            self._stocks.discard(stream)

    async def _serve_trades(self, websocket: WebSocket) -> None:
        stream = TradeStream(websocket, self._keys, self._delay)
        self._trades.add(stream)
        try:
            await stream.serve()
        finally:
            self._trades.discard(stream)


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
    if options.lifeline:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    listener = _listen(options.port)
    try:
        replay = Replay(reel_of(options), Engine(options.world, options.cash, options.costs))
        recycler = Recycler(replay, options, Keys.from_environment(), _token(options))
        asyncio.run(_serve(recycler, listener, announce))
    finally:
        listener.close()


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


async def _serve(recycler: Recycler, listener: socket.socket, announce: Announce) -> None:
    config = uvicorn.Config(
        recycler.app(),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        lifespan="off",
        access_log=False,
        log_config=None,
    )
    port = listener.getsockname()[1]
    ready = {"port": port, "url": f"ws://{HOST}:{port}", "world": recycler.status()["world"]}
    server = _Server(config, lambda: announce(ready), recycler.end)
    playing = asyncio.create_task(recycler.play())
    playing.add_done_callback(lambda task: _stop_on_bug(server, task))
    await server.serve([listener])
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    if not playing.cancelled() and (bug := playing.exception()):
        raise bug


def _stop_on_bug(server: uvicorn.Server, playing: "asyncio.Task[None]") -> None:
    if not playing.cancelled() and playing.exception():
        server.should_exit = True


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so that asyncio sets TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
