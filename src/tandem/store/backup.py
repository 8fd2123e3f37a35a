"""Backups: a folder for a night of a kind of world with a dump of each database, whole or not there; and the way back.

    <home>/backups/2026-01-05-paper/
        manifest.json     what it holds, with the checksum of each file
        tandem.dump       PostgreSQL's custom format, for pg_restore
        mlflow_db.dump

Dumps of one backup are written by PostgreSQL's own `pg_dump`, that of Tandem's database from the very snapshot in which
its facts were hashed. The manifest is written last.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final, cast

import msgspec
from psycopg import sql

from tandem.market import DataError, StoreError, WorldKind
from tandem.store.address import database_of, on_same_server
from tandem.store.connections import Connection, Connections
from tandem.store.programs import MAJOR, program, run
from tandem.store.server import Server
from tandem.store.turn import turn

MANIFEST: Final = "manifest.json"
HALF: Final = ".half"
COMPRESSION: Final = "3"
BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Dump:
    """One database in a backup.

    Attributes:
        file: its name in the folder.
        bytes: its size.
        sha256: of the file.
    """

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FactsDigest:
    """All facts of all worlds, in the order of their recording.

    Attributes:
        rows: how many.
        sha256: of everything in them.
    """

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup's manifest says.

    Attributes:
        day: the trading date whose night it was made in.
        at: market time then, UTC.
        tandem: name of the database that has Tandem's facts.
        schema: revision of its schema.
        postgresql: version of the server.
        facts: what is on record in it.
        databases: its dump and the others', by the database's name.
        kind: of the world whose night it was; None where it was made before that was said.
    """

    day: date
    at: datetime
    tandem: str
    schema: str
    postgresql: str
    facts: FactsDigest
    databases: Mapping[str, Dump]
    kind: WorldKind | None = None

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.day}-{self.kind}" if self.kind else str(self.day)

    @property
    def bytes(self) -> int:
        """What the dumps take."""
        return sum(dump.bytes for dump in self.databases.values())


