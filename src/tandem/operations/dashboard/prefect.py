"""Prefect's own word on its runs, read from its database."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tandem.market import Stopwatch, TandemError, World
from tandem.store import Store

AGAIN_SECONDS: Final = 1.5
QUERY: Final = """
SELECT r.id::text, f.name, r.name, coalesce(d.name, ''), coalesce(r.state_type::text, ''), coalesce(r.state_name, ''),
    r.expected_start_time, r.start_time, r.end_time, r.total_run_time, coalesce(r.parameters->>'world', '')
FROM flow_run r JOIN flow f ON f.id = r.flow_id LEFT JOIN deployment d ON d.id = r.deployment_id
WHERE r.start_time IS NOT NULL OR r.state_type::text NOT IN ('SCHEDULED')
    OR r.expected_start_time <= (SELECT min(expected_start_time) FROM flow_run WHERE state_type::text = 'SCHEDULED'
        AND flow_id = r.flow_id)
ORDER BY coalesce(r.start_time, r.expected_start_time) DESC NULLS LAST LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a flow, as Prefect has it; times are UTC, and `world` is empty where nobody said for which it is."""

    id: str
    flow: str
    name: str
    deployment: str
    type: str
    state: str
    expected_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None
    took: timedelta | None
    world: str


@dataclass(frozen=True, slots=True)
class Runs:
    """The newest runs and the next ones, newest first; `why` there are none to be read, in words."""

    rows: tuple[Run, ...] = ()
    why: str = ""


class Prefect:
    """Reads runs, now and then; whoever asks in between gets those of the last time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._since: Stopwatch | None = None
        self._known = Runs()

    def runs(self, world: World | None) -> Runs:
        """What is known of a world's runs."""
        known = self._newest()
        return replace(known, rows=tuple(run for run in known.rows if run.world in ("", str(world))))

    def _newest(self) -> Runs:
        with self._lock:
            if self._since is None or self._since.seconds > AGAIN_SECONDS:
                self._known = self._read()
                self._since = Stopwatch()
            return self._known

    def _read(self) -> Runs:
        try:
            rows: Any = self._store.read_elsewhere("prefect_db", QUERY)
        except TandemError as error:
            return Runs(why=error.what)
        if rows is None:
            return Runs(why="Prefect has no database on this server yet; tandem up makes one.")
        return Runs(tuple(Run(*row) for row in rows))
