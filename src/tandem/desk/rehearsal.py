"""The same sessions twice, by the same plans: through sockets and in one process, each in its world."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from tandem.config import Settings
from tandem.desk.backtest import backtest_desk
from tandem.desk.morning import copy_plan
from tandem.desk.recycled import recycled
from tandem.desk.session import run_session
from tandem.market import Calendar, Session, World, follow_parent
from tandem.store import MemoryFacts, Store


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Sessions to trade by plans that a world has on record.

    Attributes:
        home: of the store; `settings` name another server where there is one.
        days: trading dates, oldest first.
        plans_of: the world whose plans to follow.
    """

    home: Path
    settings: Settings
    symbols: tuple[str, ...]
    days: tuple[date, ...]
    plans_of: World

    @property
    def sessions(self) -> list[Session]:
        """The sessions of these dates."""
        return Calendar().sessions(self.days[0], self.days[-1])

    def open(self) -> Store:
        """The store; the caller closes it."""
        url = self.settings.database_url
        return Store.open(self.home, url.get_secret_value() if url else None)


def through_sockets(rehearsal: Rehearsal, world: World, delay_ms: float = 0.0) -> None:
    """Trade in lockstep with a recycler over Alpaca's protocol, facts durable."""
    with rehearsal.open() as store:
        facts, plans, sessions = store.facts(world), store.facts(rehearsal.plans_of), rehearsal.sessions
        with recycled(store, world, rehearsal.settings, rehearsal.symbols, sessions, facts, delay_ms=delay_ms) as line:
            for session in sessions:
                copy_plan(plans, facts, session)
                run_session(line.desk, session)


def in_one_process(rehearsal: Rehearsal, world: World) -> None:
    """Trade against the matching engine directly, facts in memory and written at the end."""
    with rehearsal.open() as store:
        facts, plans, sessions = MemoryFacts(world), store.facts(rehearsal.plans_of), rehearsal.sessions
        desk = backtest_desk(store, world, rehearsal.settings, rehearsal.symbols, sessions, facts)
        for session in sessions:
            copy_plan(plans, facts, session)
            run_session(desk, session)
        facts.flush(store.facts(world))


def apart(work: Callable[..., None], *arguments: object) -> None:
    """Do a piece of work in a process of its own, which ends with this one."""
    with ProcessPoolExecutor(1, get_context("spawn"), follow_parent) as process:
        process.submit(work, *arguments).result()
