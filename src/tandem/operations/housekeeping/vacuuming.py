"""Tables that changed much, vacuumed."""

from dataclasses import dataclass
from typing import Final

from tandem.operations.housekeeping.night import Night
from tandem.operations.run.wording import counted
from tandem.store import Vacuumed, vacuum

SECONDS: Final = 300.0
OTHERS: Final = ("mlflow_db", "prefect_db")


@dataclass(frozen=True, slots=True)
class Vacuuming:
    """What vacuuming came to.

    Attributes:
        databases: each that was entered.
        dry: whether the tables still need it.
    """

    databases: tuple[Vacuumed, ...]
    dry: bool = False

    @property
    def words(self) -> str:
        """See `Finding.words`."""
        done = [f"{counted(len(each.tables), 'table')} of {each.database}" for each in self.databases if each.tables]
        left = [f"{each.database}: {', '.join(each.left)}" for each in self.databases if each.left]
        would = " would be" if self.dry and done else ""
        later = f"; left for another night: {'; '.join(left)}" if left else ""
        return f"{', '.join(done) or 'no table needs it'}{would}{later}"


def vacuum_tables(night: Night, *, seconds: float = SECONDS) -> Vacuuming:
    """Vacuum and analyse what needs it, in Tandem's database and, where they are, MLflow's and Prefect's.

    Args:
        seconds: for all of it.

    Raises:
        StoreError: PostgreSQL is away.
    """
    return Vacuuming(tuple(vacuum(night.store.url, OTHERS, seconds=seconds, dry=night.dry)), night.dry)
