"""What became of a supervised process."""

from dataclasses import dataclass
from typing import ClassVar, Literal

ProcessEvent = Literal["started", "unwell", "died", "stopped"]


@dataclass(frozen=True, slots=True)
class ProcessChanged:
    """A process of the desk has changed its state.

    Attributes:
        name: `postgresql`, `prefect`, `mlflow`, `flows`, `session`, `alerts`, `dashboard` or `recycler`.
        event: `unwell` does not answer; what has `died` is started again, which is another fact.
        why: in words.
        attempt: how often it had been started before.
    """

    kind: ClassVar = "process_changed"

    name: str
    event: ProcessEvent
    why: str = ""
    attempt: int = 0
