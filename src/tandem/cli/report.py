"""`tandem report`: what a run came to, from its facts."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

if TYPE_CHECKING:
    from tandem.desk import Difference
    from tandem.market import World
    from tandem.store import Store

TWIN: Final = "twin of "


def report(
    world: str | None = None,
    *,
    out: Path = Path("report.html"),
    picture: Path | None = None,
    day: date | None = None,
    week: date | None = None,
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> None:
    """Write the report of a run again, from its facts.

    Parameters
    ----------
    world
        Which run, as recycler-3; without it the newest that traded an account. A shadow book is shown by its name.
    out
        Where the page goes.
    picture
        Also write the picture of the session with the most trades here: .png or .svg.
    day
        Of one session only, as 2026-04-14: P&L by pair and by its parts, execution, refusals, models, alerts, flows.
    week
        The same of the week that a day lies in.
    json
        Print the summary as one JSON document and write nothing.
    """
    import json as encoder

    from rich.console import Console

    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.operations import PICTURES, check_target, print_summary, summarise, write_report
    from tandem.operations import picture as draw

    if day or week:
        _print_period(world, out, day, week, json=json)
        return
    if not json:
        check_target(out)
        if picture is not None:
            check_target(picture, *PICTURES)
    with open_store() as store:
        chosen = chosen_world(store, world)
        facts = store.facts(chosen)
        differences = _differences(store, chosen)
        summary = summarise(store, facts, parity=None if differences is None else not differences)
        if json:
            print(encoder.dumps(summary.document(), indent=2, allow_nan=False))
            return
        write_report(out, store, facts, summary=summary, differences=differences or (), rule=load().rule)
        drawn = draw(picture, store, facts, rule=load().rule) if picture else None
    print_summary(summary, Console(highlight=False))
    for path in (out, drawn):
        if path is not None:
            print(path.resolve())


def _print_period(world: str | None, out: Path, day: date | None, week: date | None, *, json: bool) -> None:
    import json as encoder

    from tandem.cli.opening import open_store
    from tandem.market import DataError
    from tandem.operations import check_target, daily_document, weekly_document, write_daily, write_weekly

    if day and week:
        raise DataError("a report is of a day or of a week", "Give --day or --week")
    asked = day or week
    assert asked is not None
    if not json:
        check_target(out)
    with open_store() as store:
        facts = store.facts(chosen_world(store, world))
        if json:
            document = daily_document(store, facts, asked) if day else weekly_document(store, facts, asked)
            print(encoder.dumps(document, indent=2, allow_nan=False))
            return
        (write_daily if day else write_weekly)(out, store, facts, asked)
    print(out.resolve())


def chosen_world(store: "Store", name: str | None) -> "World":
    """The world of that name; without one the newest that traded an account.

    Raises:
        DataError: there is none.
    """
    from difflib import get_close_matches

    from tandem.book import Capital
    from tandem.market import DataError

    worlds = store.worlds()[::-1]
    if name is not None:
        if found := [world for world in worlds if str(world) == name]:
            return found[0]
        known = [str(world) for world in worlds]
        near = get_close_matches(name, known, 3) or known[:3]
        raise DataError(f"no world {name}", f"There is {', '.join(near)}" if near else "Run `tandem demo` first")
    for world in worlds:
        if not world.is_hypothetical and store.facts(world).read(Capital):
            return world
    raise DataError("nothing was traded here yet", "Run `tandem demo`, or set TANDEM_HOME to the home of a run")


def _differences(store: "Store", world: "World") -> "list[Difference] | None":
    """What the run's twin did otherwise; None where it has none."""
    from tandem.desk import compare

    twins = [other for other in store.worlds() if store.label(other) == f"{TWIN}{world}"]
    return compare(store.facts(world), store.facts(twins[-1])) if twins else None
