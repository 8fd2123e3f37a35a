"""Which of several series a decision reads, where a symbol has more than one for the same time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tandem.store.connections import Connection

if TYPE_CHECKING:
    from tandem.store.bars.block import Stretch

Prefer = Literal["adjusted", "seen"]
Place = tuple[str, ...]

SIMULATED: Final = "simulated"
ORDER: Final[Mapping[Prefer, tuple[str, ...]]] = {
    "adjusted": ("split", "all", "dividend", "raw"),
    "seen": ("raw", "split", "all", "dividend"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What one series has of one symbol, on one day or over a whole stretch."""

    place: Place
    source: str
    feed: str
    adjustment: str
    rows: int

    @property
    def series(self) -> tuple[str, str, str]:
        """Source, feed and adjustment."""
        return self.source, self.feed, self.adjustment


def chosen(connection: Connection, names: list[str], wanted: dict[str, Any], prefer: Prefer) -> dict[Place, Held]:
    """The series to read of each symbol (`adjusted`), or of each symbol and day (`seen`).

    Days begin at 4:00 UTC, at or just before midnight in New York.
    """
    rows = connection.execute(SERIES[prefer], {**wanted, "names": names}).fetchall()
    return best((Held(tuple(row[:-4]), *row[-4:]) for row in rows), prefer)  # type: ignore[arg-type]


def best(held: Iterable[Held], prefer: Prefer) -> dict[Place, Held]:
    """Of each place the series to read."""
    found: dict[Place, Held] = {}
    for one in sorted(held, key=lambda one: _rank(one, ORDER[prefer])):
        found.setdefault(one.place, one)
    return found


def among(
    stretches: "Iterable[Stretch]", series: Sequence[str | None], prefer: Prefer | None
) -> "list[Stretch] | None":
    """Those stretches of bars that are to be read, a series for each symbol; None where that takes a closer look.

    Args:
        series: source, feed and adjustment, None for any.
    """
    fitting = [one for one in stretches if _fits(one.block.series, series)]
    rows: Counter[tuple[str, tuple[str, str, str]]] = Counter()
    for one in fitting:
        rows[one.symbol, one.block.series] += len(one)
    if prefer != "adjusted":
        return fitting if len({symbol for symbol, _ in rows}) == len(rows) else None
    taken = best((Held((symbol,), *of, count) for (symbol, of), count in rows.items()), prefer)
    return [one for one in fitting if one.block.series == taken[one.symbol,].series]


def _fits(one: tuple[str, str, str], series: Sequence[str | None]) -> bool:
    return all(wanted in (None, own) for own, wanted in zip(one, series, strict=True))


def by_series(held: Iterable[Held]) -> dict[tuple[str, str, str], set[Place]]:
    """The places of each series."""
    found: dict[tuple[str, str, str], set[Place]] = {}
    for one in held:
        found.setdefault(one.series, set()).add(one.place)
    return found


def _rank(held: Held, order: tuple[str, ...]) -> tuple[Any, ...]:
    place = order.index(held.adjustment) if held.adjustment in order else len(order)
    return held.source == SIMULATED, place, -held.rows, held.source, held.feed


_OF: Final = """
FROM market_data
WHERE timeframe = %(timeframe)s AND symbol = ANY(%(names)s::text[]) AND timestamp >= %(first)s
  AND timestamp <= %(last)s AND world = %(world)s AND revision = 0
  AND data_source = coalesce(%(data_source)s, data_source) AND feed = coalesce(%(feed)s, feed)
  AND adjustment = coalesce(%(adjustment)s, adjustment)
"""
_DAY: Final = "(date_bin('1 day', timestamp, '2000-01-01 04:00+00') AT TIME ZONE 'UTC')::date::text"
SERIES: Final[Mapping[Prefer, Any]] = {
    "adjusted": f"""
SELECT symbol, data_source, feed, adjustment, count(*) {_OF} GROUP BY symbol, data_source, feed, adjustment
""",
    "seen": f"""
SELECT symbol, {_DAY} AS day, data_source, feed, adjustment, count(*) {_OF}
GROUP BY symbol, day, data_source, feed, adjustment
""",
}
