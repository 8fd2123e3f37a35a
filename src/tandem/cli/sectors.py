"""`tandem sectors`: which symbol belongs to which sector."""

from pathlib import Path

from cyclopts import App

from tandem.cli.opening import open_store
from tandem.cli.table import show

app = App(name="sectors", help="Which symbol belongs to which sector.")

EMPTY = "No sectors yet. Run `tandem data load samples`, or `tandem sectors import FILE`."


@app.command(name="list")
def list_(sector: str = "", *, json: bool = False) -> None:
    """Print the sectors and how many symbols each has, or the symbols of one.

    Parameters
    ----------
    sector
        The one to list.
    json
        Print JSON.
    """
    from tandem.market import DataError

    with open_store() as store:
        table = store.sectors.all()
    if not sector:
        counts = table.groupby("sector", as_index=False).agg(symbols=("symbol", "size"))
        return show(counts, "Sectors", json=json, empty=EMPTY)
    members = table[table["sector"] == sector.strip().lower()]
    if members.empty and len(table):
        raise DataError(
            f"no symbols in the sector {sector}", f"Known sectors: {', '.join(sorted(set(table['sector'])))}"
        )
    return show(members, sector, json=json, empty=EMPTY)


@app.command(name="import")
def import_(path: Path, /) -> None:
    """Set the sectors of the symbols in a CSV file with the columns symbol, sector and, if known, industry.

    Parameters
    ----------
    path
        The file.
    """
    from tandem.sources import files

    table = files.sectors(path)
    with open_store() as store:
        changed = store.sectors.load(table)
    print(f"{len(table):,} symbols read, {changed:,} new or changed.")
