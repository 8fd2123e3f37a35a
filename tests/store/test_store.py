import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from tandem.market import DataError, StoreError, World, WorldKind
from tandem.store import Store
from tandem.store.migrate import MIGRATIONS, head

DAY = date(2023, 1, 3)
HOME = Path("unused")


def sql(store: Store, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def test_worlds_get_run_numbers_that_no_other_has(store: Store) -> None:
    first, second = store.new_world(WorldKind.BACKTEST, "demo"), store.new_world(WorldKind.SHADOW)
    assert first.run != second.run
    assert store.worlds() == [first, second]
    assert store.label(first) == "demo"


def test_a_world_made_by_hand_never_shares_its_run_number_with_a_new_one(store: Store) -> None:
    by_hand = World(WorldKind.BACKTEST, 1)
    store.facts(by_hand)
    assert store.new_world(WorldKind.BACKTEST) != by_hand


def test_a_lease_has_one_holder_per_world_day_and_purpose(store: Store) -> None:
    one, two = store.new_world(WorldKind.PAPER), store.new_world(WorldKind.PAPER)
    assert store.leases.take(one, DAY, "screen", "a")
    assert store.leases.take(one, DAY, "screen", "a")
    assert not store.leases.take(one, DAY, "screen", "b")
    assert store.leases.take(one, DAY, "train", "b")
    assert store.leases.take(one, date(2023, 1, 4), "screen", "b")
    assert store.leases.take(two, DAY, "screen", "b")
    assert store.leases.holder(one, DAY, "screen") == "a"


def test_of_many_who_ask_at_once_one_gets_the_lease(store: Store) -> None:
    world = store.new_world(WorldKind.PAPER)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda n: store.leases.take(world, DAY, "screen", str(n)), range(16)))
    assert sum(taken) == 1


def test_a_lease_that_is_given_back_can_be_taken(store: Store) -> None:
    world = store.new_world(WorldKind.PAPER)
    store.leases.take(world, DAY, "screen", "a")
    assert not store.leases.give_back(world, DAY, "screen", "b")
    assert store.leases.give_back(world, DAY, "screen", "a")
    assert store.leases.holder(world, DAY, "screen") is None
    assert store.leases.take(world, DAY, "screen", "b")


def test_blobs_are_found_by_what_they_contain(store: Store) -> None:
    content = bytes(range(256)) * 100
    digest = store.blobs.put(content)
    assert store.blobs.put(content) == digest
    assert store.blobs.get(digest) == content
    assert store.blobs.put(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(DataError, match="no blob 00"):
        store.blobs.get("00")


def test_sectors_are_loaded_changed_and_found(store: Store) -> None:
    table = pd.DataFrame({"symbol": ["MSFT", "AAPL", "XOM"], "sector": ["Technology", "technology ", "energy"]})
    assert store.sectors.load(table) == 3
    assert store.sectors.load(table) == 0
    assert store.sectors.load(table.assign(industry=["software", None, None]).head(2)) == 1
    assert store.sectors.symbols("Technology") == ["AAPL", "MSFT"]
    assert store.sectors.of(["MSFT", "NONE", "XOM"]) == {"MSFT": "technology", "XOM": "energy"}
    assert store.sectors.all()["industry"].tolist() == ["", "software", ""]


@pytest.mark.parametrize(
    "table", [pd.DataFrame({"symbol": ["A"]}), pd.DataFrame({"symbol": ["A", None], "sector": ["x", "y"]})]
)
def test_a_sectors_table_with_gaps_is_refused_whole(store: Store, table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="a sectors table"):
        store.sectors.load(table)
    assert store.sectors.all().empty


def test_other_databases_on_the_same_server_are_made_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        urls = set(threads.map(lambda _: store.database("mlflow of tests"), range(4)))
    (url,) = urls
    assert url.startswith("postgresql+psycopg://")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.info.dbname == "mlflow of tests"
    sql(store, 'DROP DATABASE "mlflow of tests"')


def test_the_newest_revision_is_the_one_that_alembic_knows() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [head()]


def test_stores_that_open_an_empty_database_at_once_migrate_it_once(store: Store) -> None:
    url = store.database("empty_of_tests")
    with ThreadPoolExecutor(3) as threads:
        stores = list(threads.map(lambda _: Store.open(HOME, url), range(3)))
    assert stores[0].worlds() == []
    for one in stores:
        one.close()
    sql(store, "DROP DATABASE empty_of_tests")


def test_a_database_of_a_newer_tandem_is_refused(store: Store) -> None:
    sql(store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="Upgrade Tandem"):
        Store.open(HOME, store.url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_may_have_any_of_the_usual_schemes(store: Store, scheme: str) -> None:
    url = store.url.replace("postgresql+psycopg", scheme)
    with Store.open(HOME, url) as another:
        assert another.url == store.url
        assert another.server is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://trader:hunter2@127.0.0.1:1/tandem",
        "postgresql://trader:hunter2@127.0.0.1:1/tandem?sslmode=hunter2",
        "postgresql://trader:hunter2@127.0.0.1:hunter2/tandem",
        "postgresql://trader:hunter2@127.0.0.1:1",
        "mysql://trader:hunter2@127.0.0.1/tandem",
        "hunter2",
        "postgresql+psycopg://trader:hunter2@127.0.0.1:1/tandem?nonsense=hunter2",
    ],
)
def test_a_database_that_does_not_answer_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(HOME, url)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).count(". ") >= 1


def test_what_a_store_shows_of_itself_has_no_password(store: Store) -> None:
    with_password = store.url.replace("tandem@", "tandem:hunter2@")
    with Store.open(HOME, with_password) as another:
        assert "hunter2" not in repr(another)


def test_a_server_that_goes_away_is_a_store_error_and_it_recovers(store: Store) -> None:
    assert store.worlds() == []
    others = (
        f"FROM pg_stat_activity WHERE datname = '{store.url.split('/')[3].split('?')[0]}' AND pid <> pg_backend_pid()"
    )
    sql(store, f"SELECT pg_terminate_backend(pid, 10000) {others}")
    assert sql(store, f"SELECT count(*) {others}") == [(0,)]
    assert store.worlds() == []


def test_a_statement_that_is_cut_off_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError, match="terminating connection"), store._connections.use() as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.worlds() == []


def test_a_closed_store_says_so(store: Store) -> None:
    with Store.open(HOME, store.url) as another:
        pass
    with pytest.raises(StoreError, match="closed"):
        another.worlds()


def test_a_forked_child_does_not_disturb_its_parents_connections(store: Store) -> None:
    assert store.worlds() == []
    child = os.fork()
    if child == 0:
        store.new_world(WorldKind.SHADOW, "child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [store.label(world) for world in store.worlds()] == ["child"]


def test_threads_share_a_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        worlds = list(threads.map(lambda _: store.new_world(WorldKind.BACKTEST), range(40)))
    assert len({world.run for world in worlds}) == 40


def test_importing_the_store_brings_in_nothing_heavy() -> None:
    heavy = {"pandas", "numpy", "sqlalchemy", "alembic", "pyarrow"}
    code = f"import sys, tandem.store; print(sorted({heavy!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_full_disk_says_what_to_do(store: Store) -> None:
    with pytest.raises(StoreError, match=r"No space left\. Free some disk space"), store.bars._connections.use():
        raise psycopg.errors.DiskFull("No space left")
