"""The night's backup."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tandem.market import DataError
from tandem.operations.housekeeping.night import Night, size
from tandem.operations.run.wording import counted
from tandem.store import Backup, back_up, backups, checked

OTHERS: Final = ("mlflow_db",)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What the night's backup came to.

    Attributes:
        folder: of it; None where none was made.
        backup: what it holds.
        gone: older ones that had to go for it.
        why_not: why none was made.
    """

    folder: str | None = None
    backup: Backup | None = None
    gone: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def words(self) -> str:
        """See `Finding.words`."""
        if self.backup is None:
            return self.why_not
        gone = f"; {', '.join(self.gone)} had to go" if self.gone else ""
        return f"{self.folder}: {_holds(self.backup)}{gone}"


def back_up_home(night: Night) -> BackedUp:
    """Back up Tandem's database and MLflow's; `operations.backups` of each kind of world are kept.

    Raises:
        StoreError: PostgreSQL is away, or the backup cannot be written.
    """
    keep, folder = night.settings.operations.backups, backups_folder(night.home)
    if not keep:
        return BackedUp(why_not="none is made: operations.backups is 0")
    if night.dry:
        return BackedUp(why_not=f"one would be made in {folder}")
    day, kind = night.session.day, night.world.kind
    made, gone = back_up(night.store.url, OTHERS, folder, kind=kind, day=day, at=night.now, keep=keep)
    return BackedUp(str(folder / made.name), made, tuple(gone))


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A backup as it lies there.

    Attributes:
        folder: of it.
        words: what it holds, or what is wrong with it.
        damaged: whether a file is not as it was written.
    """

    folder: str
    words: str
    damaged: bool = False


def kept_backups(home: Path) -> list[KeptBackup]:
    """The backups of a home, the one made last first, each file compared with its manifest."""
    return [_kept(folder) for folder in backups(backups_folder(home))]


def backups_folder(home: Path) -> Path:
    """Where a home's backups are."""
    return home.expanduser().absolute() / "backups"


def _kept(folder: Path) -> KeptBackup:
    try:
        return KeptBackup(str(folder), f"{_holds(checked(folder))}, as written")
    except DataError as error:
        return KeptBackup(str(folder), str(error), damaged=True)


def _holds(backup: Backup) -> str:
    databases = " and ".join(sorted(backup.databases, reverse=True))
    return f"{databases}, {counted(backup.facts.rows, 'fact')}, {size(backup.bytes)}"
