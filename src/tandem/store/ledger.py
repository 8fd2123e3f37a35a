"""The trial ledger: everything that was tried, counted once however often it was repeated (STATISTICS 7)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, cast

from tandem.store.connections import Connections

LEAST_RETURNS: Final = 20
"""Fewer daily returns make a Sharpe ratio that says nothing of how trials vary."""
ENOUGH: Final = 10
"""Fewer Sharpe ratios say too little of how trials vary."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Something that was tried and looked at; whoever picks the best of several has to count them all.

    Attributes:
        family: what it competes with: a sector.
        key: of what it was: `key_of` its settings and data.
        kind: `training` judged on a test block, `tuning`, or `backtest`.
        sharpe: Sharpe ratio per daily return, where it has one.
        returns: daily returns it is from.
    """

    family: str
    key: str
    kind: Literal["training", "tuning", "backtest"]
    sharpe: float | None = None
    returns: int = 0


@dataclass(frozen=True, slots=True)
class TrialCount:
    """How much was tried.

    Attributes:
        trials: different ones.
        with_sharpe: of them, those whose Sharpe ratio is from 20 daily returns or more.
        variance: of these Sharpe ratios per return, over the trials; None where there are fewer than two.
    """

    trials: int
    with_sharpe: int = 0
    variance: float | None = None

    @property
    def count(self) -> int:
        """The number that deflates: whoever asks has tried at least one thing."""
        return max(1, self.trials)

    @property
    def is_measured(self) -> bool:
        """Whether enough trials have a Sharpe ratio to say how they vary."""
        return self.variance is not None and self.with_sharpe >= ENOUGH

    def variance_over(self, returns: int) -> float:
        """Over the trials, of their Sharpe ratios per return; where too few have one, that of ratios without skill.

        Args:
            returns: that the ratio to deflate is from.
        """
        if self.variance is not None and self.is_measured:
            return self.variance
        return 1 / max(returns - 1, 1)


class Ledger:
    """Trials of every world; nothing is ever taken out."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def record(self, *trials: Trial) -> None:
        """Count trials, all of them or none; one that is in it already stays as it is."""
        if not trials:
            return
        names = ("family", "key", "kind", "sharpe", "returns")
        columns = [[getattr(trial, name) for trial in trials] for name in names]
        with self._connections.use() as connection:
            connection.execute(RECORD, columns)

    def count(self, families: Sequence[str] = ()) -> TrialCount:
        """Trials of some families together, of all where none is named; one of several families counts once."""
        with self._connections.use() as connection:
            row = connection.execute(COUNT, {"families": list(families), "least": LEAST_RETURNS}).fetchone()
        return TrialCount(*cast(tuple[int, int, float | None], row))


def key_of(*content: object) -> str:
    """The key of a trial: SHA-256 of what it was, given as what JSON can say."""
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


RECORD = """
INSERT INTO trials (family, key, kind, sharpe, returns)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::float8[], %s::integer[])
ON CONFLICT DO NOTHING
"""
COUNT = """
SELECT count(*)::int,
       (count(sharpe) FILTER (WHERE returns >= %(least)s))::int,
       var_samp(sharpe) FILTER (WHERE returns >= %(least)s)
FROM (
    SELECT DISTINCT ON (key) key, sharpe, returns FROM trials
    WHERE %(families)s::text[] = '{}' OR family = ANY (%(families)s::text[])
    ORDER BY key, family
) AS once
"""
