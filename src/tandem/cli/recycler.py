"""`tandem recycler`: the local Alpaca that replays stored bars."""

import os
import sys
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from tandem.cli.control import answer, ask, order
from tandem.market import RecyclerError

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.execution import RollCall
    from tandem.recycler import Options

Lengths = Literal["1Min", "5Min", "15Min", "30Min", "1Hour", "1Day"]
Mode = Literal["loop", "date_range", "single_pass", "shuffle_days", "splice"]


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """A running recycler's address; websocket.recycler.server_url where not given.

    Parameters
    ----------
    url
        Its address, such as ws://localhost:8765.
    port
        Its port on this machine, instead.
    """

    url: str | None = None
    port: int | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        if self.url is not None:
            return self.url
        if self.port is not None:
            return f"ws://localhost:{self.port}"
        from tandem.config import load

        return load().websocket.recycler.server_url


HERE: Final = Where()

app = App(name="recycler", help="The local Alpaca that replays stored bars.")
faults = App(name="faults", help="What goes wrong on purpose.")
app.command(faults)


@app.command
def start(
    *,
    port: int | None = None,
    mode: Mode | None = None,
    speed: str | None = None,
    timestamps: Literal["current", "original"] | None = None,
    symbols: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    start: date | None = None,
    end: date | None = None,
    cash: Decimal | None = None,
    lockstep: bool | None = None,
    loop_count: int | None = None,
    splice: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    shuffle_seed: int | None = None,
    proxies: str | None = None,
    timeframe: Lengths | None = None,
    allow_simulated: bool | None = None,
    on_end: Literal["hold", "close"] | None = None,
    derive_ticks: bool | None = None,
    fills: Literal["next_bar", "alpaca"] | None = None,
    fills_seed: int | None = None,
    symbol_limit: int | None = None,
    connection_limit: int | None = None,
    rate_limit: int | None = None,
    tls: bool | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    compression: bool | None = None,
) -> None:
    """Replay stored bars until Ctrl-C, with a paper account beside them. What is not given is as in the configuration.

    Parameters
    ----------
    port
        0 for any that is free.
    mode
        loop, date_range, single_pass, shuffle_days or splice.
    speed
        1 plays a minute of market time a minute, 60 one a second; max: as fast as clients take it.
    timestamps
        current: the first bar is now; original: the times of the stored bars, as with --lockstep.
    symbols
        Tickers.
    start
        First New York date.
    end
        Last New York date.
    cash
        Dollars in a new paper account; one that goes on keeps its own.
    lockstep
        As fast as it goes, but the clock waits for registered desks such as `tandem trade`.
    loop_count
        How often the days are played; -1 without end.
    splice
        New York dates in any order, for mode splice.
    shuffle_seed
        Of mode shuffle_days.
    proxies
        Whose bars a symbol plays that has none: PDFS=AAPL,ROG=AAPL.
    timeframe
        Length of the bars, such as 1Min.
    allow_simulated
        Play bars that are not real.
    on_end
        At the end of the reel: hold connections, or close them.
    derive_ticks
        Make trades and quotes out of bars.
    fills
        next_bar, or as Alpaca's paper account.
    fills_seed
        Of the latter's partial fills.
    symbol_limit
        Symbols of trades and quotes that a client may ask for.
    connection_limit
        Streams of bars that may be open at once.
    rate_limit
        REST requests a minute.
    tls
        Speak TLS with a certificate made on demand.
    tls_cert
        PEM file.
    tls_key
        PEM file.
    compression
        Compress messages for clients that offer it.
    """
    told = {name: value for name, value in locals().items() if value is not None}
    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.recycler import Options, serve, standing_world

    settings = load()
    recycler = settings.websocket.recycler
    options = Options.from_settings(recycler, settings.costs, **_overrides(told))
    if options.mode == "date_range" and not (options.start or options.end):
        raise RecyclerError("mode date_range has no dates", "Give --start, --end or both.")
    _name_store(settings)
    with open_store() as store:
        known = store.newest_paper()
        world = standing_world(store, options.cash)
        if cash is None:
            options = replace(options, cash=store.paper(world).starting_cash or options.cash)

        def announce(ready: dict[str, Any]) -> None:
            if ready.get("account"):
                print(ready["account"])
            elif cash is not None and known is not None:
                print(f"{ready['world']} keeps its account; `tandem recycler reset --cash {cash}` starts a new one.")
            _announce(ready, options)

        serve(replace(options, world=world, durable=True), announce)


