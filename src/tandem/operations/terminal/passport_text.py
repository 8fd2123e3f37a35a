"""What is on record of one pair, on a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tandem.desk import ConfiguredPair, TradingConfiguration, refusal_of
from tandem.market import DataError, Pair
from tandem.operations.report.pairs import properties
from tandem.operations.terminal.findings import WIDTH
from tandem.screening import PairState, PairTable, Passport
from tandem.store import Facts, Store

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STANDS: Final = {state: "on probation" if state is PairState.PROBATION else str(state) for state in PairState}


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
    if configured is not None and (passport := _passport(facts, configuration, configured)):
        console.print(_table(passport), width=width, highlight=False)


def _head(
    store: Store, configuration: TradingConfiguration, pair: Pair, configured: ConfiguredPair | None
) -> Iterator[str]:
    where = f"{configuration.session}, version {configuration.version} in {configuration.world}"
    yield f"[bold]{pair}[/]  {where}"
    if configured is not None:
        yield f"It is {STANDS[configured.life.state]}: {configured.life.why}."
    if configured is None or not configured.is_selected:
        table = PairTable.from_bytes(store.blobs.get(configuration.screen))
        is_known = set(pair.symbols) <= set(table.symbols)
        if configured is None and not is_known:
            raise DataError(f"{pair} was not screened for {configuration.session}", "See `tandem identify --refusals`")
        if configured is None and (refusal := refusal_of(table, pair)):
            yield f"Refused at {refusal.reason}: {refusal.why}."


def _passport(facts: Facts, made: TradingConfiguration, configured: ConfiguredPair) -> Passport | None:
    """The one of the configuration, else the newest: a pair on probation was selected once."""
    found = {record.key: record.body for record in facts.read(Passport, pair=str(configured.pair))}
    earlier = (passport for passport in found.values() if passport.session <= made.session)
    return found.get(configured.passport) or max(earlier, key=lambda passport: passport.session, default=None)


def _table(passport: Passport) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_row("Selected for", str(passport.session), f"[dim]rank {passport.rank}, {passport.sector}[/]")
    for name, meaning, show in properties():
        table.add_row(name, show(passport), f"[dim]{meaning}[/]")
    return table
