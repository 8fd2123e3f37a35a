"""What a recycler replays and how."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args
from urllib.parse import urlsplit

import msgspec

from tandem.config import CostSettings, FaultSettings, RecyclerSettings, load
from tandem.market import RecyclerError, Timeframe, World, WorldKind

SLOWEST: Final = 1e-6
FASTEST: Final = 1e9
PORT: Final = 8765
WORLD: Final = World(WorldKind.RECYCLER, 1)
COSTS: Final = CostSettings()

Mode = Literal["loop", "date_range", "single_pass", "shuffle_days", "splice"]


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that the process is told; what is left out is what a desk in lockstep needs.

    Attributes:
        symbols: what to replay.
        start, end: New York dates, both included; None for the first or last there is.
        mode: which days, in which order.
        loop_count: how often the days are played by the modes that repeat; -1 without end.
        splice: the dates that mode `splice` plays, in their order.
        shuffle_seed: of mode `shuffle_days`.
        timestamps: `original` times of the bars, or `current`: the first bar is now.
        timeframe: length of the bars.
        proxies: symbol to the symbol whose bars it plays where it has none of its own.
        any_proxy: a symbol with neither bars nor a proxy plays those of the first symbol that has some.
        allow_simulated: play bars that are not real.
        on_end: what happens to clients at the end of the reel.
        derive_ticks: trades and quotes are made up from bars.
        port: 0 takes any that is free.
        cash: dollars in a new paper account.
        world: the timeline of account and fills.
        durable: account, orders and place live in the store and outlive the process.
        costs: what trading costs.
        fills: how orders fill: against the next bar, or as Alpaca's paper accounts do.
        fills_seed: of the latter.
        bars: a Parquet file with a bars frame instead of the store.
        lockstep: the clock stands while no desk is registered.
        speed: minutes of market time per minute; None for as fast as it goes.
        symbol_limit: symbols of trades and quotes that one client may ask for.
        connection_limit: market-data connections at a time.
        rate_limit: REST requests a minute.
        faults: what goes wrong on purpose.
        tls: speak TLS with a certificate made on demand.
        tls_cert, tls_key: speak TLS with these PEM files.
        compression: websocket messages are compressed for clients that offer it.
        lifeline: end when standard input ends.
        token_file: holds the token of the control API; TANDEM_RECYCLER_TOKEN otherwise.
        delay_ms, delay_seed: every websocket message is late by a random time up to this.
        auth_seconds: how long a client may take to authenticate.

    Raises:
        RecyclerError: no symbols, or a speed, amount, delay, count or date that makes no sense.
    """

    symbols: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    mode: Mode = "single_pass"
    loop_count: int = -1
    splice: tuple[date, ...] = ()
    shuffle_seed: int = 7
    timestamps: Literal["current", "original"] = "original"
    timeframe: Timeframe = Timeframe.MIN_1
    proxies: Mapping[str, str] = field(default_factory=dict)
    any_proxy: bool = False
    allow_simulated: bool = False
    on_end: Literal["hold", "close"] = "hold"
    derive_ticks: bool = False
    port: int = PORT
    cash: Decimal = Decimal(100_000)
    world: World = WORLD
    durable: bool = False
    costs: CostSettings = COSTS
    fills: Literal["next_bar", "alpaca"] = "next_bar"
    fills_seed: int = 7
    bars: Path | None = None
    lockstep: bool = False
    speed: float | None = None
    symbol_limit: int | None = None
    connection_limit: int | None = None
    rate_limit: int | None = None
    faults: tuple[FaultSettings, ...] = ()
    tls: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    compression: bool = True
    lifeline: bool = False
    token_file: Path | None = None
    delay_ms: float = 0.0
    delay_seed: int = 0
    auth_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.speed is not None and not SLOWEST <= self.speed <= FASTEST:
            raise RecyclerError(f"a speed of {self.speed:g} goes nowhere", f"Give one from {SLOWEST:g} to {FASTEST:g}.")
        if not self.symbols or self.cash <= 0 or self.delay_ms < 0:
            raise RecyclerError("a recycler needs symbols, cash above 0 and a delay that is not negative")
        if not 0 <= self.port <= 65_535:
            raise RecyclerError(f"there is no port {self.port}", "Ports go from 0, for any that is free, to 65535.")
        if self.loop_count < -1:
            raise RecyclerError(f"a loop count of {self.loop_count} means nothing", "-1 repeats without end.")
        if self.mode == "splice" and not self.splice:
            raise RecyclerError("there are no dates to splice", "Give --splice 2023-01-05,2023-01-03.")
        if self.start and self.end and self.end < self.start:
            raise RecyclerError(f"the last day, {self.end}, is before the first, {self.start}")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise RecyclerError("TLS needs both a certificate and its key", "Give --tls-cert and --tls-key, or --tls.")

    @classmethod
    def from_settings(cls, recycler: RecyclerSettings, costs: CostSettings, **overrides: Any) -> Self:
        """The options that the configuration means, except where `overrides` say otherwise.

        Args:
            overrides: options by name.
        """
        lockstep = recycler.replay == "lockstep"
        meant = {
            "symbols": tuple(recycler.symbols),
            "start": recycler.date_range.start_date,
            "end": recycler.date_range.end_date,
            "mode": recycler.replay_mode,
            "splice": tuple(recycler.splice_dates),
            "port": urlsplit(recycler.server_url).port or 80,
            "lockstep": lockstep,
            "speed": None if recycler.replay_speed == "max" or lockstep else recycler.replay_speed,
            "any_proxy": True,
            "costs": costs,
            "faults": tuple(recycler.faults),
        }
        same = {one.name for one in fields(cls)} & set(RecyclerSettings.model_fields) - set(meant)
        return cls(**{name: getattr(recycler, name) for name in same} | meant | overrides)

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """The options that command-line arguments mean; without symbols, those of the configuration otherwise."""
        given = {name: value for name, value in vars(_parser().parse_args(arguments)).items() if value is not None}
        if "symbols" in given:
            return cls(**given)
        settings = load()
        return cls.from_settings(settings.websocket.recycler, settings.costs, **given)

    def arguments(self) -> list[str]:
        """The command-line arguments that mean these options."""
        given = [(one.name, getattr(self, one.name), _usual(one)) for one in fields(self)]
        return [word for name, value, usual in given if value != usual for word in _words(name, value)]


