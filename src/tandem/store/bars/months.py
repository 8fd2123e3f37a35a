"""The monthly partitions of `market_data`, made when their first bar comes."""

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from tandem.store.connections import Connection

LOCK = 0x7A4D
Month = np.datetime64


def months_of(start: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The month of each start, UTC."""
    return start.astype("datetime64[M]")


def table_of(month: Month) -> sql.Identifier:
    """The partition's name."""
    return sql.Identifier(_name(month))


def claim_new(connection: Connection, months: list[Month]) -> list[Month]:
    """Those months that have no partition; nobody else can make one until the transaction ends.

    All locks are taken at once and in order, so that two loads cannot wait for each other.
    """
    for month in _missing(connection, sorted(months)):
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, int(month.astype(np.int64))])
    return _missing(connection, sorted(months))


def create(connection: Connection, month: Month) -> None:
    """A table of the month that is not a partition yet: it is filled first, then `attach`ed."""
    statement = "CREATE TABLE {} (LIKE market_data INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    connection.execute(sql.SQL(statement).format(table_of(month)))


def attach(connection: Connection, month: Month) -> None:
    """Make the filled table a partition; its index is built now, which is quicker than row by row."""
    connection.execute(sql.SQL("CALL watch_bars({}::regclass)").format(sql.Literal(_name(month))))
    statement = "ALTER TABLE market_data ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})"
    bounds = (_midnight(month), _midnight(month + np.timedelta64(1, "M")))
    connection.execute(sql.SQL(statement).format(table_of(month), *map(sql.Literal, bounds)))


def _missing(connection: Connection, months: list[Month]) -> list[Month]:
    present = {row[0] for row in connection.execute(PARTITIONS).fetchall()}
    return [month for month in months if _name(month) not in present]


def _name(month: Month) -> str:
    return f"market_data_{str(month).replace('-', '_')}"


# Read as a table: the catalogue's caches, which to_regclass asks, may be older than the locks just taken.
PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'market_data'::regclass
"""


def _midnight(month: Month) -> str:
    return f"{month}-01 00:00:00+00"
