"""What a person should know of: who may enter, what the processes do, which flows ran."""

from collections import OrderedDict, deque
from datetime import date
from typing import Final

from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Standing, Switch
from tandem.store import Record

MOST: Final = 500
MOST_DAYS: Final = 400
RULES: Final = ("risk", "reconcile")


class Switches:
    """Who said what may be done.

    Attributes:
        records: oldest first.
    """

    def __init__(self) -> None:
        self.records: deque[Record[Switch]] = deque(maxlen=MOST)

    def take(self, record: Record[Switch]) -> None:
        """Take a person's or a limit's word."""
        self.records.append(record)

    @property
    def in_force(self) -> Record[Switch] | None:
        """The last word; None where nobody has said anything: entries are armed."""
        return self.records[-1] if self.records else None

    @property
    def is_by_a_person(self) -> bool:
        """Whether a person had the last word: its time is the wall clock's, also where market time is another."""
        return bool(self.records) and self.records[-1].body.by not in RULES

    @property
    def standing(self) -> Standing:
        """What may be done."""
        return self.records[-1].body.standing if self.records else Standing.ARMED


class Processes:
    """The processes of a desk that runs by itself.

    Attributes:
        latest: the last word on each, by name.
        records: oldest first.
    """

    def __init__(self) -> None:
        self.latest: dict[str, Record[ProcessChanged]] = {}
        self.records: deque[Record[ProcessChanged]] = deque(maxlen=MOST)

    def take(self, record: Record[ProcessChanged]) -> None:
        """Take a change."""
        self.latest[record.body.name] = record
        self.records.append(record)

    @property
    def troubled(self) -> list[Record[ProcessChanged]]:
        """Those that are unwell or have died."""
        return [record for record in self.latest.values() if record.body.event in ("unwell", "died")]


class Flows:
    """What each flow came to on each trading date; the newest dates."""

    def __init__(self) -> None:
        self._days: OrderedDict[date, dict[FlowName, Record[FlowDone]]] = OrderedDict()

    def take(self, record: Record[FlowDone]) -> None:
        """Take what a flow came to."""
        self._days.setdefault(record.session, {})[record.body.flow] = record
        if len(self._days) > MOST_DAYS:
            del self._days[min(self._days)]

    def newest(self, count: int) -> list[tuple[date, dict[FlowName, Record[FlowDone]]]]:
        """Trading dates with what was done, newest first."""
        return sorted(self._days.items(), key=lambda item: item[0], reverse=True)[:count]
