"""Reading alone: a role that may select and nothing else, and transactions that write nothing whoever runs them."""

from typing import Final, cast
from urllib.parse import quote

import psycopg
from psycopg import sql

from tandem.market import StoreError
from tandem.store.address import on_same_server
from tandem.store.connections import Connections

READER: Final = "tandem_reader"
READ_ONLY: Final = "-c default_transaction_read_only=on"

MAKE: Final = (
    f"CREATE ROLE {READER} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE",
    f"GRANT {READER} TO CURRENT_USER",
)
GRANTS: Final = (
    f"GRANT USAGE ON SCHEMA public TO {READER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
)
TURN: Final = 0x7A4D_0003


def read_only(connections: Connections) -> str:
    """The URL of the same database with which nothing can be written.

    The role is made where it is missing and the server lets us; read-only transactions are asked for in any case.
    """
    options = READ_ONLY + (f" -c role={READER}" if _has_role(connections) else "")
    return _with_options(connections.url, options)


def read_elsewhere(connections: Connections, name: str, query: str) -> list[tuple[object, ...]] | None:
    """Rows of another database on the same server; None where there is no such database or table."""
    with connections.use() as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            return None
    other = Connections(_with_options(on_same_server(connections.url, name), READ_ONLY))
    try:
        with other.use() as connection:
            return connection.execute(cast(sql.SQL, query)).fetchall()
    except StoreError as error:
        if isinstance(error.__cause__, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            return None
        raise
    finally:
        other.close()


def _has_role(connections: Connections) -> bool:
    """Whether the role is there, may select, and is ours to take."""
    try:
        with connections.use() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
            is_new = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone() is None
            for statement in (*(MAKE if is_new else ()), *GRANTS):
                connection.execute(cast(sql.SQL, statement))
            connection.execute(f"SET LOCAL ROLE {READER}")
    except StoreError:
        return False
    return True


def _with_options(url: str, options: str) -> str:
    address, _, query = url.partition("?")
    parts = [part for part in query.split("&") if part]
    before = [part.partition("=")[2] for part in parts if part.startswith("options=")]
    others = [part for part in parts if not part.startswith("options=")]
    joined = "%20".join([*before, quote(options, safe="")])
    return f"{address}?{'&'.join([*others, f'options={joined}'])}"
