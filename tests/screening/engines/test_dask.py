"""A cluster gives the bits that threads give, whatever happens to its workers."""

import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr

from tandem.market import ConfigError, DataError, StoreError, Timeframe
from tandem.screening import identify
from tandem.screening.engines import dask
from tandem.screening.engines.dask import DaskEngine, address_of, engine_of, joined, own_cluster
from tandem.screening.engines.engine import LocalEngine
from tandem.screening.engines.shipment import DATABASE, PanelName, Shipment, fetch
from tandem.screening.engines.workplace import Versions, work_on
from tandem.statistics import correlations
from tandem.store import Panel

START = datetime(2024, 3, 4, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Two worker processes for the tests of this file."""
    with own_cluster(2, tmp_path_factory.mktemp("panels")) as ours:
        yield ours


def bars_of(closes):
    """Minute bars of these closes per symbol."""
    rows = [
        (symbol, START + timedelta(minutes=minute), close, close, close, close, 100.0)
        for symbol, prices in closes.items()
        for minute, close in enumerate(prices)
    ]
    return pd.DataFrame(rows, columns=["symbol", "start", "open", "high", "low", "close", "volume"])


@pytest.fixture
def small():
    return Panel.of(bars_of({"A": [10.0, 11.0, 12.5], "B": [20.0, 19.0, 21.0]}), Timeframe.MIN_1)


def walks(symbols, bars):
    return np.cumsum(np.random.default_rng(3).standard_normal((symbols, bars)) * 0.01, axis=1)


def test_the_results_are_those_of_the_threads_bit_for_bit_and_in_order(engine):
    prices = walks(30, 60)
    pairs = np.column_stack(np.triu_indices(30, 1))

    def work(shared, block):
        found = correlations(shared, block, threads=1)
        return np.column_stack([found.prices, found.returns]).tobytes()

    for size in (29, 150):
        blocks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        assert list(engine.map(work, prices, blocks)) == list(LocalEngine(2).map(work, prices, blocks))


def test_a_block_may_take_the_cores_that_there_are_for_each(engine, monkeypatch):
    monkeypatch.setattr("tandem.screening.engines.engine.cpu_count", lambda: 8)
    assert [LocalEngine(threads).threads_each for threads in (1, 3, 8, 20)] == [8, 2, 1, 1]
    assert engine.threads_each == max(1, os.cpu_count() // 2)
    assert DaskEngine(engine.client, engine.folder).threads_each == 1  # elsewhere there is a worker for each core


def test_a_screen_is_the_same_on_a_cluster(engine, market, panel, day, settings, sectors, monkeypatch):
    for stage in ("family", "examination.examine"):
        monkeypatch.setattr(f"tandem.screening.{stage}.BLOCK", 1)
    here = identify(panel(market), day, settings, sectors, engine=LocalEngine(1))
    assert identify(panel(market), day, settings, sectors, engine=engine) == here
    assert here.passports


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_any_number_of_blocks_comes_back_whole(engine, count):
    assert list(engine.map(lambda shared, block: shared + block, 100, list(range(count)))) == [
        100 + block for block in range(count)
    ]


def test_the_blocks_of_a_lost_worker_are_worked_on_again(engine):
    def work(_, block):
        time.sleep(0.02)
        return os.getpid(), block

    results = engine.map(work, None, list(range(60)))
    done = [next(results)]
    os.kill(done[0][0], signal.SIGKILL)
    done += results
    assert [block for _, block in done] == list(range(60))


def test_results_are_taken_as_they_are_needed(engine, tmp_path):
    def work(folder, block):
        (folder / str(block)).touch()
        return block

    results = engine.map(work, tmp_path, list(range(800)))
    next(results)
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) < 400
    results.close()


def test_an_error_of_the_work_is_told_as_it_is(engine):
    with pytest.raises(ZeroDivisionError):
        list(engine.map(lambda _, block: 1 / block, None, [0]))


def test_bars_are_read_by_the_workers_and_not_sent(engine, small):
    shared = {"panel": small, "other": 1}
    assert small.closes.tobytes() not in Shipment.by_names(shared, engine.folder).content
    got = list(engine.map(lambda market, row: market["panel"].closes[row].tolist(), shared, [0, 1]))
    assert got == small.closes.tolist()
    assert (engine.folder / f"{small.version}.arrow").exists()


def test_bars_are_sent_where_workers_cannot_read_them(engine, small, monkeypatch):
    monkeypatch.setattr("tandem.screening.engines.shipment._keep", lambda panel, path: None)
    elsewhere = DaskEngine(engine.client, engine.folder / "not shared")
    assert list(elsewhere.map(lambda market, _: market["panel"].version, {"panel": small}, [0])) == [small.version]


def test_bars_are_sent_where_the_folder_cannot_be_written(engine, small, tmp_path):
    (tmp_path / "cache").touch()
    elsewhere = DaskEngine(engine.client, tmp_path / "cache" / "panels")
    assert list(elsewhere.map(lambda market, _: market["panel"].version, {"panel": small}, [0])) == [small.version]


def test_a_few_panels_are_kept(tmp_path):
    for price in range(1, 8):
        Shipment.by_names(Panel.of(bars_of({"A": [float(price)]}), Timeframe.MIN_1), tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_worker_reads_the_database_that_its_own_environment_names(store, tmp_path):
    bars = bars_of({"A": [10.0, 11.0, 12.5], "B": [20.0, 19.0, 21.0]})
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source="file")
    panel = Panel.of(bars, Timeframe.MIN_1)
    name = PanelName.of(panel, tmp_path)
    assert fetch(name, {DATABASE: store.url}).version == panel.version
    other = Panel.of(bars.assign(close=bars["close"] + 1), Timeframe.MIN_1)
    for lost, environ in ((name, {}), (PanelName.of(other, tmp_path), {DATABASE: store.url})):
        with pytest.raises(DataError, match=r"cannot be read here, .* names no database .* Share that folder"):
            fetch(lost, environ)


def test_secrets_stay_at_home(small, tmp_path):
    shared = SimpleNamespace(panel=small, password=SecretStr("hush"))
    for shipment in (Shipment.by_names(shared, tmp_path), Shipment.whole(shared)):
        assert b"hush" not in shipment.content
        assert shipment.unpack({}).password.get_secret_value() == ""


def test_a_scheduler_that_is_not_there_is_one_clear_line(tmp_path):
    with (
        pytest.raises(ConfigError, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:9 .*`dask scheduler`.*"),
        joined("dask://127.0.0.1:9", tmp_path, seconds=0.3),
    ):
        pass


@pytest.mark.parametrize(
    ("engine", "address"),
    [
        ("dask://desk", "tcp://desk:8786"),
        ("dask://desk:9000", "tcp://desk:9000"),
        ("tcp://10.0.0.2:8786", "tcp://10.0.0.2:8786"),
        ("tls://desk:8786", "tls://desk:8786"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_addresses_are_spelt_as_dask_does(engine, address):
    assert address_of(engine) == address


def test_an_address_without_a_number_for_its_port_is_one_clear_line():
    with pytest.raises(ConfigError, match="dask://desk:door is no address"):
        address_of("dask://desk:door")


def test_a_worker_with_another_tandem_is_refused(engine, monkeypatch):
    ours = Versions.here()
    newer = replace(ours, tandem="0123", numba="9.9")
    monkeypatch.setattr(Versions, "here", lambda: newer)
    with pytest.raises(ConfigError, match=rf"tandem {ours.tandem} instead of 0123, numba {ours.numba} instead of 9\.9"):
        list(engine.map(lambda _, block: block, None, [1]))


def test_so_is_one_that_comes_late():
    ours = Versions.here()
    with pytest.raises(ConfigError, match=r"a worker has numpy .* instead of 0"):
        work_on(Shipment.whole(None), replace(ours, numpy="0"), print, [1])


def test_the_settings_name_the_engine(engine, tmp_path):
    with engine_of("local", 3, tmp_path) as local:
        assert local == LocalEngine(3)
    there = engine.client.scheduler.address.replace("tcp://", "dask://")
    with engine_of(there, None, tmp_path) as remote:
        assert list(remote.map(lambda _, block: -block, None, [1, 2])) == [-1, -2]


def test_a_scheduler_without_workers_is_one_clear_line(tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(dask, "GATHERING", 0.2)
    quiet = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", **quiet) as empty,
        pytest.raises(ConfigError, match=r"has no workers. Start some with `dask worker tcp://127\.0\.0\.1:\d+"),
        joined(empty.scheduler_address, tmp_path),
    ):
        pass


@pytest.mark.slow
def test_the_loss_of_every_worker_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 1.0)
    with own_cluster(1, tmp_path) as engine:
        results = engine.map(lambda _, block: time.sleep(0.05), None, list(range(100)))
        next(results)
        engine.client.cluster.scale(0)
        with pytest.raises(StoreError, match="lost its last worker"):
            list(results)


@pytest.mark.slow
def test_a_cluster_of_ones_own_ends_with_the_block(tmp_path):
    with own_cluster(2, tmp_path) as engine:
        pids = set(engine.client.run(os.getpid).values())
        scheduler = engine.client.cluster.scheduler
        assert scheduler.http_server.address == "127.0.0.1"
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
