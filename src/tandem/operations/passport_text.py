"""What is on record of one pair, on a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tandem.desk import ConfiguredPair, TradingConfiguration, refusal_of
from tandem.market import DataError, Pair
from tandem.operations.findings import WIDTH
from tandem.operations.pairs_section import properties
from tandem.screening import PairTable, Passport
from tandem.store import Facts, Store

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_passport(
    store: Store, facts: Facts, configuration: TradingConfiguration, pair: Pair, console: "Console"
) -> None:
    """Print a pair's passport and where it stands, or the gate that refused it.

    Args:
        facts: of the configuration's world.
        pair: its legs in any order.

    Raises:
        DataError: the day's screen did not consider it.
    """
    configured = configuration.of(pair)
    width = min(console.width, WIDTH)
    for line in _head(store, configuration, pair, configured):
        console.print(line, width=width, highlight=False)
    if configured is not None and (passport := _passport(facts, configured)) is not None:
        console.print(_table(passport), width=width, highlight=False)


def _head(
    store: Store, configuration: TradingConfiguration, pair: Pair, configured: ConfiguredPair | None
) -> Iterator[str]:
    where = f"{configuration.session}, version {configuration.version} in {configuration.world}"
    yield f"[bold]{pair}[/]  {where}"
    if configured is not None:
        yield f"It is {configured.life.state}: {configured.life.why}."
    if configured is None or not configured.is_selected:
        table = PairTable.from_bytes(store.blobs.get(configuration.screen))
        if not set(pair.symbols) <= set(table.symbols):
            raise DataError(f"{pair} was not screened for {configuration.session}", "See `tandem identify --refusals`")
        if refusal := refusal_of(table, pair):
            yield f"Refused at {refusal.reason}: {refusal.why}."


def _passport(facts: Facts, configured: ConfiguredPair) -> Passport | None:
    found = facts.read(Passport, pair=str(configured.pair))
    return next((record.body for record in found if record.key == configured.passport), None)


def _table(passport: Passport) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_row("Selected for", str(passport.session), f"[dim]rank {passport.rank}, {passport.sector}[/]")
    for name, meaning, show in properties():
        table.add_row(name, show(passport), f"[dim]{meaning}[/]")
    return table
