"""`tandem trade --unattended`: the process that trades while nobody is there; what it says is logged."""

import os
from typing import TYPE_CHECKING

from tandem.cli.opening import open_store, world_to_trade
from tandem.cli.told import Told
from tandem.market import ConfigError, WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tandem.config import Settings
    from tandem.desk import Desk
    from tandem.market import World
    from tandem.operations import Venue
    from tandem.store import Facts, Record, Store


def trade_unattended(settings: "Settings", world: str) -> None:
    """Trade every session by the plan that the morning's flows leave, until told to end or until none comes.

    Args:
        world: its name; empty for the one that `tandem trade` would use.

    Raises:
        ConfigError: it would be real money, or there are no keys.
    """
    from structlog import get_logger

    from tandem.desk import registry_of
    from tandem.operations import Measured, configure_logs, secrets_of, trade_days

    if settings.websocket.mode == "alpaca":
        if not settings.alpaca.paper:
            raise ConfigError("real money is not traded unattended", "Set alpaca.paper to true, or trade without it")
        settings.alpaca.keys()
    configure_logs("session", secrets_of(settings, os.environ))
    with open_store() as store:
        meant = world_to_trade(store, settings, world)
        log = get_logger().bind(world=str(meant))

        def say(record: "Record", line: str) -> None:
            log.info(line, session=str(record.session), pair=record.pair, at=record.at.isoformat())

        facts = Measured(Told(store.facts(meant), say))
        venue = _venue(store, meant, settings, log.info)
        trade_days(store, facts, settings, venue, registry_of(store, settings), log.info)


def _venue(store: "Store", world: "World", settings: "Settings", said: "Callable[[str], None]") -> "Venue":
    from tandem.desk import alpaca_desk, desk_name, visiting_desk
    from tandem.execution import RecyclerTime
    from tandem.operations import Venue, watched

    def at_alpaca(symbols: "Sequence[str]", facts: "Facts") -> "AbstractContextManager[Desk]":
        return watched(alpaca_desk(store, world, settings, symbols, facts, dry=False, said=said))

    def at_recycler(symbols: "Sequence[str]", facts: "Facts") -> "AbstractContextManager[Desk]":
        return watched(visiting_desk(store, world, settings, symbols, facts, dry=False, token=token, lasting=True))

    if settings.websocket.mode == "alpaca":
        return Venue(WallClock(), at_alpaca)
    token = os.environ.get("TANDEM_RECYCLER_TOKEN", "")
    time = RecyclerTime(settings.websocket.recycler.server_url, token)
    return Venue(time, at_recycler, lambda: bool(time.status()["ended"]), lambda: time.dismiss(desk_name(world)))
