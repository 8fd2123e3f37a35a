"""The store and the world that the settings name."""

from datetime import date
from typing import TYPE_CHECKING, Final

from tandem.market import ConfigError, RecyclerError, World

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.market import Session
    from tandem.store import Store

SECONDS: Final = 2.0


def open_store() -> "Store":
    """The store of the settings in force, connected and migrated; the caller closes it."""
    from tandem.config import load
    from tandem.store import Store

    return Store.of(load())


def newest_world(store: "Store", settings: "Settings", name: str = "") -> World | None:
    """The world of that name; without one that of the running recycler, else the newest of the settings' kind.

    None where there is none yet.

    Raises:
        ConfigError: no world has that name.
    """
    from tandem.desk import newest_of_kind, world_named

    if not name and (running := _running(settings)) in map(str, store.worlds()):
        name = running
    return world_named(store, name) if name else newest_of_kind(store, settings)


def world_of(store: "Store", settings: "Settings", name: str = "") -> World:
    """The same, where there has to be one.

    Raises:
        ConfigError: there is none.
    """
    world = newest_world(store, settings, name)
    if world is None:
        raise ConfigError("Tandem has not traded in this account yet", "Start with `tandem trade --dry-run`.")
    return world


def world_to_trade(store: "Store", settings: "Settings", name: str = "") -> World:
    """The world that `tandem trade` uses: the named one, that of the running recycler, else the newest, else a new one.

    Where no recycler runs it is the one that the next recycler goes on with.

    Raises:
        ConfigError: no world has that name, or the running recycler is of another home.
    """
    if not name and (stranger := stranger_of(store, settings)):
        raise ConfigError(stranger, "Set websocket.recycler.server_url to a port of your own, or name a --world")
    return world_to_identify(store, settings, name)


def world_to_identify(store: "Store", settings: "Settings", name: str = "") -> World:
    """The same; the newest of this home where the running recycler is of another one.

    Raises:
        ConfigError: no world has that name.
    """
    from tandem.desk import kind_of
    from tandem.recycler import standing_world
    from tandem.store import turn

    running = "" if name else _running(settings)
    if running not in map(str, store.worlds()):
        running = ""
    if settings.websocket.mode == "recycler" and not (name or running):
        return standing_world(store, settings.websocket.recycler.cash)
    if found := newest_world(store, settings, name or running):
        return found
    kind = kind_of(settings)
    with turn(store.url, f"first {kind} world"):
        return newest_world(store, settings) or store.new_world(kind, "tandem trade")


def stranger_of(store: "Store", settings: "Settings") -> str:
    """What a recycler of another home that answers at the settings' address plays, in words; empty where none does."""
    running = _running(settings)
    if not running or running in map(str, store.worlds()):
        return ""
    url = settings.websocket.recycler.server_url
    return f"the recycler at {url} plays {running}, a world of another home than {settings.home}"


def _running(settings: "Settings") -> str:
    """The world of the recycler that the settings name; empty where none answers."""
    from tandem.cli.control import ask

    if settings.websocket.mode != "recycler":
        return ""
    try:
        return str(ask(settings.websocket.recycler.server_url, SECONDS)["world"])
    except RecyclerError:
        return ""


def asked_session(store: "Store", day: date | None, settings: "Settings") -> "Session":
    """The trading day that is asked for; without one the day after the newest stored bar of the model's timeframe.

    Raises:
        DataError: no such bars are stored, or the day is no trading day.
    """
    from tandem.market import NEW_YORK, Calendar, DataError
    from tandem.sources import NO_BARS

    calendar, spans = Calendar(), store.bars.spans()
    own = spans.loc[spans["timeframe"] == str(settings.model.timeframe), "last"]
    if own.empty:
        known = ", ".join(sorted(set(spans["timeframe"])))
        choose = f"Stored are: {known}. Choose one of them with --timeframe, or load some with `tandem data load`"
        raise DataError(f"no {settings.model.timeframe} bars are stored", choose if known else NO_BARS)
    if day is None:
        return calendar.after(own.max().tz_convert(NEW_YORK).date())
    found = calendar.session(day)
    if found is None:
        raise DataError(f"{day} is not a trading day", f"The next one is {calendar.after(day).day}")
    return found
