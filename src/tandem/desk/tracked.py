"""That MLflow knows of an identification: a fact of its own, recorded after the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from tandem.store import Facts


@dataclass(frozen=True, slots=True)
class Tracked:
    """Where MLflow has a version of a day's identification.

    Attributes:
        session: the trading day.
        version: of its trading configuration.
        runs: id of each sector's run.
    """

    kind: ClassVar = "tracked"

    session: date
    version: int
    runs: Mapping[str, str]


def tracked_of(facts: Facts, day: date, version: int) -> Tracked | None:
    """Where MLflow has a version; None where it knows nothing of it."""
    found = (record.body for record in facts.read(Tracked, session=day))
    return next((each for each in found if each.version == version), None)
