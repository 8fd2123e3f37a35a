"""`tandem up`: the desk that runs by itself; `tandem status` and `tandem down`."""

import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter, validators

from tandem.market import ConfigError, DataError, TandemError

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from tandem.config import Settings
    from tandem.market import World
    from tandem.operations import DeskProcesses, Replay, Roster
    from tandem.store import Store

Days = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Switch = Annotated[bool, Parameter(negative=())]
DAYS: Final = 5
SPEED: Final = "1200"
TOKEN: Final = "TANDEM_RECYCLER_TOKEN"  # noqa: S105 - a name
SECONDS_TO_END: Final = 120.0
LOOK_SECONDS: Final = 0.2
NOT_WELL: Final = 1


def up(
    *,
    recycled: Switch = False,
    days: Days = DAYS,
    speed: str = SPEED,
    fresh: Switch = False,
    until_end: Switch = False,
    world: str = "",
) -> None:
    """Run the desk unattended until Ctrl-C: PostgreSQL, Prefect, MLflow, flows, session, alerts and the web page.

    What dies is started again. With --recycled the desk lives through stored days at a recycler, a day in about a
    minute; where no bars are stored it takes those that ship with Tandem.

    Parameters
    ----------
    recycled
        Play stored days instead of trading at Alpaca.
    days
        With --recycled: how many, the newest there are.
    speed
        With --recycled: minutes of market time per minute, or max.
    fresh
        With --recycled: start with a new paper account instead of going on with the last one.
    until_end
        With --recycled: end when the last of these days is over.
    world
        Which account and timeline, such as paper-3; without it the one that `tandem trade` would use.
    """
    from rich.console import Console

    from tandem.cli.opening import open_store, world_to_trade
    from tandem.config import load
    from tandem.operations import DeskProcesses, keep_up, must_be_alone

    settings, console, stop = load(), Console(highlight=False), Event()
    _check_options(recycled, world, speed, usual=(days, speed, fresh, until_end) == (DAYS, SPEED, False, False))
    must_be_alone(settings.home)
    if not recycled:
        _check(settings)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    opened: list[str] = []
    with open_store() as store:
        known, said = store.worlds(), _teller(console)
        if recycled:
            desk = _recycled_desk(console, store, days, speed, fresh=fresh, until_end=until_end)
        else:
            desk = DeskProcesses(settings, {}, world=world_to_trade(store, settings, world))

        def ready(roster: "Roster") -> None:
            opened.append(roster.world)
            said(which_world(store, roster.world, known))
            _show(console, roster)

        keep_up(store, desk, stop, said, ready)
    with suppress(OSError):
        console.print("The desk is down.")
        if desk.replay and opened and not stop.is_set():
            console.print(where_to_look(opened[0], desk.replay.first, desk.settings.dashboard.port), soft_wrap=True)


def which_world(store: "Store", name: str, known: "Sequence[World]") -> str:
    """Whether an account goes on or begins; a new one says what stood in the one before and does not count in it.

    Args:
        name: of the world that is up.
        known: the worlds that there were before, oldest first.
    """
    from tandem.desk import world_named
    from tandem.risk import Standing, Switch, in_force

    if name in map(str, known):
        return f"{name}: this account goes on"
    alike = [each for each in known if each.kind is world_named(store, name).kind]
    if not alike:
        return f"{name}: a new account, the first of its kind"
    last = in_force(record.body for record in store.facts(alike[-1]).read(Switch))
    if last.standing is Standing.ARMED:
        return f"{name}: a new account, after {alike[-1]}"
    return f"{name}: a new account; {alike[-1]} stands {last.standing} ({last.why}), which does not count here"


def where_to_look(world: str, first: "date", port: int) -> str:
    """The next commands after a replay whose last day is over."""
    return (
        f"What came of it:  tandem report {world}, or a week of it: tandem report {world} --week {first}\n"
        f"Pairs and models: tandem history pairs --world {world}, tandem history models --world {world}\n"
        f"The page again:   tandem dashboard --world {world}, then http://127.0.0.1:{port}"
    )


def status(*, json: Switch = False) -> int:
    """What `tandem up` runs, and how it fares; 1 where something is not well.

    Parameters
    ----------
    json
        Print JSON.
    """
    import msgspec
    from rich.console import Console

    from tandem.config import load
    from tandem.operations import roster_of

    roster = roster_of(load().home)
    if json:
        print(msgspec.json.format(msgspec.json.encode(roster)).decode())
    elif roster is None:
        print("The desk is not up; `tandem up` starts it.")
    elif not roster.is_alive:
        left = ", ".join(entry.name for entry in roster.entries if entry.is_alive)
        print(f"`tandem up` was killed and nobody watches. Still there: {left or 'nothing'}; `tandem down` ends it.")
    else:
        _show(Console(highlight=False), roster)
    well = roster is not None and roster.is_alive and all(entry.state in ("well", "over") for entry in roster.entries)
    return 0 if well else NOT_WELL


