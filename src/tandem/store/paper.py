"""The paper broker's accounts: what a recycler finds again after its death."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import psycopg

from tandem.market import StoreError, World
from tandem.store.connections import Connection, Connections, reason

HELD = 0x7A4D_0003


class PaperTaken(StoreError):
    """Another process has taken the account over since."""

    after = "stop"


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as it stands.

    Attributes:
        id: the broker's own, one per order and world.
        accepted, updated: market time, UTC.
        body: everything about it, as JSON.
    """

    client_order_id: str
    id: UUID
    symbol: str
    status: str
    accepted: datetime
    updated: datetime
    body: str


@dataclass(frozen=True, slots=True)
class PaperExecution:
    """Shares that changed hands.

    Attributes:
        id: unique in its world; recording it again changes nothing.
        at: market time, UTC.
        body: everything about it, as JSON.
    """

    id: str
    client_order_id: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class PaperCharge:
    """Dollars that were charged for shares held short.

    Attributes:
        number: how many charges the account had with this one; recording it again changes nothing.
        day: New York date.
        dollars: positive.
    """

    number: int
    day: date
    symbol: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class PaperEntry:
    """What one commit brings, all of it or nothing.

    Attributes:
        ledger: cash and holdings as JSON, with `cash` and `realised` as text; None leaves them.
        place: where the replay stands, as JSON; None leaves it.
        reel: what is replayed, as JSON; None leaves it.
        orders: each as it stands now.
        executions, charges: the new ones.
        documents: name to JSON, replaced where the name is known.
    """

    ledger: str | None = None
    place: str | None = None
    reel: str | None = None
    orders: tuple[PaperOrder, ...] = ()
    executions: tuple[PaperExecution, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    charges: tuple[PaperCharge, ...] = ()

    def then(self, later: "PaperEntry") -> "PaperEntry":
        """Both as one."""
        orders = {order.client_order_id: order for order in (*self.orders, *later.orders)}
        return PaperEntry(
            ledger=self.ledger if later.ledger is None else later.ledger,
            place=self.place if later.place is None else later.place,
            reel=self.reel if later.reel is None else later.reel,
            orders=tuple(orders.values()),
            executions=(*self.executions, *later.executions),
            documents={**self.documents, **later.documents},
            charges=(*self.charges, *later.charges),
        )


@dataclass(frozen=True, slots=True)
class PaperKept:
    """Everything that was committed, as JSON.

    Attributes:
        starting_cash: dollars.
        ledger, place, reel: as of the last commit that brought them, None before.
        orders, executions: in the order of their first recording.
        documents: by name.
        charges: by number.
    """

    starting_cash: Decimal
    ledger: str | None
    place: str | None
    reel: str | None
    orders: list[str]
    executions: list[str]
    documents: dict[str, str]
    charges: list[PaperCharge] = field(default_factory=list)


class PaperHold:
    """The only hand that writes an account; on one connection, and only inside `PaperAccount.hold`.

    Attributes:
        epoch: how often somebody has begun to hold the account; who comes later raises it.
    """

    def __init__(self, connection: Connection, world: World, number: int, epoch: int) -> None:
        self._connection = connection
        self._number = number
        self.world = world
        self.epoch = epoch

    def read(self) -> PaperKept:
        """What was committed.

        Raises:
            StoreError: there is no such account.
        """
        row = self._connection.execute(ACCOUNT, [self._number]).fetchone()
        if row is None:
            raise StoreError(f"{self.world} has no paper account", "Start one: `tandem recycler reset`.")
        cash, ledger, place, reel = cast(tuple[Decimal, str | None, str | None, str | None], row)
        documents = cast(list[tuple[str, str]], self._connection.execute(DOCUMENTS, [self._number]).fetchall())
        rows = self._connection.execute(CHARGES, [self._number]).fetchall()
        charges = [PaperCharge(*cast(tuple[int, date, str, Decimal], row)) for row in rows]
        return PaperKept(
            cash, ledger, place, reel, self._bodies(ORDERS), self._bodies(EXECUTIONS), dict(documents), charges
        )

    def check(self) -> None:
        """See that the account is still held.

        Raises:
            PaperTaken: it is another's now.
            StoreError: whether it is cannot be known.
        """
        try:
            row = self._connection.execute(EPOCH, [self._number]).fetchone()
        except psycopg.Error as error:
            raise StoreError(f"the account of {self.world} could not be read: {reason(error)}") from error
        if row != (self.epoch,):
            raise taken(self.world)

    def write(self, entry: PaperEntry) -> None:
        """Commit an entry; it is durable on return. Writing one again changes nothing.

        Raises:
            PaperTaken: the account is another's now; nothing was committed.
            StoreError: whether it was committed is not known.
        """
        try:
            written = self._connection.execute(WRITE, _parameters(self._number, self.epoch, entry)).fetchone()
        except psycopg.Error as error:
            raise StoreError(f"the account of {self.world} could not be written: {reason(error)}") from error
        if written is None:
            raise taken(self.world)

    def _bodies(self, query: str) -> list[str]:
        rows = cast(list[tuple[str]], self._connection.execute(query, [self._number]).fetchall())
        return [body for (body,) in rows]


class PaperAccount:
    """The paper account of one world."""

    def __init__(self, connections: Connections, world: World, number: int) -> None:
        self._connections = connections
        self._number = number
        self.world = world

    def open(self, cash: Decimal) -> None:
        """Make the account with this cash where it is missing; one that is there stays as it is."""
        with self._connections.use() as connection:
            connection.execute(OPEN, [self._number, cash])

    @property
    def starting_cash(self) -> Decimal | None:
        """Dollars that it began with, None where there is no account."""
        with self._connections.use() as connection:
            row = connection.execute(CASH, [self._number]).fetchone()
        return None if row is None else cast(Decimal, row[0])

    def charges(self, after: date, until: date) -> dict[str, Decimal]:
        """Dollars charged for shares held short on the days after one and up to another, by symbol."""
        with self._connections.use() as connection:
            rows = connection.execute(CHARGED, [self._number, after, until]).fetchall()
        return dict(cast(list[tuple[str, Decimal]], rows))

    @contextmanager
    def hold(self, seconds: float = 3.0, epoch: int | None = None) -> Iterator[PaperHold]:
        """Be the only one who uses the account, for the length of the block.

        Args:
            seconds: how long to wait for a holder that is about to end.
            epoch: of a hold whose connection was lost, to go on with it; None to begin a new one.

        Raises:
            PaperTaken: somebody has held it since that epoch.
            StoreError: another process holds it, or the store is away.
        """
        with self._connections.use() as connection:
            if epoch is not None:
                PaperHold(connection, self.world, self._number, epoch).check()
            self._lock(connection, seconds)
            try:
                yield self._held(connection, epoch)
            finally:
                if not connection.closed:
                    connection.execute("SELECT pg_advisory_unlock(%s, %s)", [HELD, self._number])

    def _held(self, connection: Connection, epoch: int | None) -> PaperHold:
        if epoch is None:
            row = connection.execute(RAISE, [self._number]).fetchone()
            return PaperHold(connection, self.world, self._number, cast(int, row[0]) if row else 0)
        hold = PaperHold(connection, self.world, self._number, epoch)
        hold.check()
        return hold

    def _lock(self, connection: Connection, seconds: float) -> None:
        connection.execute("SET synchronous_commit = on")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds * 1000:.0f}ms"])
        try:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", [HELD, self._number])
        except psycopg.errors.LockNotAvailable:
            raise StoreError(
                f"another recycler uses the account of {self.world}",
                "End that one, or start a new account: `tandem recycler reset`.",
            ) from None
        finally:
            connection.execute("RESET lock_timeout")


