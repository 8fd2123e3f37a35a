"""Fixtures of every room: a store on the real embedded PostgreSQL."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tandem.store import Store


@pytest.fixture(scope="session")
def postgres_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a running server, one per test process; it stops when the tests end."""
    home = tmp_path_factory.mktemp("home")
    with Store.open(home):
        yield home


@pytest.fixture(scope="session")
def new_store(postgres_home: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores on fresh, empty, migrated databases; the caller closes them."""
    with Store.open(postgres_home) as main:
        template = main.database("template_of_tests")
        Store.open(postgres_home, template).close()
        numbers = count()

        def make() -> Store:
            name = f"test_{next(numbers)}"
            with psycopg.connect(main.url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE template_of_tests")  # type: ignore[arg-type]
            return Store.open(postgres_home, main.database(name))

        yield make


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Iterator[Store]:
    """A store on a fresh, empty, migrated database."""
    with new_store() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_store(new_store: Callable[[], Store]) -> Iterator[Store]:
    """The same, shared by the tests of one file."""
    with new_store() as fresh:
        yield fresh
