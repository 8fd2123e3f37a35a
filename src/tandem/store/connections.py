"""Connections to one database, lent to one thread at a time."""

import os
import select
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tandem.market import StoreError
from tandem.store.address import for_psycopg, normalised, scrubbed, shown

Connection = psycopg.Connection[tuple[object, ...]]
CONNECT_SECONDS = 10


class Connections:
    """Open connections in autocommit mode; as many as threads use at once.

    Args:
        url: `postgresql://...` or `postgresql+psycopg://...`.
        wake: called once when the server does not answer, to start it.
    """

    def __init__(self, url: str, wake: Callable[[], None] | None = None) -> None:
        self.url = normalised(url)
        self._wake = wake
        self._idle: deque[Connection] = deque()
        self._process = os.getpid()
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[Connection]:
        """A connection for the length of the block.

        Raises:
            StoreError: the server is away or refuses; one line, never with a password.
        """
        connection = self._take()
        try:
            yield connection
        except psycopg.Error as error:
            mend = "Free some disk space" if isinstance(error, psycopg.errors.DiskFull) else ""
            raise StoreError(f"PostgreSQL at {shown(self.url)}: {reason(error)}", mend) from error
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close every idle connection, and the others when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection:
        if self._closed:
            raise StoreError("the store was closed", "Open it again")
        self._leave_to_parent()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not connection.closed and not _has_news(connection):
                return connection
            connection.close()
        return self._connect_or_wake()

    def _leave_to_parent(self) -> None:
        """A forked child must not speak on its parent's connections, nor close them."""
        if self._process != os.getpid():
            self._of_parent, self._idle, self._process = self._idle, deque(), os.getpid()

    def _give_back(self, connection: Connection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if self._closed or connection.closed or connection.info.transaction_status != idle:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect_or_wake(self) -> Connection:
        try:
            return self._connect()
        except psycopg.OperationalError as error:
            if self._wake is None:
                raise _away(self.url, error) from None
        self._wake()
        try:
            return self._connect()
        except psycopg.OperationalError as error:
            raise _away(self.url, error) from None

    def _connect(self) -> Connection:
        try:
            return psycopg.connect(
                for_psycopg(self.url), autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="tandem"
            )
        except psycopg.ProgrammingError:
            mend = "Check its options; special characters are percent-encoded"
            raise StoreError("TANDEM_DATABASE_URL cannot be read", mend) from None


def reason(error: psycopg.Error) -> str:
    """The first line of what PostgreSQL said."""
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    return said.splitlines()[0]


def _has_news(connection: Connection) -> bool:
    """Whether an idle connection has something to read: the server only speaks unasked when it goes away."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _away(url: str, error: psycopg.OperationalError) -> StoreError:
    lines = [line.strip() for line in str(error).splitlines() if "failed: " in line] or [str(error).splitlines()[0]]
    said = scrubbed(lines[-1].split("failed: ")[-1].removeprefix("FATAL:  "), url)
    return StoreError(f"PostgreSQL at {shown(url)} does not answer: {said}", "Start it, or check TANDEM_DATABASE_URL")
