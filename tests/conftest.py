"""Fixtures of every room: a store on the real embedded PostgreSQL."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tandem.store import Store

NewStore = Callable[[], AbstractContextManager[Store]]


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would everything that tests start and interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def execute(store: Store, statement: str) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Path]:
    """A home with a running server, one per test process; both are gone when the tests end."""
    with TemporaryDirectory(prefix="tandem-tests-") as folder:
        with Store.open(Path(folder)) as main:
            execute(main, "ALTER SYSTEM SET fsync = off")
            execute(main, "SELECT pg_reload_conf()")
            yield Path(folder)
        assert main.server is not None
        assert main.server.has_stopped()


@pytest.fixture(scope="session")
def new_store(postgres_home: Path) -> Iterator[NewStore]:
    """Makes stores on fresh, empty, migrated databases, dropped at the end of the `with` block."""
    with Store.open(postgres_home) as main:
        template = main.database("template_of_tests")
        Store.open(postgres_home, template).close()
        numbers = count()

        @contextmanager
        def fresh_store() -> Iterator[Store]:
            name = f"test_{next(numbers)}"
            execute(main, f"CREATE DATABASE {name} TEMPLATE template_of_tests STRATEGY file_copy")
            with Store.open(postgres_home, main.database(name)) as store:
                yield store
            execute(main, f"DROP DATABASE {name} WITH (FORCE)")

        yield fresh_store


@pytest.fixture
def store(new_store: NewStore) -> Iterator[Store]:
    """A store on a fresh, empty, migrated database."""
    with new_store() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_store(new_store: NewStore) -> Iterator[Store]:
    """The same, shared by the tests of one file."""
    with new_store() as fresh:
        yield fresh
