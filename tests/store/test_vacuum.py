"""Vacuuming: the tables that need it, in the time there is."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tandem.store import Store, vacuum


@contextmanager
def connected(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def fill(url: str, table: str = "sectors") -> None:
    with connected(url) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (symbol text, sector text)")  # type: ignore[arg-type]
        connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")  # type: ignore[arg-type]
        connection.execute(f"INSERT INTO {table} (symbol, sector) SELECT n::text, 's' FROM generate_series(1, 2000) n")  # type: ignore[arg-type]
        connection.execute("SELECT pg_stat_force_next_flush()")


def test_what_changed_much_is_vacuumed_once(store: Store) -> None:
    fill(store.url)
    assert vacuum(store.url, seconds=60, dry=True)[0].tables == ("sectors",)
    assert vacuum(store.url, seconds=60)[0].tables == ("sectors",)
    assert vacuum(store.url, seconds=60)[0].tables == ()


def test_without_time_tables_are_left(store: Store) -> None:
    fill(store.url)
    found = vacuum(store.url, seconds=0)[0]
    assert (found.tables, found.left) == ((), ("sectors",))


def test_a_table_that_somebody_holds_is_left(store: Store) -> None:
    fill(store.url)
    with connected(store.url) as holder, holder.transaction():
        holder.execute("LOCK TABLE sectors IN ACCESS EXCLUSIVE MODE")
        assert vacuum(store.url, seconds=60)[0].left == ("sectors",)


def test_other_databases_are_entered_where_they_are(store: Store) -> None:
    fill(store.database("side_by_side"), "notes")
    found = vacuum(store.url, ("side_by_side", "nowhere"), seconds=60)
    assert [(each.database, each.tables) for each in found[1:]] == [("side_by_side", ("notes",))]
    with connected(store.url) as connection:
        connection.execute("DROP DATABASE side_by_side WITH (FORCE)")
