"""Starting a recycler: with a new account, or with the one that an earlier recycler left, wherever it was killed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import msgspec

from tandem.market import RecyclerError
from tandem.matching import Replay
from tandem.recycler.account.account import News, Recalled
from tandem.recycler.account.journal import Journal, MemoryJournal, PostgresJournal
from tandem.recycler.account.writer import Writer
from tandem.recycler.options import Options
from tandem.recycler.reel.billing import record_start
from tandem.recycler.reel.programme import NotBefore, Now, replay_of
from tandem.recycler.reel.shelf import Shelf, open_shelf
from tandem.store import Facts, Store

MINUTE: Final = timedelta(minutes=1)
REEL: Final = (
    *("symbols", "start", "end", "timeframe", "proxies", "any_proxy", "allow_simulated"),
    *("mode", "loop_count", "splice", "shuffle_seed", "timestamps"),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A replay with its account.

    Attributes:
        journal: where the account is kept.
        shelf: where its bars and their history are read.
        facts: of its world; None without a store.
        account: why it has a new account instead of the one that stood; empty where it has not.
    """

    replay: Replay
    journal: Journal
    shelf: Shelf
    facts: Facts | None
    account: str = ""


@contextmanager
def opened(options: Options, clock: Now) -> Iterator[Opening]:
    """What a recycler plays, for the length of the block.

    Args:
        clock: the wall clock.

    Raises:
        RecyclerError: a symbol has no bars, or the account holds something that is not on the reel.
        StoreError: the store is away, or another recycler uses the account.
    """
    if options.durable and options.bars is not None:
        raise RecyclerError("an account is not kept beside a file of bars", "Load the bars into the store.")
    with open_shelf(options) as shelf:
        if shelf.store is None or not options.durable:
            yield _opening(replay_of(options, shelf, clock), MemoryJournal(), shelf, options)
        else:
            with _resumed(options, shelf, shelf.store, clock) as found:
                yield found


def description(options: Options) -> dict[str, Any]:
    """What is replayed, in words that JSON keeps: a recycler goes on where another one stood that says the same."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({name: getattr(options, name) for name in REEL}))
    return told


@contextmanager
def _resumed(options: Options, shelf: Shelf, store: Store, clock: Now) -> Iterator[Opening]:
    with ExitStack() as stack:
        writer = _writer(options, store, stack)
        known = Recalled.of(writer.kept)
        replay = _continued(options, shelf, clock, known)
        account = ""
        if replay is None and known.changed is not None and options.timestamps == "original":
            writer.end()
            before, options = known, replace(options, world=replace(options.world, loop=options.world.loop + 1))
            writer = _writer(options, store, stack)
            known = Recalled.of(writer.kept)
            account = _why(options, before, known)
        replay = replay or _begun(options, shelf, clock, known)
        journal = PostgresJournal(News(replay, description(options)), writer)
        stack.callback(journal.close)
        yield replace(_opening(replay, journal, shelf, options), account=account)


def _why(options: Options, before: Recalled, known: Recalled) -> str:
    ended = before.reel == description(options)
    cause = "its days had been played to their end" if ended else "what is played has changed"
    old = replace(options.world, loop=options.world.loop - 1)
    return f"{options.world}: a new account with ${known.cash:,f}, because {cause}; {old} stays as it is."


def _writer(options: Options, store: Store, stack: ExitStack) -> Writer:
    writer = Writer(store.paper, options.world, options.cash)
    stack.callback(writer.end)
    return writer


def _continued(options: Options, shelf: Shelf, clock: Now, known: Recalled) -> Replay | None:
    if known.place is None or known.reel != description(options):
        return None
    replay = replay_of(replace(options, cash=known.cash), shelf, clock, known.place)
    known.restore(replay)
    return None if replay.next_mark is None else replay


def _begun(options: Options, shelf: Shelf, clock: Now, known: Recalled) -> Replay:
    strangers = sorted(known.symbols - set(options.symbols))
    if strangers:
        raise RecyclerError(
            f"the account of {options.world} holds {', '.join(strangers)}, which would not be played",
            "Add them with --symbols, or start a new account: `tandem recycler reset`.",
        )
    later = clock if known.place is None else NotBefore(clock, known.place.mark + MINUTE)
    replay = replay_of(replace(options, cash=known.cash), shelf, later)
    known.restore(replay)
    _clear(replay)
    return replay


def _clear(replay: Replay) -> None:
    for ticket in replay.engine.open_tickets():
        now = replay.engine.ticket(ticket.client_order_id) or ticket
        if now.is_open:
            replay.engine.cancel(now.client_order_id, now.last.at)


def _opening(replay: Replay, journal: Journal, shelf: Shelf, options: Options) -> Opening:
    facts = None if shelf.store is None else shelf.store.facts(replay.engine.world)
    if facts is not None:
        record_start(facts, replay, options)
    return Opening(replay, journal, shelf, facts)
