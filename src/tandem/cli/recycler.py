"""`tandem recycler`: the local Alpaca that replays stored bars."""

import os
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from tandem.market import RecyclerError

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.market import World

app = App(name="recycler", help="The local Alpaca that replays stored bars.")


@app.command
def start(
    *,
    symbols: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    start: date | None = None,
    end: date | None = None,
    port: int | None = None,
    speed: float | None = None,
    lockstep: bool = False,
) -> None:
    """Replay stored 1-minute bars until Ctrl-C, with a paper account beside them.

    Parameters
    ----------
    symbols
        Tickers; websocket.recycler.symbols where not given.
    start
        First New York date.
    end
        Last New York date.
    port
        0 for any that is free; the port of websocket.recycler.server_url where not given.
    speed
        1.0 plays one minute of market time a minute; websocket.recycler.replay_speed where not given.
    lockstep
        As fast as it goes, but the clock waits for registered desks.
    """
    from tandem.config import load
    from tandem.recycler import Options, serve

    settings = load()
    recycler = settings.websocket.recycler
    dates = recycler.date_range
    usual = None if recycler.replay_speed == "max" or lockstep else recycler.replay_speed
    chosen = usual if speed is None else speed
    options = Options(
        symbols=tuple(symbols or recycler.symbols),
        start=start or dates.start_date,
        end=end or dates.end_date,
        port=_port(recycler.server_url) if port is None else port,
        cash=recycler.cash,
        world=_new_world(settings),
        costs=settings.costs,
        lockstep=lockstep,
        speed=chosen,
    )
    serve(options, lambda ready: _announce(ready, options.symbols, recycler.replay_mode))


@app.command
def status(*, url: str | None = None) -> None:
    """Where a running recycler stands, and who is connected.

    Parameters
    ----------
    url
        Its address; websocket.recycler.server_url where not given.
    """
    from tandem.config import load

    address = url or load().websocket.recycler.server_url
    for name, value in ask(address).items():
        print(f"{name:<13} {_shown(value)}")


def _new_world(settings: "Settings") -> "World":
    from tandem.market import WorldKind
    from tandem.store import Store

    url = settings.database_url.get_secret_value() if settings.database_url else None
    os.environ["TANDEM_HOME"] = str(settings.home.expanduser())
    if url:
        os.environ["TANDEM_DATABASE_URL"] = url
    with Store.open(settings.home.expanduser(), url) as store:
        return store.new_world(WorldKind.RECYCLER, "tandem recycler start")


def _port(url: str) -> int:
    from urllib.parse import urlsplit

    return urlsplit(url).port or 80


def _announce(ready: dict[str, Any], symbols: tuple[str, ...], mode: str) -> None:
    port = ready["port"]
    print(f"{ready['world']} replays {', '.join(symbols)}. Ctrl-C ends it.")
    print(f"bars     ws://localhost:{port}/v2/iex")
    print(f"trading  http://localhost:{port} and ws://localhost:{port}/stream, any keys", flush=True)
    if mode == "loop":
        print("It plays once and then holds still: replay_mode loop is not built yet.")


def ask(url: str, seconds: float = 10.0) -> dict[str, Any]:
    """What a running recycler says of itself.

    Args:
        url: its address.
        seconds: how long it may take to answer.

    Raises:
        RecyclerError: none answers there, or the token is wrong.
    """
    import requests

    base = "http://" + url.partition("://")[2].partition("/")[0]
    token = os.environ.get("TANDEM_RECYCLER_TOKEN", "")
    try:
        answer = requests.get(f"{base}/control/status", headers={"Authorization": f"Bearer {token}"}, timeout=seconds)
        said: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise RecyclerError(f"no recycler answers at {base}", "Start one: `tandem recycler start`.") from error
    if not answer.ok:
        raise RecyclerError(f"the recycler at {base} refuses: {said.get('message')}", "Set TANDEM_RECYCLER_TOKEN.")
    return said


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {held}" for name, held in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
