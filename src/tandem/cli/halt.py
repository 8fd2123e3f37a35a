"""`tandem halt`, `resume` and `flatten`: a person's word, which every session of the world obeys."""

import getpass

from tandem.cli.opening import open_store, world_of
from tandem.market import NEW_YORK, WallClock
from tandem.risk import Standing, Switch
from tandem.store import Record


def halt(*, why: str = "asked for", world: str = "") -> None:
    """Stop new entries until `tandem resume`; exits go on.

    Parameters
    ----------
    why
        The reason, for the record.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    """
    _switch(Standing.HALTED, why, world)


def resume(*, why: str = "asked for", world: str = "") -> None:
    """Allow entries again after a halt.

    Parameters
    ----------
    why
        The reason, for the record.
    world
        Which account and timeline; without it the newest of those the settings name.
    """
    _switch(Standing.ARMED, why, world)


def flatten(*, why: str = "asked for", world: str = "") -> None:
    """Close everything that Tandem opened, at the next decision, and stay halted.

    Parameters
    ----------
    why
        The reason, for the record.
    world
        Which account and timeline; without it the newest of those the settings name.
    """
    _switch(Standing.FLATTEN, why, world)


def _switch(standing: Standing, why: str, world: str) -> None:
    from tandem.config import load

    settings, now = load(), WallClock().now()
    with open_store() as store:
        meant = world_of(store, settings, world)
        switch = Switch(standing, why, getpass.getuser())
        store.facts(meant).append(Record(switch, now.astimezone(NEW_YORK).date(), now, f"switch.{now.isoformat()}"))
    words = {Standing.ARMED: "takes entries again", Standing.HALTED: "takes no entries", Standing.FLATTEN: "closes all"}
    print(f"{meant} {words[standing]} from its next decision on.")
