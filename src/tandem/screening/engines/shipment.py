"""What every block needs, on its way to other machines: bars go by name where the other side can read them itself."""

import io
import os
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from pydantic import SecretStr

from tandem.market import DataError, StoreError, Timeframe
from tandem.store import Panel, Store

DATABASE: Final = "TANDEM_DATABASE_URL"
KEPT: Final = 4


@dataclass(frozen=True, slots=True)
class PanelName:
    """Where a panel is to be found, and how to know that it is the one.

    Attributes:
        version: the panel's.
        path: of its file, on storage that both sides see.
        symbols, timeframe, first, last: the same bars in PostgreSQL: starts from `first` to `last`, both included, UTC.
    """

    version: str
    path: str
    symbols: tuple[str, ...]
    timeframe: Timeframe
    first: datetime
    last: datetime

    @classmethod
    def of(cls, panel: Panel, folder: Path) -> Self:
        """The name of a panel whose file lies in that folder."""
        first, last = (start.astype(datetime).replace(tzinfo=UTC) for start in (panel.starts[0], panel.starts[-1]))
        path = folder.resolve() / f"{panel.version}.arrow"
        return cls(panel.version, str(path), panel.symbols, panel.timeframe, first, last)


@dataclass(frozen=True, slots=True)
class Shipment:
    """Bytes from which another process makes the same object, secrets left out.

    Attributes:
        content: a pickle; its panels are names where `by_name`, else whole.
        digest: SHA-256 of the content.
        by_name: whether the other side has to read the panels itself.
    """

    content: bytes
    digest: str
    by_name: bool

    @classmethod
    def by_names(cls, shared: Any, folder: Path) -> Self:
        """Panels stay out of it and are put into the folder, once each."""
        return cls._packed(shared, folder)

    @classmethod
    def whole(cls, shared: Any) -> Self:
        """Panels are in it."""
        return cls._packed(shared, None)

    @classmethod
    def _packed(cls, shared: Any, folder: Path | None) -> Self:
        content = io.BytesIO()
        pickler = _Pickler(content, folder)
        pickler.dump(shared)
        return cls(content.getvalue(), sha256(content.getvalue()).hexdigest(), pickler.named)

    def unpack(self, environ: Mapping[str, str] = os.environ) -> Any:
        """The object, with its panels read from their files or from the database that the environment names.

        Raises:
            DataError: a panel can be read from neither.
        """
        return _Unpickler(io.BytesIO(self.content), environ).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, folder: Path | None) -> None:
        super().__init__(file, protocol=5)
        self.folder = folder
        self.named = False

    def reducer_override(self, value: Any) -> Any:
        return (SecretStr, ("",)) if isinstance(value, SecretStr) else NotImplemented

    def persistent_id(self, value: Any) -> PanelName | None:
        if self.folder is None or not isinstance(value, Panel) or not value.starts.size:
            return None
        name = PanelName.of(value, self.folder)
        _keep(value, Path(name.path))
        self.named = True
        return name


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, environ: Mapping[str, str]) -> None:
        super().__init__(file)
        self.environ = environ

    def persistent_load(self, name: Any) -> Panel:
        return fetch(name, self.environ)


def fetch(name: PanelName, environ: Mapping[str, str] = os.environ) -> Panel:
    """The panel of that name, from its file or else from PostgreSQL.

    Raises:
        DataError: it is in neither, or what is there has another version.
    """
    panel = _from_file(name) or _from_database(name, environ)
    if panel is None:
        raise DataError(
            f"{name.path} cannot be read here, and {DATABASE} names no database with the same bars",
            "Share that folder with the workers, or set the variable where they start",
        )
    return panel


def _keep(panel: Panel, path: Path) -> None:
    """Where the file cannot be kept, the other side finds none and reads the bars elsewhere."""
    with suppress(OSError):
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        panel.save(path)
        for old in sorted(path.parent.glob("*.arrow"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def _from_file(name: PanelName) -> Panel | None:
    try:
        panel = Panel.load(Path(name.path))
    except DataError:
        return None
    return panel if panel.version == name.version else None


def _from_database(name: PanelName, environ: Mapping[str, str]) -> Panel | None:
    if not environ.get(DATABASE):
        return None
    try:
        with TemporaryDirectory() as home, Store.open(Path(home), environ[DATABASE]) as store:
            panel = store.bars.panel(
                name.symbols, name.timeframe, first=name.first, last=name.last + name.timeframe.length
            )
    except (StoreError, DataError):
        return None
    return panel if panel.version == name.version else None
