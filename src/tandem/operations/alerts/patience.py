"""Calls that may hang, such as those of a store behind a line that was cut."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from tandem.market import StoreError

T = TypeVar("T")


class Patience:
    """Waits for calls so long and no longer; they are made one at a time, by a thread that ends with the process.

    What comes back too late is for whoever asks for the same next, so that nothing that was read is lost.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._late: dict[str, Future[Any]] = {}
        threading.Thread(target=self._work, daemon=True).start()

    def call(self, name: str, work: Callable[[], T], seconds: float) -> T:
        """What the work gives, or what an earlier call of that name gave too late; that is not waited for again.

        Raises:
            StoreError: it took longer.
        """
        future: Future[T] | None = self._late.pop(name, None)
        if future is None:
            future = Future()
            self._asked.put((future, work))
        else:
            seconds = 0.0
        try:
            return future.result(seconds)
        except TimeoutError:
            self._late[name] = future
            raise StoreError("PostgreSQL takes too long to answer") from None

    def _work(self) -> None:
        while True:
            future, work = self._asked.get()
            try:
                future.set_result(work())
            except Exception as error:  # It is the caller's.
                future.set_exception(error)
