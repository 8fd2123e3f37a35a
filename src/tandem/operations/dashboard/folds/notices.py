"""What a person should know of: who may enter, what the processes do, which flows ran, which alerts stand."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import msgspec

from tandem.operations.flows.done import FlowDone, FlowName
from tandem.operations.supervise.process import ProcessChanged
from tandem.risk import Standing, Switch
from tandem.store import Entry, Record

MOST: Final = 500
MOST_DAYS: Final = 400
RAISED, OVER, DELIVERED = ALERT_KINDS = ("alert_raised", "alert_over", "alert_delivered")
SEVERITIES: Final = ("critical", "warning", "info")


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
        self.count = 0

    def take(self, record: Record[FlowDone]) -> None:
        """Take what a flow came to."""
        self.count += 1
        self._days.setdefault(record.session, {})[record.body.flow] = record
        if len(self._days) > MOST_DAYS:
            del self._days[min(self._days)]

    def newest(self, count: int) -> list[tuple[date, dict[FlowName, Record[FlowDone]]]]:
        """Trading dates with what was done, newest first."""
        return sorted(self._days.items(), key=lambda item: item[0], reverse=True)[:count]


class _Raised(msgspec.Struct):
    rule: str = ""
    severity: str = "info"
    subject: str = ""
    title: str = ""
    text: str = ""


class _Over(msgspec.Struct):
    rule: str = ""
    subject: str = ""
    why: str = ""


class _Delivered(msgspec.Struct):
    alert: str = ""
    target: str = ""
    ok: bool = False
    why: str = ""
    attempt: int = 1


@dataclass(slots=True)
class Delivery:
    """One attempt to tell somebody."""

    at: datetime
    target: str
    ok: bool
    why: str
    attempt: int


@dataclass(slots=True)
class Alert:
    """An alert as it was raised, and what became of it.

    Attributes:
        key: of its fact.
        over_at: UTC; None while it stands.
        over_why: in words.
    """

    key: str
    at: datetime
    rule: str
    severity: str
    subject: str
    title: str
    text: str
    over_at: datetime | None = None
    over_why: str = ""
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        """Whether it stands."""
        return self.over_at is None


class Alerts:
    """The newest alerts; they are read as plain data, whoever raises them."""

    def __init__(self) -> None:
        self._alerts: OrderedDict[str, Alert] = OrderedDict()
        self.count = 0

    def take(self, entry: Entry) -> None:
        """Take a fact of one of the three kinds."""
        if entry.kind == RAISED:
            self._raise(entry, msgspec.json.decode(entry.text, type=_Raised))
        elif entry.kind == OVER:
            self._end(entry, msgspec.json.decode(entry.text, type=_Over))
        else:
            self._deliver(entry, msgspec.json.decode(entry.text, type=_Delivered))

    @property
    def active(self) -> list[Alert]:
        """Those that stand, the gravest first, then the newest."""
        found = [alert for alert in reversed(self._alerts.values()) if alert.is_active]
        return sorted(found, key=lambda alert: _rank(alert.severity))

    def newest(self, count: int) -> list[Alert]:
        """Newest first."""
        return [alert for alert, _ in zip(reversed(self._alerts.values()), range(count), strict=False)]

    def _raise(self, entry: Entry, said: _Raised) -> None:
        self.count += 1
        alert = Alert(entry.key, entry.at, said.rule, said.severity, said.subject, said.title, said.text)
        self._alerts[entry.key] = alert
        if len(self._alerts) > MOST:
            self._alerts.popitem(last=False)

    def _end(self, entry: Entry, said: _Over) -> None:
        for alert in self._alerts.values():
            if alert.is_active and (alert.rule, alert.subject) == (said.rule, said.subject):
                alert.over_at, alert.over_why = entry.at, said.why

    def _deliver(self, entry: Entry, said: _Delivered) -> None:
        alert = self._alerts.get(said.alert)
        if alert is not None:
            alert.deliveries.append(Delivery(entry.at, said.target, said.ok, said.why, said.attempt))


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