def back_up(
    url: str, others: tuple[str, ...], folder: Path, *, kind: WorldKind, day: date, at: datetime, keep: int
) -> tuple[Backup, list[str]]:
    """Dump a database and others on its server into a folder of the night; a second time the same night replaces it.

    Whatever ends it in the middle, there is no folder of the night, or a whole one.

    Args:
        url: of Tandem's database.
        others: names; one that does not exist is passed over.
        folder: of all backups.
        kind, day: of the world, and its trading date: what it is called.
        at: market time.
        keep: how many of this kind stay, the newest by when they were made; at least 1. Those of no kind are of any.

    Returns:
        The backup, and the names of those that had to go for it.

    Raises:
        StoreError: a dump cannot be made, or is not one that pg_restore can read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with turn(url, f"backups in {folder}"):
        for left in folder.glob(f"*{HALF}"):
            shutil.rmtree(left)
        half = folder / f"{day}-{kind}{HALF}"
        half.mkdir(mode=0o700)
        made = replace(_dumped(url, others, half, day, at), kind=kind)
        _write(half / MANIFEST, msgspec.json.format(msgspec.json.encode(made)))
        whole = folder / made.name
        if whole.exists():
            _discard(whole)
        half.rename(whole)
        _sync(folder)
        return made, _prune(folder, whole, kind, keep)


def backups(folder: Path) -> list[Path]:
    """The whole backups in a folder, the one made last first."""
    found = folder.glob(f"*/{MANIFEST}") if folder.exists() else []
    made = sorted(((path.stat().st_mtime_ns, path.parent) for path in found), reverse=True)
    return [path for _, path in made if path.suffix != HALF]


def checked(folder: Path) -> Backup:
    """What a backup's manifest says, after its files were compared with it.

    Raises:
        DataError: there is no manifest, or a file is missing or is not the one that was written.
    """
    said = _said(folder)
    for dump in said.databases.values():
        path = folder / dump.file
        if not path.exists() or _of_file(path) != dump:
            raise DataError(f"{path} is not the file that the manifest tells of", "Take another backup")
    return said


def restore(folder: Path, home: Path) -> Backup:
    """Make a new home, with an embedded server of its own, out of a backup; whole or not at all.

    Args:
        folder: of the backup.
        home: must not exist, or be empty.

    Raises:
        DataError: the backup is damaged, the home is taken, or what was restored is not what was backed up.
        StoreError: PostgreSQL refuses.
    """
    said = checked(folder)
    home = home.expanduser().absolute()
    if home.exists() and any(home.iterdir()):
        raise DataError(f"{home} is not empty", "Name a folder that does not exist yet")
    half = home.with_name(f"{home.name}{HALF}")
    _forget(half)
    with _server(half) as server:
        for name, dump in said.databases.items():
            _restore(server.url("postgres"), "tandem" if name == said.tandem else name, folder / dump.file)
        if (found := facts_digest(server.url("tandem"))) != said.facts:
            raise DataError(f"{found.rows} facts were restored, and they are not the {said.facts.rows} backed up")
    if home.exists():
        home.rmdir()
    half.rename(home)
    return said


def facts_digest(url: str) -> FactsDigest:
    """What the facts of a database hash to.

    Raises:
        StoreError: PostgreSQL is away.
    """
    connections = Connections(url)
    try:
        with connections.use() as connection:
            return _facts(connection)
    finally:
        connections.close()


def _dumped(url: str, others: tuple[str, ...], half: Path, day: date, at: datetime) -> Backup:
    connections = Connections(url)
    try:
        with connections.use() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            snapshot, version, revision = _about(connection)
            facts, own = _facts(connection), database_of(url)
            there = connection.execute(EXISTING, [list(others)]).fetchall()
            dumps = {own: _dump(url, half, f"--snapshot={snapshot}", server=version)}
    finally:
        connections.close()
    for (name,) in cast(list[tuple[str]], there):
        dumps[name] = _dump(on_same_server(url, name), half, server=version)
    return Backup(day, at, own, revision, f"{version // MAJOR}.{version % MAJOR}", facts, dumps)


def _about(connection: Connection) -> tuple[str, int, str]:
    row = connection.execute(ABOUT).fetchone()
    return cast(tuple[str, int, str], row)


def _facts(connection: Connection) -> FactsDigest:
    digest, rows = hashlib.sha256(), 0
    with connection.cursor() as cursor, cursor.copy(FACTS) as copy:
        for block in copy:
            digest.update(block)
            rows += bytes(block).count(b"\n")
    return FactsDigest(rows, digest.hexdigest())


def _dump(url: str, half: Path, *options: str, server: int) -> Dump:
    path = half / f"{database_of(url)}.dump"
    written = ["--format=custom", f"--compress={COMPRESSION}", "--no-password", f"--file={path}"]
    run(program("pg_dump", server), [*written, *options], url)
    path.chmod(0o600)
    run(program("pg_restore", server), ["--list", str(path)], url)
    _sync(path)
    return _of_file(path)


def _restore(postgres: str, name: str, path: Path) -> None:
    connections = Connections(postgres)
    try:
        with connections.use() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    finally:
        connections.close()
    url = on_same_server(postgres, name)
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-password"]
    run(program("pg_restore", 0), [*options, f"--dbname={name}", str(path)], url)


def _of_file(path: Path) -> Dump:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return Dump(path.name, path.stat().st_size, digest.hexdigest())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _said(folder: Path) -> Backup:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Backup)
    except (OSError, msgspec.MsgspecError) as error:
        why = f"{folder} is no backup: it has no {MANIFEST} that can be read"
        raise DataError(why, "Name another folder") from error


def _prune(folder: Path, newest: Path, kind: WorldKind, keep: int) -> list[str]:
    """By when they were made: dates of replays say nothing of that."""
    alike = [path for path in backups(folder) if path != newest and _kind(path) in (kind, None)]
    old = alike[max(0, keep - 1) :]
    for path in old:
        _discard(path)
    return sorted(path.name for path in old)


def _kind(folder: Path) -> WorldKind | None:
    try:
        return _said(folder).kind
    except DataError:
        return None


def _discard(whole: Path) -> None:
    """Under another name first, so that one half removed is never taken for a backup and the next run sweeps it."""
    half = whole.with_name(f"{whole.name}.old{HALF}")
    whole.rename(half)
    shutil.rmtree(half)


@contextmanager
def _server(home: Path) -> Iterator[Server]:
    """A server in a home that has stopped when the block ends, so that the home can be moved."""
    server = Server(home)
    try:
        yield server
    finally:
        server.close()
        if not server.has_stopped():
            raise StoreError(f"the server in {home} does not stop", "End what uses it, and run the same command again")


def _forget(half: Path) -> None:
    """What a restoring that was killed has left, once its server is gone."""
    if half.exists():
        if {path.name for path in half.iterdir()} - {"postgres"}:
            raise DataError(f"{half} is in the way and holds more than a restoring leaves", "Move it away")
        with _server(half):
            pass
        shutil.rmtree(half)


EXISTING: Final = """
SELECT datname FROM pg_database WHERE datname = ANY(%s) AND datname <> current_database() AND datallowconn
ORDER BY datname
"""
ABOUT: Final = """
SELECT pg_export_snapshot(), current_setting('server_version_num')::int, (SELECT version_num FROM alembic_version)
"""
FACTS: Final = """
COPY (
    SELECT w.kind, w.run, w.loop, f.session, f.kind, f.pair, extract(epoch FROM f.at), f.key, f.body
    FROM facts f JOIN worlds w ON w.id = f.world ORDER BY f.id
) TO STDOUT
"""
