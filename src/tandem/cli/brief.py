"""`tandem brief`: the morning in plain words."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from tandem.market import Session
    from tandem.store import Facts


def brief(
    *,
    day: date | None = None,
    world: str = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> None:
    """Say what the morning made of pairs and models, what may be risked today, and what stands against trading.

    Parameters
    ----------
    day
        The trading day, as 2026-04-14; without it the newest that was identified.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    json
        Print JSON.
    """
    import json as encoder

    from tandem.cli.opening import open_store, world_of
    from tandem.config import load
    from tandem.operations import brief_of

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        found = brief_of(store, facts, _session(facts, day), settings)
    print(encoder.dumps(found.document(), indent=2, allow_nan=False) if json else found.text)


def _session(facts: "Facts", day: date | None) -> "Session":
    from tandem.desk import TradingConfiguration
    from tandem.market import Calendar, DataError

    if day is None:
        days = [record.session for record in facts.read(TradingConfiguration)]
        if not days:
            raise DataError(
                f"{facts.world} has no identified morning yet", "Run `tandem identify` first, or give --day"
            )
        day = max(days)
    session = Calendar().session(day)
    if session is None:
        raise DataError(f"{day} is not a trading day", f"The next one is {Calendar().after(day).day}")
    return session
