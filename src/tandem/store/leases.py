"""Leases: what may be done once per trading day."""

from datetime import date
from typing import cast

from tandem.market import World
from tandem.store.connections import Connections
from tandem.store.worlds import Worlds


class Leases:
    """One holder per world, trading day and purpose."""

    def __init__(self, connections: Connections, worlds: Worlds) -> None:
        self._connections = connections
        self._worlds = worlds

    def take(self, world: World, session: date, purpose: str, holder: str) -> bool:
        """Whether `holder` has the lease now: it was free, or it is taken again by the same holder."""
        self._insert(world, session, purpose, holder)
        return self.holder(world, session, purpose) == holder

    def holder(self, world: World, session: date, purpose: str) -> str | None:
        """Who has the lease."""
        with self._connections.use() as connection:
            row = connection.execute(HOLDER, [self._worlds.number(world), session, purpose]).fetchone()
        return cast(str, row[0]) if row else None

    def give_back(self, world: World, session: date, purpose: str, holder: str) -> bool:
        """Give up a lease, so that another holder may do the work; False where it was not held."""
        key = [self._worlds.number(world), session, purpose, holder]
        with self._connections.use() as connection:
            return connection.execute(GIVE_BACK, key).rowcount == 1

    def _insert(self, world: World, session: date, purpose: str, holder: str) -> None:
        key = [self._worlds.number(world), session, purpose, holder]
        with self._connections.use() as connection:
            connection.execute(TAKE, key)


TAKE = "INSERT INTO leases (world, session, purpose, holder) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
HOLDER = "SELECT holder FROM leases WHERE world = %s AND session = %s AND purpose = %s"
GIVE_BACK = "DELETE FROM leases WHERE world = %s AND session = %s AND purpose = %s AND holder = %s"
