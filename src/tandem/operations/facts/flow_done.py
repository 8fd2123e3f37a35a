"""What a flow came to, once for a trading date."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from tandem.store import Facts


class FlowName(StrEnum):
    """The flows, in the order of a day."""

    IDENTIFICATION = "identification"
    TRAINING = "training"
    SESSION = "session"
    MONITORING = "monitoring"
    HOUSEKEEPING = "housekeeping"


@dataclass(frozen=True, slots=True)
class FlowDone:
    """A flow has done its work for one trading date; its key is `flow.{flow}.{date}`, so it is done once.

    Attributes:
        flow: which.
        why: what came of it, in words.
        data_version: of the bars that it read; empty where it read none.
        run: Prefect's id of the run; empty where it was called without Prefect.
    """

    kind: ClassVar = "flow_done"

    flow: FlowName
    why: str
    data_version: str = ""
    run: str = ""


def done_of(facts: Facts, day: date, flow: FlowName) -> FlowDone | None:
    """What a flow came to on a trading date; None where it has not been done."""
    found = (record.body for record in facts.read(FlowDone, session=day))
    return next((each for each in found if each.flow is flow), None)
