"""Sectors: which business a symbol is in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tandem.market import DataError
from tandem.store.connections import Connections

if TYPE_CHECKING:
    import pandas as pd


class Sectors:
    """The sector of every symbol that has one; names are lower case (`technology`)."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def load(self, sectors: "pd.DataFrame") -> int:
        """Set the sectors of these symbols; the number of rows that are new or changed.

        Args:
            sectors: columns `symbol, sector` and optionally `industry, source`. The last row of a symbol counts.

        Raises:
            DataError: a column or a value is missing.
        """
        if missing := {"symbol", "sector"} - set(sectors.columns):
            raise DataError(f"a sectors table without {', '.join(sorted(missing))}")
        if sectors[["symbol", "sector"]].isna().any(axis=None):
            raise DataError("a sectors table with an empty symbol or sector")
        rows = sectors.drop_duplicates("symbol", keep="last")
        columns = [
            [str(value) for value in rows["symbol"]],
            [str(value).strip().lower() for value in rows["sector"]],
            *(_texts(rows, name) for name in ("industry", "source")),
        ]
        with self._connections.use() as connection:
            return connection.execute(LOAD, columns).rowcount

    def of(self, symbols: Sequence[str]) -> dict[str, str]:
        """The sectors of these symbols; one that has none is left out."""
        with self._connections.use() as connection:
            rows = connection.execute(OF, [list(symbols)]).fetchall()
        return dict(cast(list[tuple[str, str]], rows))

    def symbols(self, sector: str) -> list[str]:
        """The symbols of a sector, sorted."""
        with self._connections.use() as connection:
            rows = connection.execute(SYMBOLS, [sector.strip().lower()]).fetchall()
        return [cast(str, row[0]) for row in rows]

    def all(self) -> "pd.DataFrame":
        """The whole table: `symbol, sector, industry, source`, sorted by symbol."""
        import pandas as pd

        with self._connections.use() as connection:
            rows = connection.execute(ALL).fetchall()
        return pd.DataFrame(rows, columns=["symbol", "sector", "industry", "source"], dtype="str")


def _texts(rows: "pd.DataFrame", name: str) -> list[str]:
    if name not in rows:
        return [""] * len(rows)
    return [str(value) for value in rows[name].fillna("")]


LOAD = """
INSERT INTO sectors AS known (symbol, sector, industry, source)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT (symbol) DO UPDATE
SET sector = excluded.sector, industry = excluded.industry, source = excluded.source
WHERE (known.sector, known.industry, known.source)
      IS DISTINCT FROM (excluded.sector, excluded.industry, excluded.source)
"""
OF = "SELECT symbol, sector FROM sectors WHERE symbol = ANY(%s) ORDER BY symbol"
SYMBOLS = "SELECT symbol FROM sectors WHERE sector = %s ORDER BY symbol"
ALL = "SELECT symbol, sector, industry, source FROM sectors ORDER BY symbol"
