"""Vacuuming: tables that changed much since PostgreSQL last looked at them."""

from dataclasses import dataclass
from typing import Final, cast

import psycopg
from psycopg import sql

from tandem.market import Stopwatch, StoreError
from tandem.store.address import database_of, on_same_server
from tandem.store.connections import Connection, Connections

CHANGED: Final = 500
SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What became of one database.

    Attributes:
        tables: those that were vacuumed and analysed.
        left: those that there was no time for, or that somebody else held.
    """

    database: str
    tables: tuple[str, ...]
    left: tuple[str, ...] = ()


def vacuum(url: str, others: tuple[str, ...] = (), *, seconds: float, dry: bool = False) -> list[Vacuumed]:
    """VACUUM (ANALYZE) the tables that need it: of a database, and of others on its server that this user may enter.

    Args:
        url: of the first database.
        others: names; one that does not exist is passed over.
        seconds: for all of it; what is under way then is ended and counts as left.
        dry: only say which tables need it.

    Raises:
        StoreError: PostgreSQL is away.
    """
    watch = Stopwatch()
    found = [_vacuumed(url, seconds, watch, dry)]
    for name in _known(url, others):
        try:
            found.append(_vacuumed(on_same_server(url, name), seconds, watch, dry))
        except StoreError as error:
            found.append(Vacuumed(name, (), (error.what,)))
    return found


def _known(url: str, names: tuple[str, ...]) -> list[str]:
    connections = Connections(url)
    try:
        with connections.use() as connection:
            return [cast(str, row[0]) for row in connection.execute(KNOWN, [list(names)]).fetchall()]
    finally:
        connections.close()


def _vacuumed(url: str, seconds: float, watch: Stopwatch, dry: bool) -> Vacuumed:
    connections = Connections(url)
    done: list[str] = []
    left: list[str] = []
    try:
        with connections.use() as connection:
            needed = cast(list[tuple[str, str]], connection.execute(NEEDED, [CHANGED, SHARE]).fetchall())
            for schema, table in needed:
                taken = dry or _vacuum(connection, sql.Identifier(schema, table), seconds - watch.seconds)
                (done if taken else left).append(table)
    finally:
        connections.close()
    return Vacuumed(database_of(url), tuple(done), tuple(left))


def _vacuum(connection: Connection, table: sql.Identifier, seconds: float) -> bool:
    """Whether there was time for it and nobody held the table."""
    if seconds <= 0:
        return False
    connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(max(1, int(seconds * 1000)))))
    connection.execute("SET lock_timeout = '2s'")
    try:
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return False
    return True


KNOWN: Final = """
SELECT datname FROM pg_database
WHERE datname = ANY(%s) AND datname <> current_database() AND datallowconn AND has_database_privilege(oid, 'CONNECT')
ORDER BY datname
"""
# Rows in the statistics are estimates; a table that was never analysed has none.
NEEDED: Final = """
SELECT s.schemaname, s.relname FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE greatest(s.n_dead_tup, s.n_mod_since_analyze) >= %s + %s * s.n_live_tup
  AND pg_has_role(c.relowner, 'USAGE') AND c.relkind = 'r'
ORDER BY greatest(s.n_dead_tup, s.n_mod_since_analyze) DESC, s.relname
"""
