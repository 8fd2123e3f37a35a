"""`tandem backtest`: past sessions on stored bars, in one process."""

from datetime import date
from pathlib import Path

from tandem.cli.opening import open_store
from tandem.market import Calendar, DataError, WorldKind


def backtest(*, start: date, end: date, out: Path = Path("backtest.html")) -> None:
    """Trade past sessions on stored bars, each by a plan made that morning on what was known then.

    Parameters
    ----------
    start
        First New York date, such as 2023-01-23.
    end
        Last New York date.
    out
        Where the report goes.
    """
    from rich.console import Console

    from tandem.config import load
    from tandem.desk import backtest_desk, prepare, run_session, symbols_of
    from tandem.operations import count_backtest, print_summary, summarise, write_report
    from tandem.store import MemoryFacts

    settings, console, sessions = load(), Console(highlight=False), Calendar().sessions(start, end)
    if not sessions:
        raise DataError(f"no trading day from {start} to {end}", "Give --start and --end as New York dates.")
    with open_store() as store:
        facts = MemoryFacts(store.new_world(WorldKind.BACKTEST, f"{start} to {end}"))
        desk = backtest_desk(store, facts.world, settings, symbols_of(store, settings), sessions, facts)
        for session in sessions:
            with console.status(f"{facts.world}: {session.day}"):
                prepare(store, facts, session, settings, None)
                run_session(desk, session)
        facts.flush(store.facts(facts.world))
        count_backtest(store, settings, summarise(store, facts))
        summary = summarise(store, facts)
        write_report(out, store, facts, summary=summary)
        print_summary(summary, console, settings.home)
    console.print(f"\n{out}")
