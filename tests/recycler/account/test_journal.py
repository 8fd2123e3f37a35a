import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tandem.market import StoreError, World, WorldKind
from tandem.recycler.account.journal import Journal, MemoryJournal, PostgresJournal
from tandem.recycler.account.writer import Writer
from tandem.store import PaperEntry, PaperKept, PaperOrder, PaperTaken, Store

AT = datetime(2023, 1, 4, 15, 31, tzinfo=UTC)
WORLD = World(WorldKind.RECYCLER, 5)
NEXT = World(WorldKind.RECYCLER, 5, 1)
CASH = Decimal(100_000)


def order(name: str, status: str = "new") -> PaperOrder:
    return PaperOrder(name, UUID(int=hash(name) % 2**64), "AAPL", status, AT, AT, f'"{name} {status}"')


@dataclass
class Orders:
    """An engine's stand-in: orders that wait to be drained."""

    world: World = WORLD
    fresh: list[PaperOrder] = field(default_factory=list)
    place: int = 0

    def drain(self, place: bool) -> PaperEntry | None:
        orders, self.fresh = tuple(self.fresh), []
        if not orders and not place:
            return None
        return PaperEntry(ledger="{}", place=str(self.place), orders=orders)


def kept(store: Store, world: World = WORLD) -> PaperKept:
    with store.paper(world).hold() as hold:
        return hold.read()


def committed_orders(store: Store) -> list[str]:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        rows = connection.execute("SELECT client_order_id FROM paper_orders ORDER BY number").fetchall()
    return [name for (name,) in rows]


def within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, seconds))


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def journal(store: Store, orders: Orders) -> Iterator[PostgresJournal]:
    journal = PostgresJournal(orders, Writer(store.paper, WORLD, CASH))
    yield journal
    journal.close()


def test_what_is_committed_is_in_the_store(journal: PostgresJournal, orders: Orders, store: Store) -> None:
    async def work() -> None:
        orders.fresh.append(order("a"))
        await journal.committed()
        assert committed_orders(store) == ["a"]
        await journal.committed()

    within(5, work())


def test_what_is_told_was_in_the_store_before_and_comes_in_order(
    journal: PostgresJournal, orders: Orders, store: Store
) -> None:
    told: list[tuple[int, bool]] = []

    async def work() -> None:
        journal.then(lambda: told.append((-1, True)))
        assert told == [(-1, True)]
        for number in range(50):
            orders.fresh.append(order(f"o{number}"))
            journal.then(lambda n=number: told.append((n, f"o{n}" in committed_orders(store))))  # type: ignore[misc]
            if number % 7 == 0:
                await asyncio.sleep(0.002)
        await journal.committed()

    within(10, work())
    assert told == [(number, True) for number in range(-1, 50)]


def test_many_orders_share_a_commit(journal: PostgresJournal, orders: Orders, store: Store) -> None:
    async def one(number: int) -> None:
        orders.fresh.append(order(f"o{number}"))
        await journal.committed()

    async def work() -> None:
        await asyncio.gather(*(one(number) for number in range(300)))

    within(10, work())
    assert committed_orders(store) == [f"o{number}" for number in range(300)]
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT count(DISTINCT xmin::text) FROM paper_orders").fetchone()
    assert row is not None
    assert row[0] <= 30