@app.command
def status(*, where: Where = HERE, json: bool = False) -> None:
    """Where a running recycler stands, and who is connected.

    Parameters
    ----------
    json
        Print JSON.
    """
    _show(ask(where.address), json)


@app.command
def pause(*, where: Where = HERE) -> None:
    """Let the clock stand."""
    _tell(order(where.address, "pause"))


@app.command
def resume(*, where: Where = HERE) -> None:
    """Let the clock go on."""
    _tell(order(where.address, "resume"))


@app.command
def step(count: Annotated[int, Parameter(validator=Number(gte=1))] = 1, /, *, where: Where = HERE) -> None:
    """Let the clock stand, then play one minute, or several.

    Parameters
    ----------
    count
        How many.
    """
    _tell(order(where.address, "step", {"count": count}))


@app.command
def seek(to: str, /, *, where: Where = HERE) -> None:
    """Put the clock at a date of the stored bars, or at a moment of replay time such as 2023-01-05T10:30.

    Parameters
    ----------
    to
        A moment without a zone is New York time; with timestamps `current` a date is the next time that day is played.
    """
    address = where.address
    stored = _is_date(to) and ask(address)["timestamps"] == "current"
    _tell(order(address, "seek", {"day" if stored else "to": to}))


@app.command
def speed(factor: str, /, *, where: Where = HERE) -> None:
    """Change the speed.

    Parameters
    ----------
    factor
        Minutes of market time per minute, or max.
    """
    given = _factor(factor)
    if given is not None and not given > 0:
        raise RecyclerError(f"a speed of {given:g} goes nowhere", "Give one above 0, or max; `pause` lets it stand.")
    _tell(order(where.address, "speed", {"speed": "max" if given is None else given}))


@faults.default
def list_faults(*, where: Where = HERE) -> None:
    """What goes wrong on purpose now, and how often it did."""
    _show_faults(answer("GET", where.address, "faults"))


@faults.command
def add(
    name: str,
    /,
    *,
    symbol: str | None = None,
    at: str | None = None,
    until: str | None = None,
    every: int | None = None,
    count: int | None = None,
    seconds: float | None = None,
    chance: float | None = None,
    seed: int | None = None,
    where: Where = HERE,
) -> None:
    """Let something go wrong.

    Parameters
    ----------
    name
        Which fault; docs/recycler.md lists them.
    symbol
        Only this one.
    at
        New York time, such as 10:30.
    until
        New York time.
    every
        Every how many occasions.
    count
        How often at most.
    seconds
        How long.
    chance
        0 to 1, per occasion.
    seed
        The same seed goes wrong alike.
    """
    told = {name: value for name, value in locals().items() if value is not None and name != "where"}
    _show_faults(answer("POST", where.address, "faults", told))


@faults.command
def clear(number: int | None = None, /, *, where: Where = HERE) -> None:
    """Let nothing go wrong any more, or no longer the fault of this number.

    Parameters
    ----------
    number
        As listed; every fault where not given.
    """
    answer("DELETE", where.address, "faults" if number is None else f"faults/{number}")
    print("No fault is in force." if number is None else f"Fault {number} is no longer in force.")


@app.command
def scenario(
    name: str | None = None, /, *, symbol: str | None = None, seed: int | None = None, where: Where = HERE
) -> None:
    """Play a bad day with a name; without one, list those there are.

    Parameters
    ----------
    name
        Such as bad-monday.
    symbol
        Whom it concerns, where it concerns one; the first on the reel where not given.
    seed
        Another seed goes wrong otherwise.
    """
    if name is None:
        for known in answer("GET", where.address, "scenarios"):
            print(f"{known['name']}: {known['meaning']}\n  A client should {known['client']}.")
        return
    asked = {key: value for key, value in (("symbol", symbol), ("seed", seed)) if value is not None}
    _show_faults(answer("POST", where.address, f"scenarios/{name}", asked))