def world_of(text: str) -> World:
    """The world that `recycler-3` or `recycler-3-1` names.

    Raises:
        RecyclerError: it names none.
    """
    kind, *numbers = text.split("-")
    try:
        return World(WorldKind(kind), *map(int, numbers))
    except (TypeError, ValueError) as error:
        raise RecyclerError(f"{text} names no world", "A world looks like recycler-3 or recycler-3-1.") from error


def _usual(one: "Field[Any]") -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _words(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if value is False:
        return [f"--no-{name.replace('_', '-')}"]
    return [f"{flag}={_text(value)}"]


def _text(value: Any) -> str:
    if isinstance(value, CostSettings):
        return value.model_dump_json()
    if isinstance(value, Mapping):
        return ",".join(f"{symbol}={other}" for symbol, other in value.items())
    if isinstance(value, tuple) and value and isinstance(value[0], FaultSettings):
        return msgspec.json.encode([fault.model_dump(mode="json") for fault in value]).decode()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tandem.recycler", description="A local Alpaca that replays stored bars."
    )
    add = parser.add_argument
    add("--symbols", type=_list_of(str), help="A,B,C; without them, all as in the configuration")
    add("--start", type=date.fromisoformat, help="first New York date")
    add("--end", type=date.fromisoformat, help="last New York date")
    add("--mode", choices=get_args(Mode), help="which days, in which order")
    add("--loop-count", type=int, help="how often the days are played; -1 without end")
    add("--splice", type=_list_of(date.fromisoformat), help="New York dates in any order, for mode splice")
    add("--shuffle-seed", type=int, help="the same seed plays the same days")
    add("--timestamps", choices=("current", "original"), help="current: the first bar is now")
    add("--timeframe", type=Timeframe, help="length of the bars, such as 1Min")
    add("--proxies", type=_proxies, help="PDFS=AAPL,ROG=AAPL")
    add(
        "--any-proxy",
        action="store_true",
        default=None,
        help="symbols without bars play those of the first that has some",
    )
    add("--allow-simulated", action="store_true", default=None, help="play bars that are not real")
    add("--on-end", choices=("hold", "close"), help="what becomes of connections at the end")
    add("--derive-ticks", action="store_true", default=None, help="make up trades and quotes from bars")
    add("--port", type=int, help="0 for any")
    add("--cash", type=_dollars, help="dollars in the paper account")
    add("--world", type=world_of, help="such as recycler-3")
    add(
        "--durable",
        action="store_true",
        default=None,
        help="go on with the world's account and place, and keep them in the store",
    )
    add("--costs", type=CostSettings.model_validate_json, help="the costs block, as JSON")
    add("--fills", choices=("next_bar", "alpaca"), help="how orders fill")
    add("--fills-seed", type=int, help="the same seed fills alike")
    add("--bars", type=Path, help="a Parquet file of bars instead of the store")
    add("--lockstep", action="store_true", default=None, help="the clock waits for desks")
    add("--speed", type=float, help="minutes of market time per minute; without it, as fast as it goes")
    add("--symbol-limit", type=int, help="symbols of trades and quotes that a client may ask for")
    add("--connection-limit", type=int, help="market-data connections at a time")
    add("--rate-limit", type=int, help="REST requests a minute")
    add("--faults", type=_faults, help="the faults block, as JSON")
    add("--tls", action="store_true", default=None, help="speak TLS with a certificate made on demand")
    add("--tls-cert", type=Path, help="PEM file")
    add("--tls-key", type=Path, help="PEM file")
    add(
        "--no-compression",
        dest="compression",
        action="store_false",
        default=None,
        help="never compress websocket messages",
    )
    add("--lifeline", action="store_true", default=None, help="end when standard input ends")
    add("--token-file", type=Path, help="holds the token of the control API")
    add("--delay-ms", type=float, help="send every websocket message up to this late")
    add("--delay-seed", type=int, help="the same seed gives the same delays")
    add("--auth-seconds", type=float, help="how long a client may take to authenticate")
    return parser


def _list_of(one: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        return tuple(map(one, filter(None, text.split(","))))

    return read


def _proxies(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in filter(None, text.split(","))]
    if not all(symbol and other for symbol, _, other in pairs):
        raise argparse.ArgumentTypeError(f"{text} is not SYMBOL=PROXY,...")
    return {symbol: other for symbol, _, other in pairs}


def _faults(text: str) -> tuple[FaultSettings, ...]:
    return tuple(map(FaultSettings.model_validate, msgspec.json.decode(text)))


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text} is not an amount") from error
