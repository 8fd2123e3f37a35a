"""The connection to MLflow: runs in its database, their files in a folder, no server."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tandem.market import StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

Steps = Sequence[tuple[str, float, int]]
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
}


class Tracking:
    """MLflow's tracking database and the folder of its files.

    Args:
        uri: of the database, `postgresql+psycopg://.../mlflow_db`.
        artifacts: the folder for pictures, documents and models.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        self._uri = uri
        self._artifacts = artifacts.expanduser().resolve()
        self._reached = False

    @contextmanager
    def client(self) -> "Iterator[MlflowClient]":
        """MLflow's own client.

        Raises:
            StoreError: within the `with` block, MLflow or its database refuses.
        """
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._reach()
            yield MlflowClient(self._uri, registry_uri=self._uri)
        except (MlflowException, SQLAlchemyError) as error:
            reason = str(error).splitlines()[0]
            raise StoreError(f"MLflow's tracking store refuses: {reason}", "See that its database is up") from error

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
            yield Runs(client, self._experiment(client, experiment), at, tags)

    def _reach(self) -> None:
        # MLflow itself tries again for the better part of an hour.
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        if not self._reached:
            create_engine(self._uri, poolclass=NullPool).connect().close()
            self._reached = True

    def _experiment(self, client: "MlflowClient", name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(client.create_experiment(name, artifact_location=self._artifacts.as_uri()))


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
        from mlflow.entities import Metric, Param

        info = self.client.create_run(self.experiment, tags={**self._tags, **tags}, run_name=name).info
        run = str(info.run_id)
        values = [*((key, value, 0) for key, value in metrics.items()), *steps]
        self.client.log_batch(
            run,
            metrics=[Metric(key, value, self._at, step) for key, value, step in values],
            params=[Param(key, str(value)) for key, value in params.items()],
        )
        if inputs:
            self.client.log_inputs(run, list(inputs))
        _write(_folder(str(info.artifact_uri)), files or {})
        self.client.set_terminated(run)
        return run


def _folder(uri: str) -> Path:
    """Our experiments keep their files in a folder, where MLflow's client takes many times as long to put them."""
    return Path(url2pathname(urlsplit(uri).path))


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
