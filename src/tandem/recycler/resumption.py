"""Starting a recycler: with a new account, or with the one that an earlier recycler left, wherever it was killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from tandem.market import RecyclerError
from tandem.matching import Engine, Place, Prices, Replay
from tandem.recycler.account import News, Recalled
from tandem.recycler.history import HOME, reel_of
from tandem.recycler.journal import Journal, MemoryJournal, PostgresJournal
from tandem.recycler.options import Options
from tandem.recycler.writer import Writer
from tandem.store import Store

REEL: Final = (
    *("symbols", "start", "end", "timeframe", "proxies", "any_proxy", "allow_simulated"),
    *("mode", "loop_count", "splice", "shuffle_seed", "timestamps"),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A replay with its account, and where that is kept."""

    replay: Replay
    journal: Journal


@contextmanager
def opened(options: Options) -> Iterator[Opening]:
    """What a recycler plays, for the length of the block.

    Raises:
        RecyclerError: a symbol has no bars, or the account holds something that is not on the reel.
        StoreError: the store is away, or another recycler uses the account.
    """
    if not options.durable:
        yield Opening(_replay(options), MemoryJournal())
        return
    if options.bars is not None:
        raise RecyclerError("an account cannot be kept beside a file of bars", "Load the bars into the store.")
    home = Path(os.environ.get("TANDEM_HOME", HOME)).expanduser()
    with Store.open(home, os.environ.get("TANDEM_DATABASE_URL")) as store, _resumed(options, store) as found:
        yield found


def description(options: Options) -> dict[str, Any]:
    """What is replayed, in words that JSON keeps: a recycler goes on where another one stood that says the same."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({name: getattr(options, name) for name in REEL}))
    return told


@contextmanager
def _resumed(options: Options, store: Store) -> Iterator[Opening]:
    writer = Writer(store.paper, options.world, options.cash)
    try:
        known = Recalled.of(writer.kept)
        replay = _continued(options, known)
        if replay is None:
            if options.timestamps == "original" and known.changed is not None:
                writer.end()
                options = replace(options, world=replace(options.world, loop=options.world.loop + 1))
                writer = Writer(store.paper, options.world, options.cash)
                known = Recalled.of(writer.kept)
            replay = _begun(options, known)
        journal = PostgresJournal(News(replay, description(options)), writer)
        try:
            yield Opening(replay, journal)
        finally:
            journal.close()
    finally:
        writer.end()


def _continued(options: Options, known: Recalled) -> Replay | None:
    if known.place is None or known.reel != description(options):
        return None
    replay = _replay(replace(options, cash=known.cash), known.place)
    known.restore(replay)
    return None if replay.next_mark is None else replay


def _begun(options: Options, known: Recalled) -> Replay:
    strangers = sorted(known.symbols - set(options.symbols))
    if strangers:
        raise RecyclerError(
            f"the account of {options.world} holds {', '.join(strangers)}, which would not be played",
            "Add them with --symbols, or start a new account: `tandem recycler reset`.",
        )
    replay = _replay(replace(options, cash=known.cash))
    known.restore(replay)
    for ticket in replay.engine.open_tickets():
        if (now := replay.engine.ticket(ticket.client_order_id)) is not None and now.is_open:
            replay.engine.cancel(ticket.client_order_id, now.last.at)
    return replay


def _replay(options: Options, place: Place | None = None) -> Replay:
    reel = reel_of(options)
    engine = Engine(
        options.world,
        options.cash,
        options.costs,
        Prices(reel.symbols),
        fills=options.fills,
        seed=options.fills_seed,
    )
    return Replay(reel, engine, place)
