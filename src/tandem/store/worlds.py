"""The register of worlds."""

from typing import cast

from tandem.market import World, WorldKind
from tandem.store.connections import Connections

Row = tuple[WorldKind, int, int]


class Worlds:
    """Which worlds there are; each has a run number that no other has."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def new(self, kind: WorldKind, label: str = "") -> World:
        """A world with the next run number."""
        with self._connections.use() as connection:
            while True:
                row = connection.execute(NEW, [kind, label]).fetchone()
                if row is not None:
                    return World(kind, cast(int, row[0]))

    def number(self, world: World) -> int:
        """The key of a world in other tables; the world is registered where it is not yet."""
        key = [world.kind, world.run, world.loop]
        with self._connections.use() as connection:
            row = connection.execute(FIND, key).fetchone()
            if row is None:
                connection.execute(REGISTER, key)
                row = connection.execute(FIND, key).fetchone()
        assert row is not None
        return cast(int, row[0])

    def all(self) -> list[World]:
        """Every world, oldest first."""
        with self._connections.use() as connection:
            rows = cast(list[Row], connection.execute("SELECT kind, run, loop FROM worlds ORDER BY id").fetchall())
        return [World(WorldKind(kind), run, loop) for kind, run, loop in rows]

    def label(self, world: World) -> str:
        """What its maker called it; empty where it has no name."""
        with self._connections.use() as connection:
            row = connection.execute(LABEL, [world.kind, world.run, world.loop]).fetchone()
        return cast(str, row[0]) if row else ""


NEW = """
INSERT INTO worlds (kind, run, label) VALUES (%s, nextval('world_runs'), %s) ON CONFLICT DO NOTHING RETURNING run
"""
REGISTER = "INSERT INTO worlds (kind, run, loop) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
FIND = "SELECT id FROM worlds WHERE kind = %s AND run = %s AND loop = %s"
LABEL = "SELECT label FROM worlds WHERE kind = %s AND run = %s AND loop = %s"
