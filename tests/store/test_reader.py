"""The way in for who may only read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import psycopg
import pytest

from tandem.market import Refusal, StoreError, World, WorldKind
from tandem.store import Record, Store
from tandem.store.reader import READER, read_only

DAY, AT = date(2023, 1, 3), datetime(2023, 1, 3, 15, tzinfo=UTC)
WORLD = World(WorldKind.BACKTEST, 1)
FACT = Record(Refusal("stale leg", "why", "signals"), DAY, AT, "r1")


@pytest.fixture
def reading(store: Store) -> Iterator[Store]:
    store.facts(WORLD).append(FACT)
    with store.reader() as reader:
        yield reader


def test_what_is_there_can_be_read(store: Store, reading: Store) -> None:
    assert reading.worlds() == [WORLD]
    assert reading.facts(WORLD).read(Refusal) == [FACT]
    assert [entry.key for entry in reading.tail(WORLD, ["refusal"]).read()] == ["r1"]
    digest = store.blobs.put(b"content")
    assert reading.blobs.get(digest) == b"content"


def test_nothing_can_be_written(reading: Store) -> None:
    for write in (
        lambda: reading.new_world(WorldKind.PAPER),
        lambda: reading.facts(WORLD).append(Record(FACT.body, DAY, AT, "r2")),
        lambda: reading.facts(World(WorldKind.PAPER, 77)),
        lambda: reading.blobs.put(b"more"),
    ):
        with pytest.raises(StoreError, match="read-only transaction"):
            write()


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM worlds", "UPDATE worlds SET label = ''", "INSERT INTO blobs VALUES ('d', '')", "DROP TABLE facts",
     "CREATE TABLE mine (n integer)", "TRUNCATE sectors"],
)  # fmt: skip
def test_the_role_may_select_alone_even_in_transactions_that_may_write(reading: Store, statement: str) -> None:
    with psycopg.connect(reading.url.replace("+psycopg", ""), autocommit=True) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (READER,)
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # type: ignore[arg-type]


def test_tables_that_come_later_can_be_read_too(store: Store, reading: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("CREATE TABLE later AS SELECT 1 AS n")
    with psycopg.connect(reading.url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT n FROM later").fetchone() == (1,)


def test_a_second_reader_changes_nothing(store: Store, reading: Store) -> None:
    with store.reader() as second:
        assert second.worlds() == reading.worlds()


def test_where_no_role_can_be_made_transactions_are_read_only_all_the_same(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("CREATE ROLE plain LOGIN")
        try:
            owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
            url = store.url.replace("//tandem@", "//plain@")
            assert url != store.url
            from tandem.store.connections import Connections

            connections = Connections(url)
            reading = read_only(connections)
            connections.close()
            assert READER not in reading
            with psycopg.connect(reading.replace("+psycopg", "")) as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("plain",)
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    connection.execute("CREATE TEMP TABLE t AS SELECT 1; INSERT INTO worlds DEFAULT VALUES")
        finally:
            owner.execute("DROP OWNED BY plain; DROP ROLE plain")


def test_another_database_is_read_where_it_is_and_never_made(store: Store) -> None:
    assert store.read_elsewhere("nowhere_db", "SELECT 1") is None
    store.database("elsewhere_db")
    try:
        assert store.read_elsewhere("elsewhere_db", "SELECT 1, 'a'") == [(1, "a")]
        assert store.read_elsewhere("elsewhere_db", "SELECT * FROM nothing") is None
        with pytest.raises(StoreError, match="read-only transaction"):
            store.read_elsewhere("elsewhere_db", "CREATE TABLE mine (n integer)")
    finally:
        with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute("DROP DATABASE elsewhere_db WITH (FORCE)")
