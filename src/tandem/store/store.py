"""The store: one PostgreSQL database with everything Tandem knows."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tandem.config import Settings
from tandem.market import StoreError, World, WorldKind
from tandem.store.address import database_of, on_same_server, shown
from tandem.store.bars.bars import Bars
from tandem.store.blobs import Blobs
from tandem.store.connections import Connections
from tandem.store.facts import PostgresFacts
from tandem.store.history import History
from tandem.store.leases import Leases
from tandem.store.ledger import Ledger
from tandem.store.migrate import migrate
from tandem.store.paper import PaperAccount, newest
from tandem.store.reader import read_elsewhere, read_only
from tandem.store.sectors import Sectors
from tandem.store.server import Server
from tandem.store.tail import Tail
from tandem.store.worlds import Worlds

DATABASE = "tandem"
CREATING = 0x7A4D_0002


class Store:
    """One connected, migrated database. Several threads and processes may use it at once.

    Attributes:
        url: SQLAlchemy's URL of the database; it holds the password where there is one.
        bars: prices.
        sectors: which business a symbol is in.
        blobs: bytes by their digest.
        leases: what may be done once per trading day.
        ledger: everything that was tried.
        history: rows of the views of history.
        server: the embedded server, None where the user's own is used.
    """

    def __init__(self, connections: Connections, server: Server | None = None, cache: Path | None = None) -> None:
        self._connections = connections
        self._worlds = Worlds(connections)
        self.server = server
        self.bars = Bars(connections, cache)
        self.sectors = Sectors(connections)
        self.blobs = Blobs(connections)
        self.leases = Leases(connections, self._worlds)
        self.ledger = Ledger(connections)
        self.history = History(connections)
        self._number = lru_cache(maxsize=None)(self._worlds.number)

    @classmethod
    def open(cls, home: Path, database_url: str | None = None) -> Self:
        """Connect and bring the schema up to date; without a URL start or join the embedded server in `home`.

        Raises:
            StoreError: the server cannot start, does not answer, or was made by a newer Tandem.
        """
        cache = home.expanduser().absolute() / "cache" / "bars"
        if database_url:
            return cls._connected(Connections(database_url), None, cache)
        server = Server(home)
        try:
            _create_database(server.url("postgres"), DATABASE)
            return cls._connected(Connections(server.url(DATABASE), server.ensure), server, cache)
        except BaseException:
            server.close()
            raise

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The store that settings name.

        Raises:
            StoreError: as `open`.
        """
        return cls.open(settings.home, settings.database_url.get_secret_value() if settings.database_url else None)

    @classmethod
    def _connected(cls, connections: Connections, server: Server | None, cache: Path) -> Self:
        try:
            migrate(connections)
        except BaseException:
            connections.close()
            raise
        return cls(connections, server, cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({shown(self.url)})"

    def close(self) -> None:
        """Let go of the database; an embedded server stops with its last user."""
        self._connections.close()
        if self.server is not None:
            self.server.close()

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database, `postgresql+psycopg://...`."""
        return self._connections.url

    def database(self, name: str) -> str:
        """The URL of another database on the same server, created where it is missing.

        Raises:
            StoreError: the server does not let this user create it.
        """
        _create_database(self.url, name)
        return on_same_server(self.url, name)

    def facts(self, world: World) -> PostgresFacts:
        """The facts of a world."""
        return PostgresFacts(self._connections, world, self._number(world))

    def tail(
        self,
        world: World,
        kinds: Sequence[str],
        *,
        many: Sequence[str] = (),
        newest: int = 0,
        blank: Sequence[str] = (),
    ) -> Tail:
        """The facts of a world as they come; see `Tail`."""
        return Tail(self._connections, self._number(world), kinds, many=many, newest=newest, blank=blank)

    def reader(self) -> Self:
        """The same database for who may only read it; the caller closes it before this one.

        Its transactions are read-only. Where the server lets us, it has a role that may select and nothing else.
        """
        wake = self.server.ensure if self.server is not None else None
        return type(self)(Connections(read_only(self._connections), wake))

    def read_elsewhere(self, name: str, query: str) -> list[tuple[object, ...]] | None:
        """Rows of another database on the same server, in a read-only transaction; None where it or a table is missing.

        Args:
            name: of the database.
            query: SQL.
        """
        return read_elsewhere(self._connections, name, query)

    def paper(self, world: World) -> PaperAccount:
        """The paper account of a world."""
        return PaperAccount(self._connections, world, self._number(world))

    def newest_paper(self) -> World | None:
        """The youngest world with a paper account, None where there is none."""
        found = newest(self._connections)
        return None if found is None else World(WorldKind(found[0]), *found[1:])

    def new_world(self, kind: WorldKind, label: str = "") -> World:
        """A world with a run number that no other has."""
        return self._worlds.new(kind, label)

    def worlds(self) -> list[World]:
        """Every world, oldest first."""
        return self._worlds.all()

    def label(self, world: World) -> str:
        """What the maker of a world called it."""
        return self._worlds.label(world)


def _create_database(url: str, name: str) -> None:
    if name == database_of(url):
        return
    connections = Connections(url)
    try:
        with connections.use() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [CREATING])
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except StoreError as error:
        if isinstance(error.__cause__, psycopg.errors.DuplicateDatabase | psycopg.errors.UniqueViolation):
            return
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            raise StoreError(f"the database {name} does not exist and may not be created", f"Create {name}") from None
        raise
    finally:
        connections.close()
