"""Blocks of pairs on a Dask cluster, behind the same seam as the threads of this process."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from tandem.market import ConfigError, Stopwatch, StoreError
from tandem.screening.engines.engine import Engine, LocalEngine
from tandem.screening.engines.interruption import deaf, held
from tandem.screening.engines.shipment import Shipment
from tandem.screening.engines.workplace import Versions, itself, mismatch, prepare, work_on

if TYPE_CHECKING:
    from distributed import Client, Future
    from tornado.ioloop import IOLoop

Shared = TypeVar("Shared")
Block = TypeVar("Block")
Result = TypeVar("Result")

PORT: Final = 8786
CONNECTING: Final = 5.0
GATHERING: Final = 10.0
PATIENCE: Final = 60.0
POLL: Final = 2.0
# A task is so many blocks at most, so that it takes seconds, and each worker thread gets so many tasks at least.
BLOCKS, TASKS = 8, 4
AHEAD: Final = 3
AGAIN: Final = "Start it again, see docs/scaling.md, and run the same command"
MEMORY: Final = "Give them more memory (`dask worker --memory-limit`) and run the same command again"


@contextmanager
def engine_of(name: str, workers: int | None, home: Path) -> Iterator[Engine]:
    """The engine of that name: `local`, `dask` for a cluster that ends with the block, or a scheduler's address.

    Args:
        name: as in `screen.engine`.
        workers: threads here, or processes of a cluster of one's own; None is one for each core.
        home: Tandem's folder; bars for the workers of a cluster go into its cache.

    Raises:
        ConfigError: no scheduler answers there, it has no workers, or they have other versions.
    """
    if name == "local":
        yield LocalEngine(workers)
        return
    folder = home / "cache" / "panels"
    opened = own_cluster(workers, folder) if name == "dask" else joined(name, folder)
    with opened as engine:
        yield engine


@contextmanager
def own_cluster(workers: int | None, folder: Path) -> Iterator["DaskEngine"]:
    """A cluster of processes on this machine, one thread each, that is reached from nowhere else."""
    from distributed import Client, LocalCluster

    cores = cpu_count() or 1
    count = workers or cores
    with _quietly(), ExitStack() as opened:
        try:
            # Ctrl-C reaches this process and all that it has started. It is heard here alone, and ends a cluster that
            # is whole: one that is half made can neither be used nor closed.
            with held():
                cluster = opened.enter_context(
                    LocalCluster(  # type: ignore[no-untyped-call]
                        loop=opened.enter_context(_loop()),
                        n_workers=count,
                        threads_per_worker=1,
                        host="127.0.0.1",
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                        scheduler_kwargs={"dashboard": False},
                    )
                )
                client = opened.enter_context(Client(cluster, set_as_default=False))  # type: ignore[no-untyped-call]
            yield DaskEngine(client, folder, max(1, cores // count))
        finally:
            with held():
                opened.close()


@contextmanager
def _loop() -> Iterator["IOLoop"]:
    """What starts the workers: they do not hear Ctrl-C."""
    from multiprocessing import resource_tracker

    from distributed.utils import LoopRunner

    # The first process that is spawned begins with this one, and the thread that starts it hears Ctrl-C from then on.
    resource_tracker.ensure_running()
    runner = LoopRunner()
    with deaf():
        runner.start()  # type: ignore[no-untyped-call]
    try:
        yield runner.loop
    finally:
        runner.stop()  # type: ignore[no-untyped-call]


@contextmanager
def joined(address: str, folder: Path, *, seconds: float = CONNECTING) -> Iterator["DaskEngine"]:
    """The cluster of a scheduler, `dask://HOST:PORT`; Dask's own `tcp://` and `tls://` are let through.

    Raises:
        ConfigError: nothing answers there within these seconds, or it has no workers.
    """
    where = address_of(address)
    with _quietly(), ExitStack() as opened:
        try:
            with held():
                client = opened.enter_context(_connected(where, seconds))
            _await_workers(client, where)
            yield DaskEngine(client, folder)
        finally:
            with held():
                opened.close()


def _connected(where: str, seconds: float) -> "Client":
    from distributed import Client

    try:
        return Client(where, timeout=seconds, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {where} within {seconds:g} seconds",
            "Start it with `dask scheduler`, or take `--engine local`",
        ) from error


def address_of(engine: str) -> str:
    """The scheduler's address as Dask spells it; the port is 8786 unless told."""
    url = urlsplit(engine)
    scheme = "tcp" if url.scheme == "dask" else url.scheme
    try:
        port = url.port or PORT
    except ValueError as error:
        raise ConfigError(f"{engine} is no address", "Write it as dask://HOST:8786") from error
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{scheme}://{host}:{port}"


