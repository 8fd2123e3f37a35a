"""Taking turns: what one process at a time may do with a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from tandem.store.connections import Connections

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
    connections = Connections(url)
    try:
        with connections.use() as connection:
            connection.execute(ALIVE)
            asked = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what])
            yield bool(cast(tuple[bool], asked.fetchone())[0])
    finally:
        connections.close()


@contextmanager
def turn(url: str, what: str) -> Iterator[None]:
    """Keep every other process from doing the same at the same time; a process that dies gives its turn up.

    Args:
        url: of the database.
        what: any name.

    Raises:
        StoreError: within the `with` block, the database refuses, or another holds the turn for too long.
    """
    connections = Connections(url)
    try:
        with connections.use() as connection:
            connection.execute(ALIVE)
            connection.execute(f"SET lock_timeout = '{PATIENCE}'")
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [what])
            yield
    finally:
        connections.close()
