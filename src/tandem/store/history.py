"""What the views of a world's history say, as rows."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, LiteralString, Protocol, TypeVar, cast

from psycopg import sql
from psycopg.rows import class_row

from tandem.market import World
from tandem.store.connections import Connections

BATCH = 5000


class Row(Protocol):
    """A row of a view, one field for each column that is read of it."""

    view: ClassVar[LiteralString]
    order: ClassVar[LiteralString]
    of_sector: ClassVar[LiteralString]


R = TypeVar("R", bound=Row)
OF_LEG = "split_part(pair, '/', 1) IN (SELECT symbol FROM sectors WHERE lower(sector) = lower(%(sector)s))"


@dataclass(frozen=True, slots=True)
class PairSession:
    """What a pair came to in a session, in dollars; None where nobody has attributed the session."""

    view: ClassVar = "pair_performance"
    order: ClassVar = "session, pair"
    of_sector: ClassVar = OF_LEG

    session: date
    pair: str
    trades: int
    closed: int
    net: Decimal | None
    gross: Decimal | None
    costs: Decimal | None
    borrow: Decimal | None
    slippage: Decimal | None
    pair_orders: int
    not_filled: int
    naked_seconds: float


@dataclass(frozen=True, slots=True)
class TradeSession:
    """What a trade came to in a session, by parts, in dollars; see `book.Parts`."""

    view: ClassVar = "performance_attribution"
    order: ClassVar = "session, opened_at, pair"
    of_sector: ClassVar = OF_LEG

    session: date
    pair: str
    opened_at: datetime
    direction: int
    net: Decimal
    gross: Decimal
    spread_move: Decimal
    hedge_drift: Decimal
    slippage: Decimal
    fees: Decimal
    costs: Decimal
    borrow: Decimal
    is_open: bool


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal of a pair, or a refusal, whose `action` is `refused`; figures None where there was no signal."""

    view: ClassVar = "trading_signal_history"
    order: ClassVar = "at, pair, fact"
    of_sector: ClassVar = OF_LEG

    session: date
    at: datetime
    pair: str
    action: str
    z: float | None
    probability: float | None
    confidence: float | None
    model: str | None
    refused_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ModelSession:
    """A recipe in a session: means over its pairs on the test block, then what its forecasts came to."""

    view: ClassVar = "model_performance_history"
    order: ClassVar = "session, sector, recipe"
    of_sector: ClassVar = "lower(sector) = lower(%(sector)s)"

    session: date
    sector: str
    recipe: str
    name: str | None
    refused: str
    f1_score: float | None
    base_rate: float | None
    mcc: float | None
    mcc_ar1: float | None
    roc_auc: float | None
    brier: float | None
    log_loss: float | None
    log_loss_ar1: float | None
    sharpe_ratio: float | None
    graded_forecasts: int | None
    graded_mcc: float | None
    graded_log_loss: float | None
    graded_log_loss_ar1: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows: all of them where nothing is said.

    Attributes:
        since, until: first and last trading date.
        pair: `A/B`.
        sector: whose models, or of whose leg a, in any case of letters.
    """

    since: date | None = None
    until: date | None = None
    pair: str | None = None
    sector: str | None = None


class History:
    """Reads the views that migration 0006 made."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def rows(self, kind: type[R], world: World, asked: Asked, where: LiteralString = "true") -> Iterator[R]:
        """Rows of a world in order of time, a batch at a time: a million of them need no more memory than a few.

        Args:
            where: a further condition in SQL.
        """
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
            _columns(kind), sql.Identifier(kind.view), _condition(kind, asked, where), sql.SQL(kind.order)
        )
        with (
            self._connections.use() as connection,
            connection.transaction(),
            connection.cursor("history", row_factory=class_row(kind)) as cursor,
        ):
            cursor.itersize = BATCH
            yield from cursor.execute(query, _parameters(world, asked))

    def newest(self, kind: type[R], world: World, asked: Asked, most: int, where: LiteralString = "true") -> list[R]:
        """The last rows, in order of time."""
        last = sql.SQL(", ").join(sql.SQL(f"{name} DESC") for name in kind.order.split(", "))
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
            _columns(kind), sql.Identifier(kind.view), _condition(kind, asked, where), last, sql.Literal(most)
        )
        with self._connections.use() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(query, _parameters(world, asked)).fetchall()[::-1]

    def counts(
        self, kind: type[R], world: World, asked: Asked, of: LiteralString, where: LiteralString = "true"
    ) -> dict[str, int]:
        """How many rows there are by a column, most first.

        Args:
            where: a further condition in SQL.
        """
        query = sql.SQL("SELECT {0}, count(*) FROM {1} WHERE {2} GROUP BY {0} ORDER BY count(*) DESC, {0}").format(
            sql.Identifier(of), sql.Identifier(kind.view), _condition(kind, asked, where)
        )
        with self._connections.use() as connection:
            found = connection.execute(query, _parameters(world, asked)).fetchall()
        return dict(cast(list[tuple[str, int]], found))

    def sessions(self, world: World, asked: Asked) -> list[date]:
        """Trading dates that a world had a plan for or traded in, oldest first; of `asked` the dates count."""
        with self._connections.use() as connection:
            rows = connection.execute(
                SESSIONS,
                {**_parameters(world, asked), "since": asked.since or date.min, "until": asked.until or date.max},
            ).fetchall()
        return [cast(date, row[0]) for row in rows]

    def pairs(self, world: World) -> list[str]:
        """Pairs that a world ever selected or traded, by name."""
        with self._connections.use() as connection:
            rows = connection.execute(PAIRS, {"world": str(world)}).fetchall()
        return [cast(str, row[0]) for row in rows]

    def sectors(self) -> list[str]:
        """Sectors that any symbol or model belongs to, by name."""
        with self._connections.use() as connection:
            rows = connection.execute(SECTORS).fetchall()
        return [cast(str, row[0]) for row in rows]


def _columns(kind: type[R]) -> sql.Composable:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _condition(kind: type[R], asked: Asked, where: LiteralString) -> sql.Composable:
    parts: list[LiteralString] = ["world = %(world)s", where]
    parts += ["session >= %(since)s"] if asked.since else []
    parts += ["session <= %(until)s"] if asked.until else []
    parts += ["pair = %(pair)s"] if asked.pair else []
    parts += [kind.of_sector] if asked.sector else []
    return sql.SQL(" AND ").join(map(sql.SQL, parts))


def _parameters(world: World, asked: Asked) -> dict[str, object]:
    return {
        "world": str(world),
        "since": asked.since,
        "until": asked.until,
        "pair": asked.pair,
        "sector": asked.sector,
    }


PAIRS = """
SELECT DISTINCT f.pair FROM facts f JOIN world_names w ON w.id = f.world
WHERE w.world = %(world)s AND f.kind IN ('passport', 'pair_order', 'attribution') AND f.pair IS NOT NULL ORDER BY 1
"""
SESSIONS = """
SELECT DISTINCT f.session FROM facts f JOIN world_names w ON w.id = f.world
WHERE w.world = %(world)s AND f.kind IN ('plan', 'attribution') AND f.session BETWEEN %(since)s AND %(until)s ORDER BY 1
"""
SECTORS = "SELECT DISTINCT sector FROM sectors UNION SELECT DISTINCT sector FROM model_stages ORDER BY 1"
