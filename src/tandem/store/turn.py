"""Taking turns: what one process at a time may do with a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from tandem.store.connections import Connection, Connections

PATIENCE: Final = "10min"
# A server elsewhere that hears nothing of a machine that is gone gives its turns up after half a minute, not two hours.
ALIVE: Final = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"


@contextmanager
def turn_if_free(url: str, what: str) -> Iterator[bool]:
    """Whether this is the only process that does a thing, for the length of the block; it does not wait for its turn.

    Args:
        url: of the database.
        what: any name.

    Raises:
        StoreError: within the `with` block, the database refuses.
    """
    with _connected(url) as connection:
        asked = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what])
        yield bool(cast(tuple[bool], asked.fetchone())[0])


@contextmanager
def turn(url: str, what: str) -> Iterator[None]:
    """Keep every other process from doing the same at the same time; a process that dies gives its turn up.

    Args:
        url: of the database.
        what: any name.

    Raises:
        StoreError: within the `with` block, the database refuses, or another holds the turn for too long.
    """
    with _connected(url) as connection:
        connection.execute(f"SET lock_timeout = '{PATIENCE}'")
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [what])
        yield


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """A connection of its own: whoever holds a turn keeps it open, and its end gives the turn up."""
    connections = Connections(url)
    try:
        with connections.use() as connection:
            connection.execute(ALIVE)
            yield connection
    finally:
        connections.close()
