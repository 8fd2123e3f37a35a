"""Which alerts stand and whom they reached, as a fold over their facts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tandem.config import Severity
from tandem.market import NEW_YORK
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.facts.alert import AlertDelivered, AlertOver, AlertRaised
from tandem.store import Body, Facts, Record

KEPT: Final = 1000

KINDS: Final[Mapping[str, type[Body]]] = {body.kind: body for body in (AlertRaised, AlertOver, AlertDelivered)}


@dataclass(slots=True)
class Tries:
    """What became of telling one target.

    Attributes:
        attempts: so far.
        failures: in a row, up to the last one.
        arrived: when it last arrived, market time; None where it never did.
        why: the last attempt failed; empty where it arrived.
    """

    attempts: int = 0
    failures: int = 0
    arrived: datetime | None = None
    why: str = ""


@dataclass(slots=True, eq=False)
class Alert:
    """One alert from its beginning.

    Attributes:
        key: of the fact that raised it.
        at: when it was found, market time.
        over: None while it stands.
        tries: by the target's name.
    """

    key: str
    raised: AlertRaised
    at: datetime
    over: Record[AlertOver] | None = None
    tries: dict[str, Tries] = field(default_factory=dict)


class Alerts:
    """The alerts of a world; facts may come twice, and count once.

    Args:
        kept: how many that are over are remembered; None for all of them.

    Attributes:
        all: by key, oldest first.
    """

    def __init__(self, kept: int | None = KEPT) -> None:
        self._kept = kept
        self.all: dict[str, Alert] = {}

    def take(self, records: Iterable[Record[Any]]) -> None:
        """Fold further facts in, in the order of their recording; other kinds are passed over."""
        for record in records:
            match record.body:
                case AlertRaised():
                    self._raise(record)
                case AlertOver():
                    self._end(record)
                case AlertDelivered():
                    self._deliver(record)

    @property
    def standing(self) -> list[Alert]:
        """Those that are not over, oldest first."""
        return [alert for alert in self.all.values() if alert.over is None]

    def raised(self, rule: str, severity: Severity, finding: Finding, moment: datetime) -> Record[AlertRaised]:
        """The fact of a new alert; its key follows from rule, subject and time."""
        key = first = f"alert.{rule}.{finding.subject}.{moment:%Y%m%dT%H%M%S}"
        times = 1
        while key in self.all:
            times += 1
            key = f"{first}.{times}"
        body = AlertRaised(rule, severity, finding.subject, finding.title, finding.text)
        return Record(body, moment.astimezone(NEW_YORK).date(), moment, key, finding.pair)

    def ended(self, alert: Alert, why: str, moment: datetime) -> Record[AlertOver]:
        """The fact that an alert is over."""
        return Record(
            AlertOver(alert.raised.rule, alert.raised.subject, why),
            moment.astimezone(NEW_YORK).date(),
            moment,
            f"over.{alert.key}",
        )

    def delivered(self, alert: Alert, target: str, why: str, how: str, moment: datetime) -> Record[AlertDelivered]:
        """The fact of the next attempt at a target.

        Args:
            why: it failed; empty where it arrived.
            how: it was told, where that was not in a message of its own.
        """
        attempt = alert.tries.get(target, Tries()).attempts + 1
        body = AlertDelivered(alert.key, target, not why, why or how, attempt)
        session = moment.astimezone(NEW_YORK).date()
        return Record(body, session, moment, f"delivered.{alert.key}.{target}.{attempt}")

    def _raise(self, record: Record[AlertRaised]) -> None:
        if record.key not in self.all:
            self.all[record.key] = Alert(record.key, record.body, record.at)
            self._forget()

    def _end(self, record: Record[AlertOver]) -> None:
        alert = self.all.get(record.key.removeprefix("over."))
        if alert is not None and alert.over is None:
            alert.over = record

    def _deliver(self, record: Record[AlertDelivered]) -> None:
        said, alert = record.body, self.all.get(record.body.alert)
        if alert is None:
            return
        tries = alert.tries.setdefault(said.target, Tries())
        if said.attempt > tries.attempts:
            tries.attempts = said.attempt
            tries.failures = 0 if said.ok else tries.failures + 1
            tries.arrived = record.at if said.ok else tries.arrived
            tries.why = "" if said.ok else said.why

    def _forget(self) -> None:
        if self._kept is None or len(self.all) <= 2 * self._kept:
            return
        over = [key for key, alert in self.all.items() if alert.over is not None]
        for key in over[: -self._kept]:
            del self.all[key]


def alerts_of(facts: Facts) -> Alerts:
    """Every alert of a world."""
    alerts = Alerts(kept=None)
    for body in KINDS.values():
        alerts.take(facts.read(body))
    return alerts
