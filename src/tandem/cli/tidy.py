"""`tandem tidy`: what a night does, and the way back from its backups."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from tandem.cli.opening import open_store, world_of
from tandem.market import NEW_YORK, Calendar, DataError, RecyclerError, Session, WallClock, WorldKind

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.execution import Origin
    from tandem.operations import Night, Step
    from tandem.store import PostgresFacts, Store

Json = Annotated[bool, Parameter(name="--json", negative=(), show_default=False)]
STEPS = """gaps: minutes of the desk's symbols without a bar are asked of Alpaca or the recycler.
seal: what the day's bars hash to goes on record, and what has changed since the last seal.
retention: replays' bars beyond operations.recycled_data_days, old checkpoints and stale cache files go; facts never do.
vacuum: tables that changed much.
backup: dumps of the databases; operations.backups of them are kept.
Doing it again changes nothing more. The exit status is 2 when a step could not be done.
"""

AT_THE_EXCHANGE = (WorldKind.PAPER, WorldKind.LIVE)
WEEK = timedelta(days=7)

tidy = App(name="tidy", help_epilogue=STEPS)  # a command would inherit it: each has to say that it does not


@tidy.default
def night(*, day: date | None = None, world: str = "", dry_run: bool = False, json: Json = False) -> int:
    """At night: fill gaps, seal the day, let go of what is old, back up.

    Doing it again changes nothing more. The exit status is 2 when a step could not be done.

    Parameters
    ----------
    day
        The trading date; without it the last one that is over.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    dry_run
        Say what would be done; change nothing.
    json
        Print one JSON document.
    """
    from tandem.config import load
    from tandem.operations import tidy_day

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        found = _night(store, facts, settings, day, dry_run)
        if found is None:
            _say(
                json,
                {"world": str(facts.world), "day": str(day), "steps": []},
                f"{day} is no trading day: nothing to do.",
            )
            return 0
        if not json:
            print(f"Night after {found.session.day}, {facts.world}{', dry run' if dry_run else ''}", flush=True)
        tidied = tidy_day(found, (lambda _: None) if json else _tell)
    if json:
        _say(json, tidied.document, "")
    return 2 if tidied.failed else 0


@tidy.command(help_epilogue="")
def backups(*, json: Json = False) -> int:
    """List the backups, the newest first, and compare each file with its manifest.

    The exit status is 2 when one is damaged.

    Parameters
    ----------
    json
        Print one JSON document.
    """
    from tandem.config import load
    from tandem.operations import kept_backups

    kept = kept_backups(load().home)
    lines = [f"{each.folder}: {'DAMAGED: ' if each.damaged else ''}{each.words}" for each in kept]
    _say(json, [asdict(each) for each in kept], "\n".join(lines) or "No backup yet: `tandem tidy` makes one.")
    return 2 if any(each.damaged for each in kept) else 0


@tidy.command(help_epilogue="")
def restore(folder: Path, *, into: Path) -> None:
    """Make a new home out of a backup; Tandem uses it with TANDEM_HOME.

    What is restored is compared with what was backed up, fact by fact. The home that the backup is of stays as it is.

    Parameters
    ----------
    folder
        Of the backup, such as ~/.tandem/backups/2026-01-05-paper.
    into
        The new home: a folder that does not exist, or is empty.
    """
    from tandem.store import restore as restored

    said = restored(folder, into)
    print(f"{into}: {said.facts.rows:,} facts, the same as backed up in the night after {said.day}.")
    print(f"TANDEM_HOME={into} uses it.")


def _night(store: "Store", facts: "PostgresFacts", settings: "Settings", day: date | None, dry: bool) -> "Night | None":
    """The night after a day; None where that is no trading day."""
    from tandem.operations import Night

    origin, now = _origin_and_time(facts, settings)
    session = Calendar().session(day) if day else _last_over(facts, now)
    if session is None:
        return None
    if session.close > (now or WallClock().now()):
        raise DataError(f"the session of {session.day} is not over", "Wait for its end, or name another --day")
    return Night(store, facts, session, settings, now or session.close, origin, dry)


def _origin_and_time(facts: "PostgresFacts", settings: "Settings") -> "tuple[Origin | None, datetime | None]":
    """Where the world's bars came from, and market time there; a replay that nobody plays has none."""
    from tandem.cli.stream import recycler_at
    from tandem.execution import at_alpaca

    if facts.world.kind in AT_THE_EXCHANGE:
        return at_alpaca(settings.alpaca), WallClock().now()
    if facts.world.is_hypothetical:
        return None, None
    origin = recycler_at(settings, settings.websocket.recycler.server_url)
    try:
        playing = origin.time.world() == facts.world
        return origin, origin.time.moment().now if playing else None
    except RecyclerError:
        return origin, None


def _last_over(facts: "PostgresFacts", now: datetime | None) -> Session:
    """The last session that was over by a moment: at the exchange, or on record where the world has its own time."""
    from tandem.desk import Plan

    calendar = Calendar()
    if now is not None and facts.world.kind in AT_THE_EXCHANGE:
        today = now.astimezone(NEW_YORK).date()
        return max(each for each in calendar.sessions(today - WEEK, today) if each.close <= now)
    traded = (calendar.session(day) for day in {record.session for record in facts.read(Plan)})
    over = [each for each in traded if each and (now is None or each.close <= now)]
    if not over:
        raise DataError(f"{facts.world} has no session on record that is over", "Name the --day")
    return max(over)


def _tell(step: "Step") -> None:
    print(f"  {step.name:9} {'FAILED: ' if step.failed else ''}{step.words}", flush=True)


def _say(as_json: bool, document: object, words: str) -> None:
    print(dumps(document, indent=2) if as_json else words)