def newest(connections: Connections) -> tuple[str, int, int] | None:
    """Kind, run and loop of the youngest world with a paper account, None where there is none."""
    with connections.use() as connection:
        row = connection.execute(NEWEST).fetchone()
    return cast(tuple[str, int, int] | None, row)


def taken(world: World) -> PaperTaken:
    """What is told to a holder whose account is another's now."""
    return PaperTaken(f"another recycler took the account of {world} over", "Use that one, or end it and start again.")


def _parameters(number: int, epoch: int, entry: PaperEntry) -> dict[str, Any]:
    orders, executions, charges = entry.orders, entry.executions, entry.charges
    return {
        "world": number,
        "epoch": epoch,
        "ledger": entry.ledger,
        "place": entry.place,
        "reel": entry.reel,
        "client_order_ids": [order.client_order_id for order in orders],
        "ids": [order.id for order in orders],
        "symbols": [order.symbol for order in orders],
        "statuses": [order.status for order in orders],
        "accepted": [order.accepted for order in orders],
        "updated": [order.updated for order in orders],
        "orders": [order.body for order in orders],
        "execution_ids": [execution.id for execution in executions],
        "executed": [execution.client_order_id for execution in executions],
        "ats": [execution.at for execution in executions],
        "executions": [execution.body for execution in executions],
        "numbers": [charge.number for charge in charges],
        "days": [charge.day for charge in charges],
        "charged": [charge.symbol for charge in charges],
        "dollars": [charge.dollars for charge in charges],
        "names": list(entry.documents),
        "documents": list(entry.documents.values()),
    }