@app.command
def reset(*, cash: Decimal | None = None) -> None:
    """Start a new paper account; the next start of the recycler uses it. The old one stays on record.

    Parameters
    ----------
    cash
        Dollars; websocket.recycler.cash where not given.
    """
    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.recycler import new_account

    dollars = load().websocket.recycler.cash if cash is None else cash
    if not (dollars.is_finite() and dollars > 0):
        raise RecyclerError(f"an account with {dollars} dollars", "Give an amount above 0.")
    with open_store() as store:
        world = new_account(store, dollars)
    print(f"{world}: a new account with ${dollars:,}; the next `tandem recycler start` uses it.")


@app.command
def check(*, minutes: Annotated[int, Parameter(validator=Number(gte=1))] = 3, where: Where = HERE) -> int:
    """Connect as a client; see that every symbol arrives, in step and at the speed that is set. 1 where not.

    Parameters
    ----------
    minutes
        Of market time to listen for.
    """
    from tandem.cli.stream import recycler_at
    from tandem.config import load
    from tandem.execution import call_roll

    settings = load()
    address = where.address
    now = ask(address)
    wanted = list(
        dict.fromkeys([*settings.websocket.recycler.symbols, *now["symbols"]] if where == HERE else now["symbols"])
    )
    if refusal := _not_playing(now):
        print(refusal)
        return 1
    print(f"{now['world']} at {now['speed']}x: listening for {minutes} minutes of market time.", flush=True)
    call = call_roll(recycler_at(settings, address), wanted, minutes, now["speed"])
    _show_call(call, now)
    return 0 if call.passed else 1


def _not_playing(now: dict[str, Any]) -> str:
    if now.get("ended"):
        return "The reel has ended: nothing arrives any more."
    if now.get("paused"):
        return "The clock stands: `tandem recycler resume` lets it go on."
    if now.get("lockstep") and not now.get("desks"):
        return "The clock waits for a desk such as `tandem trade`: nothing arrives."
    return ""


