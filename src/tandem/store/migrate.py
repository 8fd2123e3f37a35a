"""Bringing a database to this version's schema."""

from pathlib import Path

import psycopg

from tandem.market import StoreError
from tandem.store.address import shown
from tandem.store.connections import Connection, Connections

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x7A4D_0001
OLDEST = 14_00_00


def head() -> str:
    """The newest revision this version knows: revisions are numbered files."""
    return max(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(connections: Connections) -> None:
    """Upgrade the schema to `head`; quick where it is there already, safe from several processes at once.

    Raises:
        StoreError: a newer version of Tandem made the schema, the server is too old, or it refuses.
    """
    with connections.use() as connection:
        if connection.info.server_version < OLDEST:
            raise StoreError(f"PostgreSQL at {shown(connections.url)} is too old", "Use version 14 or newer")
        if _revision(connection) == head():
            return
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            _upgrade(connections.url, _revision(connection))
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _revision(connection: Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(row[0]) if row else None


def _upgrade(url: str, revision: str | None) -> None:
    if revision == head():
        return
    if revision is not None and revision > head():
        raise StoreError("a newer version of Tandem made this database", "Upgrade Tandem")
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        said = str(error.orig).splitlines()[0]
        raise StoreError(f"the database could not be brought to this version's schema: {said}") from error
    finally:
        engine.dispose()
