"""The paper account's journal: nothing is told before it is committed."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec

from tandem.market import World
from tandem.recycler.account.writer import Writer
from tandem.store import PaperEntry

T = TypeVar("T")
Told = Callable[[], None]

SAVE_SECONDS: Final = 1.0


class Journal(Protocol):
    """Where the paper account goes: durable in PostgreSQL, or nowhere."""

    def then(self, told: Told) -> None:
        """Call `told` once everything that happened up to now is committed; calls come in the order of asking."""
        ...

    async def committed(self) -> None:
        """Return once everything that happened up to now is committed, the replay's place included.

        Raises:
            StoreError: it never will be, and the recycler ends.
        """
        ...

    def keep(self, name: str, value: object) -> None:
        """Commit a value beside the account: anything small that msgspec encodes."""
        ...

    def kept(self, name: str, type: type[T]) -> T | None:
        """The newest value of that name, None where there is none."""
        ...

    async def run(self) -> None:
        """Save the replay's place now and then.

        Raises:
            StoreError: nothing can be committed any more.
        """
        ...

    def close(self) -> None:
        """Commit what is left."""
        ...


class Source(Protocol):
    """What a journal writes down."""

    @property
    def world(self) -> World:
        """Whose account it is now."""
        ...

    def drain(self, place: bool) -> PaperEntry | None:
        """What is new since the last call, None for nothing; with `place`, a clock that moved on is new too."""
        ...


class MemoryJournal:
    """The journal of an account that ends with its process."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}

    def then(self, told: Told) -> None:
        """See `Journal.then`: at once."""
        told()

    async def committed(self) -> None:
        """See `Journal.committed`: at once."""

    def keep(self, name: str, value: object) -> None:
        """See `Journal.keep`: as long as the process lives."""
        self._documents[name] = msgspec.json.encode(value)

    def kept(self, name: str, type: type[T]) -> T | None:
        """See `Journal.kept`."""
        text = self._documents.get(name)
        return None if text is None else msgspec.json.decode(text, type=type)

    async def run(self) -> None:
        """See `Journal.run`: waits for ever."""
        await asyncio.get_running_loop().create_future()

    def close(self) -> None:
        """See `Journal.close`."""


class PostgresJournal:
    """A journal that survives its process. The event loop hands over what is new; the writer's thread commits it.

    Args:
        source: engine and replay.
        writer: holds the account.
    """

    def __init__(self, source: Source, writer: Writer) -> None:
        self._source = source
        self._writer = writer
        self._documents = dict(writer.kept.documents)
        self._fresh: dict[str, str] = {}
        self._world: World | None = None
        self._waiting: deque[tuple[int, Told]] = deque()
        self._futures: set[asyncio.Future[None]] = set()
        self._handed = self._committed = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._broken: BaseException | None = None
        self._over = asyncio.Event()

    def then(self, told: Told) -> None:
        """See `Journal.then`."""
        self._hand_over()
        if self._handed == self._committed:
            told()
        else:
            self._waiting.append((self._handed, told))

    async def committed(self) -> None:
        """See `Journal.committed`."""
        self._hand_over(place=True)
        if self._broken is not None:
            raise self._broken
        if self._handed == self._committed:
            return
        future = asyncio.get_running_loop().create_future()
        self._futures.add(future)
        self._waiting.append((self._handed, partial(_wake, future)))
        try:
            await future
        finally:
            self._futures.discard(future)

    def keep(self, name: str, value: object) -> None:
        """See `Journal.keep`."""
        self._documents[name] = self._fresh[name] = msgspec.json.encode(value).decode()

    def kept(self, name: str, type: type[T]) -> T | None:
        """See `Journal.kept`."""
        text = self._documents.get(name)
        return None if text is None else msgspec.json.decode(text, type=type)

    async def run(self) -> None:
        """See `Journal.run`."""
        while self._broken is None:
            self._hand_over(place=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), SAVE_SECONDS)
        raise self._broken

    def close(self) -> None:
        """See `Journal.close`."""
        if self._broken is None and self._loop is not None:
            self._hand_over(place=True)
        self._writer.end()

    def _hand_over(self, place: bool = False) -> None:
        entry = self._source.drain(place)
        if entry is None and not self._fresh:
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._writer.start(self._from_writer(self._on_commit), self._from_writer(self._on_break))
        world = self._source.world
        documents = self._fresh if world == self._world else self._documents
        entry = entry or PaperEntry()
        self._handed = self._writer.put(world, replace(entry, documents={**documents, **entry.documents}))
        self._world, self._fresh = world, {}

    def _from_writer(self, hear: Callable[[T], None]) -> Callable[[T], None]:
        loop = asyncio.get_running_loop()

        def heard(said: T) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(hear, said)

        return heard

    def _on_commit(self, number: int) -> None:
        self._committed = number
        while self._waiting and self._waiting[0][0] <= number:
            self._waiting.popleft()[1]()

    def _on_break(self, broken: BaseException) -> None:
        self._broken = broken
        self._waiting.clear()
        self._over.set()
        for future in self._futures:
            if not future.done():
                future.set_exception(broken)


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
