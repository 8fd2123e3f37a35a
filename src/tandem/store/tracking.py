"""The connection to MLflow: runs in its database, their files in a folder, no server."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tandem.market import StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from sqlalchemy import Connection

Steps = Sequence[tuple[str, float, int]]
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
FIRST_USE: Final = "first use"
PATIENCE: Final = "5min"
SUPERSEDED: Final = "superseded_by"
# MLflow takes 1,000 entries at once, parameters among them.
MOST_METRICS: Final = 800


class Tracking:
    """MLflow's tracking database and the folder of its files.

    Args:
        uri: of the database, `postgresql+psycopg://.../mlflow_db`.
        artifacts: the folder for pictures, documents and models.

    Attributes:
        artifacts: that folder.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        self._uri = uri
        self.artifacts = artifacts.expanduser().resolve()
        self._reached = False

    @contextmanager
    def client(self) -> "Iterator[MlflowClient]":
        """MLflow's own client.

        Raises:
            StoreError: within the `with` block, MLflow or its database refuses.
        """
        with self._refusing():
            yield self._client()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Keep every other process from doing the same at the same time; it waits, some minutes at most.

        Raises:
            StoreError: within the `with` block, the database refuses, or another is at it for too long.
        """
        from sqlalchemy import text

        with self._refusing(), self._connected() as connection:
            connection.execute(text(f"SET lock_timeout = '{PATIENCE}'"))
            connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:what, 0))"), {"what": what})
            yield

    @contextmanager
    def runs(self, experiment: str, at: datetime, tags: Mapping[str, str]) -> "Iterator[Runs]":
        """Runs of one experiment, which is made where it is missing.

        Args:
            experiment: its name.
            at: when its figures were taken.
            tags: that every run carries.

        Raises:
            StoreError: within the `with` block, MLflow or its database refuses.
        """
        with self.client() as client:
            self.artifacts.mkdir(parents=True, exist_ok=True)
            yield Runs(client, self._experiment(client, experiment), at, tags)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError) as error:
            reason = str(error).splitlines()[0]
            raise StoreError(f"MLflow's tracking store refuses: {reason}", "See that its database is up") from error
        except OSError as error:
            where, reason = error.filename or self.artifacts, error.strerror or str(error)
            mend = "See that this is a folder that can be written, with room on the disk"
            raise StoreError(f"MLflow's files cannot be kept, {where}: {reason}", mend) from error

    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        if self._reached:
            return MlflowClient(self._uri, registry_uri=self._uri)
        # The first use makes MLflow's tables, which two cannot do at once. Where the database is away, MLflow itself
        # tries again for the better part of an hour; the lock says so at once.
        with self.alone(FIRST_USE):
            self._make()
            client = MlflowClient(self._uri, registry_uri=self._uri)
        self._reached = True
        return client

    def _make(self) -> None:
        # A client would put MLflow's own first experiment into the folder somebody happens to be in.
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(self._uri, self.artifacts.as_uri())  # type: ignore[no-untyped-call]

    def _connected(self) -> "Connection":
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError
        from sqlalchemy.pool import NullPool

        try:
            return create_engine(self._uri, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
        except (ValueError, ImportError, ArgumentError):
            # What these say may hold a part of the password.
            mend = "Check it; special characters are percent-encoded"
            raise StoreError("the address of MLflow's database cannot be read", mend) from None

    def _experiment(self, client: "MlflowClient", name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        with self.alone("new experiment"):
            found = client.get_experiment_by_name(name)
            if found is not None:
                return str(found.experiment_id)
            return str(client.create_experiment(name, artifact_location=self.artifacts.as_uri()))


class Runs:
    """Finished runs of one experiment on one morning.

    Attributes:
        client: MLflow's own.
        experiment: its id.
    """

    def __init__(self, client: "MlflowClient", experiment: str, at: datetime, tags: Mapping[str, str]) -> None:
        self.client = client
        self.experiment = experiment
        self._at = int(at.timestamp() * 1000)
        self._tags = dict(tags)
        self._folders: dict[str, Path] = {}

    def add(
        self,
        name: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        steps: Steps = (),
        files: Mapping[str, bytes] | None = None,
        inputs: Sequence[Any] = (),
    ) -> str:
        """Record a run that is over.

        Args:
            name: of the run.
            tags: beside those that every run carries; `mlflow.parentRunId` makes it a child.
            params: settings; metrics: figures, each by name.
            steps: name, value and step of figures that have several.
            files: contents by file name, kept beside the run.
            inputs: MLflow's `DatasetInput`s: what it was made from.

        Returns:
            Its id.
        """
        with self.begun(name, tags, params, metrics, steps, files, inputs) as run:
            return run

    @contextmanager
    def begun(
        self,
        name: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        steps: Steps = (),
        files: Mapping[str, bytes] | None = None,
        inputs: Sequence[Any] = (),
    ) -> Iterator[str]:
        """The id of a run like those of `add` that is over with the block: finished, or failed where that raises."""
        info = self.client.create_run(self.experiment, tags={**self._tags, **tags}, run_name=name).info
        run = str(info.run_id)
        self._folders[run] = _folder(str(info.artifact_uri))
        try:
            self._log(run, params, metrics, steps)
            if inputs:
                self.client.log_inputs(run, list(inputs))
            _write(self._folders[run], files or {})
            yield run
        except BaseException:
            with suppress(Exception):
                self.client.set_terminated(run, "FAILED")
            raise
        self.client.set_terminated(run)

    def folder(self, run: str) -> Path:
        """Where the files of a run of this block are kept."""
        folder = self._folders[run]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def known(self, tags: Mapping[str, str]) -> "list[Run]":
        """Runs that have these tags, newest first, without those that another has superseded."""
        asked = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        return [run for run in self.client.search_runs([self.experiment], asked) if SUPERSEDED not in run.data.tags]

    def supersede(self, old: "Run", by: str) -> None:
        """Say on a run, and on its children, that another counts; one that never ended is ended."""
        run = str(old.info.run_id)
        # The run itself comes last, and its tag: what is cut off is begun again only where that is not there.
        for each in [*self.known({"mlflow.parentRunId": run}), old]:
            if each.info.status == "RUNNING":
                self.client.set_terminated(each.info.run_id, "KILLED")
            self.client.set_tag(each.info.run_id, SUPERSEDED, by)

    def _log(self, run: str, params: Mapping[str, object], metrics: Mapping[str, float], steps: Steps) -> None:
        from mlflow.entities import Metric, Param

        values = [*((key, value, 0) for key, value in metrics.items()), *steps]
        entries = [Metric(key, value, self._at, step) for key, value, step in values]
        said = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run, metrics=entries[:MOST_METRICS], params=said)
        for first in range(MOST_METRICS, len(entries), MOST_METRICS):
            self.client.log_batch(run, metrics=entries[first : first + MOST_METRICS])


def _folder(uri: str) -> Path:
    """Our experiments keep their files in a folder, where MLflow's client takes many times as long to put them."""
    return Path(url2pathname(urlsplit(uri).path))


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
