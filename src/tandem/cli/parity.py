"""`tandem parity`: the demo's sessions through the recycler's sockets and in one process, compared."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tandem.cli.demo import sessions, settings_of
from tandem.cli.shipped import SYMBOLS
from tandem.market import WorldKind, follow_parent


def parity(*, out: Path = Path("var/demo"), delay_ms: float = 0.0) -> int:
    """Prove that replay and backtest trade alike: every signal, order and fill; the exit status tells.

    Parameters
    ----------
    out:
        Where the demo keeps its store.
    delay_ms:
        Every websocket message is late by a random time up to this.
    """
    from rich.console import Console

    from tandem.desk import Rehearsal, compare, in_one_process, prepare, through_sockets
    from tandem.sources import samples
    from tandem.store import Store

    console = Console(highlight=False)
    home = out.expanduser().resolve() / "home"
    settings, days = settings_of(home), tuple(session.day for session in sessions())
    with Store.open(home) as store, ProcessPoolExecutor(2, get_context("spawn"), follow_parent) as processes:
        samples.load(store)
        played, twin = store.new_world(WorldKind.RECYCLER, "parity"), store.new_world(WorldKind.BACKTEST, "parity")
        facts = store.facts(played)
        for session in sessions():
            with console.status(f"{session.day}: the plan that both will live by"):
                prepare(store, facts, session, settings, None)
        rehearsal = Rehearsal(home, settings, SYMBOLS, days, played)
        with console.status("trading: one world through sockets, the other in one process"):
            one = processes.submit(through_sockets, rehearsal, played, delay_ms)
            other = processes.submit(in_one_process, rehearsal, twin)
            one.result(), other.result()
        differences = compare(facts, store.facts(twin))
    for difference in differences:
        console.print(difference, soft_wrap=True)
    if differences:
        console.print(f"[red]{len(differences)} differences[/red] between {played} and {twin}")
        return 1
    console.print(f"[green]no difference[/green] between {played} (sockets) and {twin} (one process)")
    return 0