def _show_call(call: "RollCall", now: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    proxies = now.get("proxies") or {}
    table = Table("symbol", "plays", "bars", "first", "last", "behind", "", title="Roll call")
    for found in call.answers:
        plays = proxies.get(found.symbol, found.symbol) if found.symbol in now["symbols"] else ""
        times = [f"{start:%Y-%m-%d %H:%M}" if start else "" for start in (found.first, found.last)]
        verdict = f"❌ {found.why}" if found.why else "✅"
        table.add_row(found.symbol, plays, str(found.bars), *times, f"{found.late:.3f} s", verdict)
    Console().print(table)
    played = f", played at {call.speed:.4g}x" if call.speed is not None else ""
    print(
        f"{call.marks} minutes of market time{played}: {'as it should be' if call.passed else call.why or 'see above'}."
    )


def _overrides(told: dict[str, Any]) -> dict[str, Any]:
    """Options as the command line words them."""
    from tandem.market import Timeframe

    if "symbols" in told:
        told["symbols"] = tuple(name.upper() for name in _words(told["symbols"]))
    if "timeframe" in told:
        told["timeframe"] = Timeframe(told["timeframe"])
    if "speed" in told:
        told["speed"] = _factor(told["speed"])
    if "splice" in told:
        told = {"mode": "splice"} | told | {"splice": tuple(map(_day, _words(told["splice"])))}
    if "proxies" in told:
        told["proxies"] = _proxies(told["proxies"])
    if told.get("lockstep"):
        told = {"timestamps": "original", "speed": None} | told
    return told


def _words(given: list[str]) -> list[str]:
    return [word for text in given for word in text.replace(",", " ").split()]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RecyclerError(f"{text} is no date", "Write --splice 2023-01-05,2023-01-03.") from None


def _factor(text: str) -> float | None:
    """A speed; None for max."""
    try:
        factor = None if text.lower() == "max" else float(text.lower().removesuffix("x"))
    except ValueError:
        factor = inf
    if factor is not None and not isfinite(factor):
        raise RecyclerError(f"{text} is no speed", "Give a number such as 60, or max.")
    return factor


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _proxies(text: str) -> dict[str, str]:
    pairs = [pair.strip().upper().partition("=") for pair in text.split(",") if pair.strip()]
    if not all(symbol and other for symbol, _, other in pairs):
        raise RecyclerError(f"--proxies {text} is not SYMBOL=PROXY", "Write --proxies PDFS=AAPL,ROG=AAPL.")
    return {symbol: other for symbol, _, other in pairs}


def _name_store(settings: "Settings") -> None:
    """The recycler finds its store where this command has found it."""
    os.environ["TANDEM_HOME"] = str(settings.home.expanduser())
    if settings.database_url:
        os.environ["TANDEM_DATABASE_URL"] = settings.database_url.get_secret_value()


def _announce(ready: dict[str, Any], options: "Options") -> None:
    http = ready["url"].replace("ws", "http", 1)
    pace = (
        "in lockstep"
        if options.lockstep
        else "as fast as clients take it"
        if options.speed is None
        else f"{options.speed:g}x"
    )
    print(f"{ready['world']} replays {', '.join(options.symbols)}: {options.mode}, {pace}. Ctrl-C ends it.")
    print(f"bars     {ready['url']}/v2/iex")
    print(f"trading  {http} and {ready['url']}/stream, {_keys()}")
    for line in [*_certificate(ready), *_proxied(ready), *_elsewhere(ready)]:
        print(line)
    sys.stdout.flush()


def _keys() -> str:
    return "its keys" if os.environ.get("TANDEM_RECYCLER_KEY_ID") else "any keys"


def _certificate(ready: dict[str, Any]) -> list[str]:
    return [f"trust    {ready['certificate']}"] if "certificate" in ready else []


def _proxied(ready: dict[str, Any]) -> list[str]:
    """Who plays whose bars, as one sentence per lender."""
    borrowers: dict[str, list[str]] = {}
    for symbol, lender in (ready.get("proxies") or {}).items():
        borrowers.setdefault(lender, []).append(symbol)
    return [
        f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} "
        f"{'plays' if len(names) == 1 else 'play'} {lender}'s bars"
        for lender, names in borrowers.items()
    ]


def _elsewhere(ready: dict[str, Any]) -> list[str]:
    """What other commands have to be told to reach it."""
    from urllib.parse import urlsplit

    address = urlsplit(Where().address)
    secure = address.scheme == "wss"
    if address.port == ready["port"] and secure == ready["url"].startswith("wss"):
        return []
    given = f"--url {ready['url']}" if ready["url"].startswith("wss") else f"--port {ready['port']}"
    return [f"reach it with `tandem recycler status {given}`, and the other commands likewise"]


def _tell(said: dict[str, Any]) -> None:
    """Where the clock stands, and what it does."""
    from datetime import datetime

    from tandem.market import NEW_YORK

    local = datetime.fromisoformat(said["time"]).astimezone(NEW_YORK)
    pace = "max" if said["speed"] == "max" else f"{said['speed']:g}x"
    doing = "ended" if said.get("ended") else "paused" if said.get("paused") else "playing"
    print(f"time   {said['time']} ({local:%a %H:%M} New York)")
    print(f"state  {doing}, {'in lockstep' if said.get('lockstep') else pace}")


def _show(said: dict[str, Any], json: bool = False) -> None:
    if json:
        import json as form

        print(form.dumps(said, indent=2))
        return
    for name, value in said.items():
        print(f"{name:<13} {_shown(value)}")


def _show_faults(faults: list[dict[str, Any]]) -> None:
    if not faults:
        print("No fault is in force.")
    for fault in faults:
        print("  ".join(f"{name} {_shown(value)}" for name, value in fault.items() if value not in (None, "")))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(held)}" for name, held in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