OPEN = "INSERT INTO paper_accounts (world, starting_cash) VALUES (%s, %s) ON CONFLICT DO NOTHING"
NEWEST = """
SELECT w.kind, w.run, w.loop FROM paper_accounts a JOIN worlds w ON w.id = a.world ORDER BY w.id DESC LIMIT 1
"""
CASH = "SELECT starting_cash FROM paper_accounts WHERE world = %s"
ACCOUNT = """
SELECT starting_cash, ledger::text, place::text, reel::text FROM paper_accounts WHERE world = %s
"""
ORDERS = "SELECT body::text FROM paper_orders WHERE world = %s ORDER BY number"
EXECUTIONS = "SELECT body::text FROM paper_executions WHERE world = %s ORDER BY number"
CHARGES = "SELECT number, day, symbol, dollars FROM paper_charges WHERE world = %s ORDER BY number"
CHARGED = """
SELECT symbol, sum(dollars) FROM paper_charges WHERE world = %s AND day > %s AND day <= %s GROUP BY symbol
"""
EPOCH = "SELECT epoch FROM paper_accounts WHERE world = %s"
RAISE = "UPDATE paper_accounts SET epoch = epoch + 1 WHERE world = %s RETURNING epoch"
DOCUMENTS = "SELECT name, body::text FROM paper_documents WHERE world = %s"
WRITE = """
WITH mine AS (
    UPDATE paper_accounts SET
        ledger = coalesce(%(ledger)s::jsonb, ledger),
        place = coalesce(%(place)s::jsonb, place),
        reel = coalesce(%(reel)s::jsonb, reel)
    WHERE world = %(world)s AND epoch = %(epoch)s
    RETURNING world
), orders AS (
    INSERT INTO paper_orders (world, client_order_id, id, symbol, status, accepted_at, updated_at, body)
    SELECT mine.world, g.client_order_id, g.id, g.symbol, g.status, g.accepted, g.updated, g.body::jsonb
    FROM mine, unnest(
        %(client_order_ids)s::text[], %(ids)s::uuid[], %(symbols)s::text[], %(statuses)s::text[],
        %(accepted)s::timestamptz[], %(updated)s::timestamptz[], %(orders)s::text[]
    ) WITH ORDINALITY AS g (client_order_id, id, symbol, status, accepted, updated, body, n)
    ORDER BY g.n
    ON CONFLICT (world, client_order_id) DO UPDATE
    SET status = excluded.status, updated_at = excluded.updated_at, body = excluded.body
), executions AS (
    INSERT INTO paper_executions (world, execution_id, client_order_id, at, body)
    SELECT mine.world, g.id, g.client_order_id, g.at, g.body::jsonb
    FROM mine, unnest(
        %(execution_ids)s::text[], %(executed)s::text[], %(ats)s::timestamptz[], %(executions)s::text[]
    ) WITH ORDINALITY AS g (id, client_order_id, at, body, n)
    ORDER BY g.n
    ON CONFLICT (world, execution_id) DO NOTHING
), charges AS (
    INSERT INTO paper_charges (world, number, day, symbol, dollars)
    SELECT mine.world, g.number, g.day, g.symbol, g.dollars
    FROM mine, unnest(
        %(numbers)s::integer[], %(days)s::date[], %(charged)s::text[], %(dollars)s::numeric[]
    ) AS g (number, day, symbol, dollars)
    ON CONFLICT (world, number) DO NOTHING
), documents AS (
    INSERT INTO paper_documents (world, name, body)
    SELECT mine.world, g.name, g.body::jsonb
    FROM mine, unnest(%(names)s::text[], %(documents)s::text[]) AS g (name, body)
    ON CONFLICT (world, name) DO UPDATE SET body = excluded.body
)
SELECT world FROM mine
"""
