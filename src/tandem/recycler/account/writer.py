"""The hand that writes a paper account: one thread, one connection, one commit at a time."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from decimal import Decimal
from threading import Condition, Event, Thread
from typing import Final

from tandem.market import StoreError, World
from tandem.store import PaperAccount, PaperEntry, PaperHold, PaperKept, PaperTaken

TRIES: Final = 5
RETRY_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 3.0
CHECK_SECONDS: Final = 1.0

Batch = tuple[int, dict[World, PaperEntry]]


class Writer:
    """Commits entries in the order of their coming; what comes up during a commit goes into the next one together.

    While nothing comes it looks every second whether the account is still its own.

    Args:
        accounts: the paper account of a world.
        world: whose account is held from the start on.
        cash: dollars of an account that is not there yet.

    Raises:
        StoreError: another process holds the account, or the store is away.
    """

    def __init__(self, accounts: Callable[[World], PaperAccount], world: World, cash: Decimal) -> None:
        self._accounts = accounts
        self._cash = cash
        self._world = world
        self._holding = ExitStack()
        self._hold: PaperHold | None = None
        self._epoch: int | None = None
        self.kept: PaperKept = self._own().read()
        self._cash = self.kept.starting_cash
        self._changed = Condition()
        self._pending: dict[World, PaperEntry] = {}
        self._number = 0
        self._ending = Event()
        self._thread: Thread | None = None

    def start(self, done: Callable[[int], None], broken: Callable[[BaseException], None]) -> None:
        """Begin to commit.

        Args:
            done: told, on the writer's thread, the number of the newest entry that is durable.
            broken: told, on the writer's thread, why there will be no further commit.
        """
        self._thread = Thread(target=self._run, args=(done, broken), name="journal", daemon=True)
        self._thread.start()

    def put(self, world: World, entry: PaperEntry) -> int:
        """Have an entry committed; returns its number, counted from 1."""
        with self._changed:
            before = self._pending.get(world)
            self._pending[world] = entry if before is None else before.then(entry)
            self._number += 1
            self._changed.notify()
            return self._number

    def end(self) -> None:
        """Commit what is left and let go of the account."""
        with self._changed:
            self._ending.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._let_go()

    def _run(self, done: Callable[[int], None], broken: Callable[[BaseException], None]) -> None:
        try:
            while (batch := self._next()) is not None:
                if batch[1]:
                    self._commit(batch)
                    done(batch[0])
                else:
                    self._look()
        except BaseException as error:
            broken(error)

    def _next(self) -> Batch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._ending.is_set(), CHECK_SECONDS)
            batch, self._pending = self._pending, {}
            return (self._number, batch) if batch or not self._ending.is_set() else None

    def _look(self) -> None:
        try:
            self._own().check()
        except PaperTaken:
            raise
        except StoreError:
            self._let_go()

    def _commit(self, batch: Batch) -> None:
        for world, entry in batch[1].items():
            self._persist(world, entry)

    def _persist(self, world: World, entry: PaperEntry) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._held(world).write(entry)
                return
            except PaperTaken:
                raise
            except StoreError:
                self._let_go()
                if not left:
                    raise
                self._ending.wait(RETRY_SECONDS)

    def _held(self, world: World) -> PaperHold:
        if world != self._world:
            self._own().check()
            self._let_go()
            self._world, self._epoch = world, None
        return self._own()

    def _own(self) -> PaperHold:
        if self._hold is None:
            account = self._accounts(self._world)
            account.open(self._cash)
            self._hold = self._holding.enter_context(account.hold(PATIENCE_SECONDS, self._epoch))
            self._epoch = self._hold.epoch
        return self._hold

    def _let_go(self) -> None:
        self._hold = None
        with suppress(StoreError):
            self._holding.close()