def test_the_place_is_saved_now_and_then_and_at_the_end(
    journal: PostgresJournal, orders: Orders, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.recycler.account.journal.SAVE_SECONDS", 0.02)

    async def work() -> None:
        running = asyncio.create_task(journal.run())
        orders.place = 7
        while place(store) != "7":
            await asyncio.sleep(0.01)
        orders.place = 8
        running.cancel()

    within(5, work())
    journal.close()
    assert kept(store).place == "8"


def place(store: Store) -> str | None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT place::text FROM paper_accounts").fetchone()
    return row[0] if row else None


@pytest.mark.parametrize("make", [lambda _: MemoryJournal(), lambda given: given])
def test_documents_are_kept(make: Callable[[Journal], Journal], journal: PostgresJournal) -> None:
    chosen = make(journal)

    async def work() -> None:
        assert chosen.kept("watchlists", list[str]) is None
        chosen.keep("watchlists", ["AAPL"])
        assert chosen.kept("watchlists", list[str]) == ["AAPL"]
        await chosen.committed()

    within(5, work())


def test_documents_survive_and_follow_into_the_next_loop(store: Store, orders: Orders) -> None:
    first = PostgresJournal(orders, Writer(store.paper, WORLD, CASH))

    async def work() -> None:
        first.keep("watchlists", ["AAPL"])
        await first.committed()
        orders.world = NEXT
        orders.fresh.append(order("b"))
        await first.committed()

    within(5, work())
    first.close()
    assert (kept(store).orders, kept(store, NEXT).orders) == ([], ['"b new"'])
    assert store.newest_paper() == NEXT
    again = PostgresJournal(orders, Writer(store.paper, NEXT, CASH))
    assert again.kept("watchlists", list[str]) == ["AAPL"]
    again.close()


def test_a_second_recycler_gets_one_line(
    journal: PostgresJournal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.recycler.account.writer.PATIENCE_SECONDS", 0.05)
    with pytest.raises(StoreError, match="another recycler uses the account of recycler-5"):
        Writer(store.paper, WORLD, CASH)


@pytest.mark.parametrize("idle", [True, False])
def test_a_recycler_whose_account_was_taken_over_ends_and_writes_nothing(
    journal: PostgresJournal, orders: Orders, store: Store, monkeypatch: pytest.MonkeyPatch, idle: bool
) -> None:
    monkeypatch.setattr("tandem.recycler.account.writer.CHECK_SECONDS", 0.05 if idle else 60)

    async def work() -> None:
        orders.fresh.append(order("mine"))
        await journal.committed()
        await asyncio.to_thread(take_over, store)
        if not idle:
            orders.fresh.append(order("late"))
            journal.then(lambda: None)
        with pytest.raises(PaperTaken, match="another recycler took the account of recycler-5 over"):
            await journal.run()

    within(20, work())
    assert committed_orders(store) == ["mine", "theirs"]


def take_over(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE paper_accounts SET epoch = epoch + 1")  # before the first one's next look
    end_connections(store)
    other = PostgresJournal(Orders(fresh=[order("theirs")]), Writer(store.paper, WORLD, CASH))

    async def write() -> None:
        await other.committed()

    asyncio.run(write())
    other.close()


def test_a_recycler_that_lost_its_connection_while_nothing_happened_keeps_its_account(
    journal: PostgresJournal, orders: Orders, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.recycler.account.writer.CHECK_SECONDS", 0.05)
    monkeypatch.setattr("tandem.recycler.account.writer.PATIENCE_SECONDS", 0.05)

    async def work() -> None:
        orders.fresh.append(order("a"))
        await journal.committed()
        await asyncio.to_thread(end_connections, store)
        await asyncio.sleep(0.5)
        with pytest.raises(StoreError, match="another recycler uses the account of recycler-5"):
            await asyncio.to_thread(Writer, store.paper, WORLD, CASH)
        orders.fresh.append(order("b"))
        await journal.committed()

    within(20, work())
    assert committed_orders(store) == ["a", "b"]


def test_a_recycler_whose_account_was_taken_over_does_not_begin_the_next_loop(
    journal: PostgresJournal, orders: Orders, store: Store
) -> None:
    async def work() -> None:
        orders.fresh.append(order("mine"))
        await journal.committed()
        await asyncio.to_thread(take_over, store)
        orders.world = NEXT
        with pytest.raises(PaperTaken):
            await journal.committed()

    within(20, work())
    assert store.newest_paper() == WORLD


def test_a_lost_connection_loses_nothing(journal: PostgresJournal, orders: Orders, store: Store) -> None:
    async def work() -> None:
        for number in range(6):
            orders.fresh.append(order(f"o{number}"))
            await journal.committed()
            if number % 2:
                await asyncio.to_thread(end_connections, store)

    within(20, work())
    assert committed_orders(store) == [f"o{number}" for number in range(6)]


def end_connections(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_a_store_that_stays_away_is_told_to_everybody_who_waits(
    journal: PostgresJournal, orders: Orders, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.recycler.account.writer.RETRY_SECONDS", 0.01)
    told: list[int] = []
    before = threading.active_count()

    async def work() -> None:
        running = asyncio.create_task(journal.run())
        await asyncio.sleep(0.05)
        store.close()
        await asyncio.to_thread(end_connections, store)
        orders.fresh.append(order("a"))
        journal.then(lambda: told.append(1))
        with pytest.raises(StoreError):
            await journal.committed()
        with pytest.raises(StoreError):
            await running

    within(20, work())
    assert told == []
    assert threading.active_count() < before + 20
