"""`tandem positions`: what the broker holds beside what Tandem opened."""

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from tandem.cli.opening import newest_world, open_store
from tandem.cli.table import show
from tandem.market import BrokerError, Position, World

if TYPE_CHECKING:
    import pandas as pd

    from tandem.config import Settings
    from tandem.store import Store

NONE: Final = Decimal(0)
NOT_OURS: Final = "not Tandem's: never touched"
MISSING: Final = "missing at the broker: look before you trade"


def positions(*, world: str = "", json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> int:
    """Show what the broker holds beside what Tandem opened.

    The exit status is 2 when shares that Tandem opened are not at the broker.

    Parameters
    ----------
    world
        Whose book, such as paper-3; without it the newest of the account that the settings name.
    json
        Print JSON.
    """
    from tandem.config import load

    settings = load()
    held = _held(settings)
    with open_store() as store:
        meant = newest_world(store, settings, world)
        book = _book(store, meant)
    table, missing = side_by_side(book, held)
    title = f"Positions, book of {meant}" if meant else "Positions; Tandem has not traded in this account"
    show(table, title, json=json, empty="No positions, at the broker or in Tandem's book.")
    return 2 if missing else 0


def side_by_side(book: Mapping[str, Decimal], held: Mapping[str, Position]) -> tuple["pd.DataFrame", bool]:
    """One row for each symbol that either knows, and whether shares of Tandem's are missing at the broker.

    Args:
        book: signed shares that Tandem opened, by symbol.
        held: what the broker holds, by symbol.
    """
    import pandas as pd

    from tandem.execution import reconcile

    split = reconcile(book, held)
    rows = [
        {
            "symbol": symbol,
            "broker": f"{held[symbol].qty:f}" if symbol in held else "0",
            "tandem": f"{book.get(symbol, NONE):f}",
            "note": MISSING if symbol in split.missing else NOT_OURS if symbol in split.foreign else "",
        }
        for symbol in sorted(book.keys() | held.keys())
    ]
    return pd.DataFrame(rows, columns=["symbol", "broker", "tandem", "note"]), bool(split.missing)


def _held(settings: "Settings") -> dict[str, Position]:
    from tandem.execution import AlpacaBroker

    if settings.websocket.mode == "recycler":
        # Keys for Alpaca are never sent to a recycler, which may be anybody's.
        key_id = os.environ.get("TANDEM_RECYCLER_KEY_ID", "recycler")
        secret_key = os.environ.get("TANDEM_RECYCLER_SECRET_KEY", "recycler")
        broker = AlpacaBroker(settings.websocket.recycler.server_url, key_id, secret_key)
    else:
        broker = AlpacaBroker(None, *settings.alpaca.keys(), paper=settings.alpaca.paper)
    try:
        return broker.positions()
    except BrokerError as error:
        if settings.websocket.mode != "recycler":
            raise
        url = settings.websocket.recycler.server_url
        raise BrokerError(f"the recycler at {url}: {error.what}", "Start it with `tandem recycler start`.") from None
    finally:
        broker.close()


def _book(store: "Store", world: World | None) -> dict[str, Decimal]:
    from tandem.book import Book

    return Book.from_facts(store.facts(world)).shares() if world else {}
