from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from tandem.market import StoreError, World, WorldKind
from tandem.store import PaperAccount, PaperCharge, PaperEntry, PaperExecution, PaperKept, PaperOrder, PaperTaken, Store

AT = datetime(2023, 1, 4, 15, 31, 0, 123456, tzinfo=UTC)
WORLD = World(WorldKind.RECYCLER, 5)


def order(name: str, status: str = "new") -> PaperOrder:
    return PaperOrder(name, UUID(int=hash(name) % 2**64), "AAPL", status, AT, AT, f'{{"name": "{name}"}}')


def execution(id: str, of: str) -> PaperExecution:
    return PaperExecution(id, of, AT, f'{{"id": "{id}"}}')


@pytest.fixture
def account(store: Store) -> PaperAccount:
    account = store.paper(WORLD)
    account.open(Decimal("100000.00"))
    return account


def kept(account: PaperAccount) -> PaperKept:
    with account.hold() as hold:
        return hold.read()


def write(account: PaperAccount, *entries: PaperEntry) -> None:
    with account.hold() as hold:
        for entry in entries:
            hold.write(entry)


def test_a_new_account_has_its_cash_and_nothing_else(account: PaperAccount) -> None:
    account.open(Decimal(5))
    assert account.starting_cash == Decimal(100_000)
    assert kept(account) == PaperKept(Decimal("100000.00"), None, None, None, [], [], {})


def test_what_was_written_comes_back_in_the_order_of_its_first_recording(account: PaperAccount) -> None:
    first = PaperEntry(
        ledger='{"cash": "99.50", "realised": "-0.50"}',
        place='{"loop": 2}',
        reel='{"symbols": ["AAPL"]}',
        orders=(order("z"), order("a")),
        executions=(execution("2", "z"), execution("1", "a")),
        documents={"watchlists": "[1]"},
    )
    write(account, first, PaperEntry(orders=(order("a", "filled"), order("b"))))
    names = ['{"name": "z"}', '{"name": "a"}', '{"name": "b"}']
    assert kept(account) == PaperKept(
        Decimal("100000.00"),
        '{"cash": "99.50", "realised": "-0.50"}',
        '{"loop": 2}',
        '{"symbols": ["AAPL"]}',
        names,
        ['{"id": "2"}', '{"id": "1"}'],
        {"watchlists": "[1]"},
    )


def test_writing_an_entry_again_changes_nothing(account: PaperAccount) -> None:
    entry = PaperEntry(orders=(order("a"),), executions=(execution("1", "a"),), documents={"n": "1"})
    write(account, entry)
    before = kept(account)
    write(account, entry)
    assert kept(account) == before


def test_entries_join_with_the_later_word_last() -> None:
    early = PaperEntry("1", "2", "3", (order("a"), order("b")), (execution("1", "a"),), {"x": "1", "y": "1"})
    late = PaperEntry(None, "5", None, (order("a", "filled"),), (execution("2", "b"),), {"y": "2"})
    assert early.then(late) == PaperEntry(
        "1",
        "5",
        "3",
        (order("a", "filled"), order("b")),
        (execution("1", "a"), execution("2", "b")),
        {"x": "1", "y": "2"},
    )


def test_an_entry_is_committed_whole_or_not_at_all(account: PaperAccount) -> None:
    broken = PaperEntry(ledger="{}", orders=(order("a"),), executions=(execution("1", "nobody"),))
    with pytest.raises(StoreError, match=r"the account of recycler-5 could not be written: .*paper_executions"):
        write(account, broken)
    assert (kept(account).orders, kept(account).ledger) == ([], None)


def test_two_orders_never_share_an_id(account: PaperAccount) -> None:
    with pytest.raises(StoreError, match="paper_orders_world_id_key"):
        write(account, PaperEntry(orders=(order("a"), replace(order("b"), id=order("a").id))))


def test_accounts_of_two_worlds_do_not_mix(store: Store, account: PaperAccount) -> None:
    other = store.paper(World(WorldKind.RECYCLER, 6))
    other.open(Decimal(1))
    write(account, PaperEntry(orders=(order("a"),)))
    write(other, PaperEntry(orders=(order("a", "filled"), order("b"))))
    assert len(kept(account).orders) == 1
    assert len(kept(other).orders) == 2


def test_one_process_holds_an_account_at_a_time(account: PaperAccount) -> None:
    with account.hold(), pytest.raises(StoreError, match="another recycler uses the account of recycler-5"):
        hold_for(account, 0.05)
    hold_for(account, 0.05)


def hold_for(account: PaperAccount, seconds: float, epoch: int | None = None) -> None:
    with account.hold(seconds, epoch):
        pass


def test_a_hold_ends_with_its_connection(store: Store, account: PaperAccount) -> None:
    with pytest.raises(StoreError, match="closed"):
        lose_hold(store, account)


def lose_hold(store: Store, account: PaperAccount) -> None:
    with account.hold() as lost:
        end_holders(store)
        hold_for(account, 2.0)
        with suppress(psycopg.OperationalError):
            lost.read()
        lost.read()


def end_holders(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_a_hold_that_was_lost_goes_on_unless_somebody_held_the_account_since(
    store: Store, account: PaperAccount
) -> None:
    with suppress(StoreError), account.hold() as lost:
        end_holders(store)
    with account.hold(2.0, lost.epoch) as again:
        again.write(PaperEntry(documents={"n": "1"}))
    hold_for(account, 2.0)
    with pytest.raises(PaperTaken, match="another recycler took the account of recycler-5 over"):
        hold_for(account, 2.0, lost.epoch)
    assert kept(account).documents == {"n": "1"}


def test_a_hold_of_an_earlier_epoch_writes_nothing(store: Store, account: PaperAccount) -> None:
    everything = PaperEntry(
        ledger="{}",
        orders=(order("a"),),
        executions=(execution("1", "a"),),
        documents={"n": "1"},
        charges=(PaperCharge(1, date(2023, 1, 4), "AAPL", Decimal("0.03")),),
    )
    with account.hold() as hold:
        raise_epoch(store)
        with pytest.raises(PaperTaken):
            hold.check()
        with pytest.raises(PaperTaken):
            hold.write(everything)
    assert kept(account) == PaperKept(Decimal("100000.00"), None, None, None, [], [], {})


def raise_epoch(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE paper_accounts SET epoch = epoch + 1")


def test_charges_come_back_by_number(account: PaperAccount) -> None:
    charges = [PaperCharge(n, date(2023, 1, 4), "AAPL", Decimal("0.03") * n) for n in (1, 2, 3)]
    write(account, PaperEntry(charges=tuple(charges[1:])), PaperEntry(charges=tuple(charges)))
    assert kept(account).charges == charges


def test_an_account_that_was_never_opened_is_named(store: Store) -> None:
    with store.paper(WORLD).hold() as hold, pytest.raises(StoreError, match="recycler-5 has no paper account"):
        hold.read()


def test_the_youngest_world_with_an_account_is_found(store: Store, account: PaperAccount) -> None:
    assert store.newest_paper() == WORLD
    younger = store.new_world(WorldKind.RECYCLER)
    assert store.newest_paper() == WORLD
    store.paper(younger).open(Decimal(1))
    assert store.newest_paper() == younger


def test_a_store_without_accounts_has_no_youngest(store: Store) -> None:
    assert store.newest_paper() is None