def _await_workers(client: "Client", where: str) -> None:
    try:
        client.wait_for_workers(1, timeout=GATHERING)
    except TimeoutError as error:
        raise ConfigError(
            f"the Dask scheduler at {where} has no workers", f"Start some with `dask worker {where} --nthreads 1`"
        ) from error


@dataclass(frozen=True, slots=True)
class DaskEngine:
    """Blocks on the workers of a cluster.

    What blocks share reaches each worker once. Panels in it are read by the workers themselves, from the folder where
    they see it, else from the PostgreSQL that `TANDEM_DATABASE_URL` names in their own environment; only where one can
    do neither do the bars travel through the scheduler. Secrets never do.

    Attributes:
        client: connected.
        folder: for panels; on storage that the workers see, if there is any.
        threads_each: that the work on one block may take. Workers elsewhere are one to a core (docs/scaling.md).
    """

    client: "Client"
    folder: Path
    threads_each: int = 1

    def map(self, work: Callable[[Shared, Block], Result], shared: Shared, blocks: Sequence[Block]) -> Iterator[Result]:
        """The results in the order of the blocks; a lost worker's blocks are worked on again elsewhere.

        Raises:
            ConfigError: a worker has another Tandem, NumPy or Numba.
            StoreError: the scheduler or every worker is gone.
        """
        if not len(blocks):
            return
        with _in_words():
            shipment, ahead = self._ship(shared), deque[Any]()
            for task in _tasks(blocks, self._threads()):
                ahead.append(self._submit(work_on, shipment, Versions.here(), work, task))
                if len(ahead) >= AHEAD * self._threads():
                    yield from self._result(ahead.popleft())
            while ahead:
                yield from self._result(ahead.popleft())

    def _ship(self, shared: Any) -> "Future[Any]":
        shipment = Shipment.by_names(shared, self.folder)
        able = self._prepare(shipment if shipment.by_name else Shipment.whole(None))
        # The task's description stays with the scheduler, so what it gives can be made again when a worker is lost.
        return self._submit(itself, shipment if able else Shipment.whole(shared))

    def _prepare(self, shipment: Shipment) -> bool:
        """Whether every worker has what the shipment names."""
        answers = self.client.run(prepare, shipment, on_error="return")
        able = True
        for worker, answer in answers.items():
            if isinstance(answer, ModuleNotFoundError):
                raise ConfigError(*mismatch(f"the Dask worker {worker}", f"no {answer.name}"))
            if isinstance(answer, Exception):
                continue
            versions, has_it = answer
            if differences := Versions.here().differences(versions):
                raise ConfigError(*mismatch(f"the Dask worker {worker}", differences))
            able = able and has_it
        return able

    def _submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GiB"}):
            return self.client.submit(work, *arguments, pure=False)

    def _result(self, future: "Future[Any]") -> Any:
        alone = Stopwatch()
        while True:
            try:
                return future.result(timeout=POLL)
            except TimeoutError:
                if self._threads():
                    alone = Stopwatch()
                elif alone.seconds > PATIENCE:
                    raise StoreError("the Dask cluster has lost its last worker", AGAIN) from None

    def _threads(self) -> int:
        return sum(self.client.nthreads().values())  # type: ignore[no-untyped-call]


def _tasks(blocks: Sequence[Block], threads: int) -> Iterator[Sequence[Block]]:
    size = max(1, min(BLOCKS, len(blocks) // (TASKS * max(threads, 1))))
    return (blocks[start : start + size] for start in range(0, len(blocks), size))


@contextmanager
def _in_words() -> Iterator[None]:
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise StoreError("pieces of the work ended four Dask workers, one after another", MEMORY) from error
    except (CancelledError, CommClosedError) as error:
        raise StoreError("the Dask scheduler went away while it worked", AGAIN) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Dask's own log would interrupt the progress with what it mends by itself."""
    import distributed  # noqa: F401  its import sets the handlers up

    handlers = logging.getLogger("distributed").handlers
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)
