"""`tandem trade`: the next session, at Alpaca or at a recycler."""

import os
from datetime import datetime
from typing import TYPE_CHECKING

from tandem.cli.opening import newest_world, open_store, world_to_trade
from tandem.cli.told import Told, printed_on
from tandem.cli.unattended import trade_unattended
from tandem.market import (
    NEW_YORK,
    Calendar,
    ConfigError,
    Pair,
    RecyclerError,
    Session,
    TandemError,
    WallClock,
    WorldKind,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from tandem.config import Settings
    from tandem.desk import Desk, Morning
    from tandem.forecast import MlflowRegistry
    from tandem.market import World
    from tandem.store import Facts, Store

LIVE = "trade real money"


def trade(*, dry_run: bool = False, live: bool = False, unattended: bool = False, world: str = "") -> None:
    """Trade one session: identify pairs where the day has no plan yet, then decide every five minutes.

    After the close the champions are watched and the challengers tried; what follows from it counts from the next day.

    Parameters
    ----------
    dry_run
        Show signals and intended orders; send nothing and record nothing.
    live
        Needed beside `alpaca.paper: false`; asks for a typed confirmation.
    unattended
        Trade every session by the plan that the morning's flows leave, until told to end; `tandem up` does it for you.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    """
    from rich.console import Console

    from tandem.config import load
    from tandem.desk import copy_plan, prepare, registry_of, run_session
    from tandem.store import MemoryFacts

    settings, console = load(), Console(highlight=False)
    if unattended:
        if dry_run:
            raise ConfigError("--dry-run and --unattended contradict each other", "Give one of them")
        trade_unattended(settings, world)
        return
    if not dry_run:
        _confirm(settings, live)
    if settings.websocket.mode == "alpaca":
        settings.alpaca.keys()
    session = _session(settings)
    with open_store() as store:
        meant = store.new_world(WorldKind.SHADOW, "dry run") if dry_run else world_to_trade(store, settings, world)
        inner = MemoryFacts(meant) if dry_run else store.facts(meant)
        if dry_run and (known := newest_world(store, settings, world)):
            copy_plan(store.facts(known), inner, session)
        console.print(f"{meant}, session {session.day}{', dry run: nothing is sent' if dry_run else ''}")
        registry = None if dry_run else registry_of(store, settings)
        if not dry_run:
            _catch_up(console, store, inner, session, settings, registry)
        morning = prepare(store, inner, session, settings, registry)
        _tell(console, morning)
        _warn(console, store, settings, session, morning)
        facts = Told(inner, printed_on(console), orders=not dry_run)
        with _desk(store, meant, settings, _symbols(inner, session, settings), facts, dry_run, console) as desk:
            run_session(desk, session)
        console.print(f"{session.day} is over.")
        if not dry_run:
            _conclude(console, store, inner, session, settings, registry)


def _catch_up(
    console: "Console",
    store: "Store",
    facts: "Facts",
    session: Session,
    settings: "Settings",
    registry: "MlflowRegistry | None",
) -> None:
    """The evening of the session before, where it was cut off: what is on record by then stays as it is."""
    from tandem.book import Mark

    before = max((mark.session for mark in facts.read(Mark) if mark.session < session.day), default=None)
    last = Calendar().session(before) if before else None
    if last is None:
        return
    try:
        _conclude(console, store, facts, last, settings, registry)
    except TandemError as error:
        # Today has to be traded all the same.
        console.print(f"the evening of {last.day} could not be done: {error}", soft_wrap=True)


def _conclude(
    console: "Console",
    store: "Store",
    facts: "Facts",
    session: Session,
    settings: "Settings",
    registry: "MlflowRegistry | None",
) -> None:
    from tandem.desk import close_day
    from tandem.forecast import Verdict

    told = [record.body for record in facts.read(Verdict, session=session.day)]
    for verdict in close_day(store, facts, session, settings, registry):
        if verdict not in told:
            line = f"{session.day}, {verdict.sector}, {verdict.recipe}: {verdict.action}. {verdict.why}."
            console.print(line, soft_wrap=True)


def _confirm(settings: "Settings", live: bool) -> None:
    if settings.websocket.mode == "recycler" or settings.alpaca.paper:
        return
    if not live:
        raise ConfigError("alpaca.paper is false", "Live trading needs `tandem trade --live` and your confirmation.")
    if _typed(f"This sends orders for real money. Type '{LIVE}' to go on: ") != LIVE:
        raise ConfigError("not confirmed", "Nothing was sent.")


def _typed(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        print()
        return ""


def _symbols(facts: "Facts", session: Session, settings: "Settings") -> list[str]:
    from tandem.book import Book
    from tandem.desk import plan_of

    plan = plan_of(facts, session.day)
    pairs = {*(Pair.parse(pair) for pair in (plan.models if plan else {})), *Book.from_facts(facts).open}
    return sorted({symbol for pair in pairs for symbol in pair.symbols}) or settings.websocket.symbols


def _desk(
    store: "Store",
    world: "World",
    settings: "Settings",
    symbols: list[str],
    facts: "Facts",
    dry: bool,
    console: "Console",
) -> "AbstractContextManager[Desk]":
    from tandem.desk import alpaca_desk, visiting_desk

    if settings.websocket.mode == "alpaca":
        return alpaca_desk(store, world, settings, symbols, facts, dry=dry, said=console.print)
    token = os.environ.get("TANDEM_RECYCLER_TOKEN", "")
    return visiting_desk(store, world, settings, symbols, facts, dry=dry, token=token)


def _session(settings: "Settings") -> Session:
    now = _now(settings)
    today = now.astimezone(NEW_YORK).date()
    session = Calendar().session(today)
    return session if session and now < session.close else Calendar().after(today)


def _now(settings: "Settings") -> datetime:
    if settings.websocket.mode == "alpaca":
        return WallClock().now()
    from tandem.cli.control import ask

    status = ask(settings.websocket.recycler.server_url)
    if status.get("timestamps") == "current":
        raise RecyclerError(
            "the recycler has moved its bars to today, and a desk trades the days they are of",
            "Start it with `tandem recycler start --lockstep`.",
        )
    return datetime.fromisoformat(status["time"])


def _tell(console: "Console", morning: "Morning | None") -> None:
    if morning is None:
        console.print("The day has its plan already.")
        return
    for passport in morning.entering:
        model = morning.models[passport.pair]
        line = f"{passport.pair}: score {passport.score.total:.2f}, the {model.trades_with} trades: {model.why}"
        console.print(line, soft_wrap=True)
    if not morning.entering:
        console.print(f"{morning.plan.tested} pairs tested, none may be entered; `tandem identify` says why.")


def _warn(
    console: "Console", store: "Store", settings: "Settings", session: Session, morning: "Morning | None"
) -> None:
    """Pairs may be found on bars of a day, and are traded on those of a minute."""
    from tandem.operations import without_minutes

    if morning is None or settings.websocket.mode != "recycler":
        return
    symbols = {symbol for passport in morning.entering for symbol in passport.pair.symbols}
    if lacking := without_minutes(store, symbols, session.day):
        console.print(lacking, soft_wrap=True)