def down() -> None:
    """End what `tandem up` runs, also what is left of one that was killed."""
    from tandem.config import load
    from tandem.market import Stopwatch
    from tandem.operations import end_leftovers, roster_of

    home, watch = load().home, Stopwatch()
    roster = roster_of(home)
    if roster is None:
        print("The desk is not up.")
        return
    if roster.is_alive:
        os.kill(roster.supervisor[0], signal.SIGTERM)
        while roster.is_alive:
            if watch.seconds > SECONDS_TO_END:
                raise TandemError(f"process {roster.supervisor[0]} does not end", "See its children's words in up/")
            Event().wait(LOOK_SECONDS)
    left = end_leftovers(home)
    print("The desk is down." + (f" What was left of it has ended: {', '.join(left)}." if left else ""))


def _check_options(recycled: bool, world: str, speed: str, *, usual: bool) -> None:
    if recycled and world:
        raise ConfigError("--world and --recycled contradict each other", "A recycler plays to an account of its own")
    if not (recycled or usual):
        raise ConfigError("--days, --speed, --fresh and --until-end are of a replay", "Give --recycled too")
    try:
        is_speed = speed == "max" or float(speed) > 0
    except ValueError:
        is_speed = False
    if not is_speed:
        raise ConfigError(f"{speed} is no speed", "Give a number such as 60, or max")


def _check(settings: "Settings") -> None:
    if settings.websocket.mode == "recycler":
        raise ConfigError(
            "websocket.mode is recycler, whose days are stored ones",
            "Run `tandem up --recycled`, or set it to alpaca, which needs keys: `tandem init` asks for them",
        )
    if not settings.alpaca.paper:
        raise ConfigError("real money is not traded unattended", "Set alpaca.paper to true")
    settings.alpaca.keys()


def _recycled_desk(
    console: "Console", store: "Store", days: int, speed: str, *, fresh: bool, until_end: bool
) -> "DeskProcesses":
    from tandem.config import load
    from tandem.operations import DeskProcesses

    replay, environment = _replay(console, store, days, speed)
    os.environ.update(environment)
    settings = load()
    if fresh:
        _new_account(store, settings)
    return DeskProcesses(settings, environment, replay=replay, until_end=until_end)


def _replay(console: "Console", store: "Store", days: int, speed: str) -> "tuple[Replay, Mapping[str, str]]":
    """The newest stored days, and what every process is told of them by its environment."""
    from tandem.config import load
    from tandem.market import NEW_YORK, Calendar, Timeframe
    from tandem.operations import Replay
    from tandem.sources import samples

    spans = store.bars.spans()
    if spans[spans["timeframe"] == str(Timeframe.MIN_1)].empty:
        samples.load(store)
        console.print("No 1-minute bars are stored: those that ship with Tandem are loaded, January 2023.")
        spans = store.bars.spans()
    minutes = spans[spans["timeframe"] == str(Timeframe.MIN_1)]
    first, last = (minutes[name].dt.tz_convert(NEW_YORK).dt.date for name in ("first", "last"))
    sessions = Calendar().sessions(first.min(), last.max())
    if len(sessions) <= days:
        raise DataError(f"1-minute bars of {len(sessions)} sessions are stored", "Give fewer --days, or load more")
    settings = load()
    less = _less(console, settings, len(sessions) - days)
    environment = {
        TOKEN: os.environ.get(TOKEN) or secrets.token_urlsafe(24),
        "TANDEM_WEBSOCKET__MODE": "recycler",
        **less,
    }
    return Replay(sessions[-days].day, sessions[-1].day, speed), environment


def _less(console: "Console", settings: "Settings", before: int) -> dict[str, str]:
    """Settings that a short history allows, as variables; those that a person has set stay."""
    from tandem.cli.shipped import LESS
    from tandem.config import Settings
    from tandem.desk import sessions_needed

    if sessions_needed(settings) <= before:
        return {}
    usual, said = Settings(), dict[str, Any]()
    for block, keys in LESS.items():
        for key, value in keys.items():
            if getattr(getattr(settings, block), key) == getattr(getattr(usual, block), key):
                said[f"{block}.{key}"] = value
    told = ", ".join(f"{key} {value}" for key, value in said.items())
    console.print(f"{before} stored sessions before the first are few, so: {told}.", soft_wrap=True)
    return {f"TANDEM_{key.upper().replace('.', '__')}": str(value) for key, value in said.items()}


def _new_account(store: "Store", settings: "Settings") -> None:
    from tandem.recycler import new_account

    new_account(store, settings.websocket.recycler.cash)


def _teller(console: "Console") -> "Any":
    from tandem.market import NEW_YORK, WallClock

    def say(line: str) -> None:
        # The terminal may be gone, and the desk goes on, or ends in order.
        with suppress(OSError):
            console.print(f"{WallClock().now().astimezone(NEW_YORK):%H:%M:%S} {line}", soft_wrap=True)

    return say


def _show(console: "Console", roster: "Roster") -> None:
    from rich.table import Table

    from tandem.market import NEW_YORK

    table = Table("process", "is", "since", "restarts", "address", title=f"The desk of {roster.world}")
    for entry in roster.entries:
        since = f"{entry.since.astimezone(NEW_YORK):%H:%M:%S}"
        table.add_row(entry.name, entry.state, since, str(entry.restarts), entry.url)
    console.print(table)
