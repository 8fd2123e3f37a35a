"""What a target is told next: pure, from the alerts and how they stand with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from tandem.config import AlertSettings, Severity
from tandem.market import NEW_YORK, World
from tandem.operations.alerts.standing import Alert, Tries
from tandem.operations.facts.alert import AlertRaised
from tandem.operations.run.wording import counted, moment_text

GRAVITY: Final[dict[str, int]] = {"info": 0, "warning": 1, "critical": 2}
MOST_FAILURES: Final = 20
# What is older is no news any more, and a target that is named today is not told of last week.
NEWS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one target wants to be told.

    Attributes:
        name: of the target.
        at_least: the lowest severity; None where it is told of what lasts alone.
        escalates: whether it is told of critical alerts that last.
        sleeps: whether quiet hours count.
    """

    name: str
    at_least: Severity | None = "warning"
    escalates: bool = False
    sleeps: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """What is said at once.

    Attributes:
        alerts: what it tells of.
        severity: the gravest of them.
        how: why it is no message about one new alert; empty where it is.
    """

    alerts: tuple[Alert, ...]
    severity: Severity
    title: str
    text: str
    how: str = ""


class QuietHours:
    """A span of New York time, which may go over midnight; its end is not in it.

    Args:
        span: `22:00-07:00`; None for no quiet at all.
    """

    def __init__(self, span: str | None) -> None:
        self._ends = tuple(time.fromisoformat(end) for end in span.split("-")) if span else None

    def __contains__(self, moment: datetime) -> bool:
        if self._ends is None:
            return False
        first, last = self._ends
        now = moment.astimezone(NEW_YORK).time()
        return first <= now < last if first <= last else now >= first or now < last


def next_message(
    wishes: Wishes, alerts: Iterable[Alert], moment: datetime, settings: AlertSettings, world: World | None
) -> Message | None:
    """The most urgent thing that a target has not been told; None where it knows everything it should.

    Critical alerts come first, then the oldest. What came in quiet hours follows when they end, in one message.
    """
    quiet = QuietHours(settings.quiet_hours)
    known = list(alerts)
    new = [alert for alert in known if _is_wanted(alert, wishes, moment)]
    patient = [alert for alert in new if wishes.sleeps and alert.raised.severity != "critical"]
    held = patient if moment in quiet else [alert for alert in patient if alert.at in quiet]
    if due := [alert for alert in new if alert not in held]:
        return _single(min(due, key=_urgency), moment, world)
    if lasting := [alert for alert in known if _lasts(alert, wishes, moment, settings)]:
        return _single(min(lasting, key=_urgency), moment, world, "it lasts")
    if held and moment not in quiet:
        return _single(held[0], moment, world) if len(held) == 1 else _digest(held, world)
    return None


def trial_message(moment: datetime) -> Message:
    """What `tandem alerts test` says."""
    body = AlertRaised("test", "info", "targets", "this is a test", "Nothing happened: alerts come to this place.")
    return _single(Alert(f"test.{moment:%Y%m%dT%H%M%S}", body, moment), moment, None)


def _is_wanted(alert: Alert, wishes: Wishes, moment: datetime) -> bool:
    if wishes.at_least is None or GRAVITY[alert.raised.severity] < GRAVITY[wishes.at_least]:
        return False
    tries = alert.tries.get(wishes.name, Tries())
    return tries.arrived is None and tries.failures < MOST_FAILURES and moment - alert.at < NEWS


def _lasts(alert: Alert, wishes: Wishes, moment: datetime, settings: AlertSettings) -> bool:
    if not wishes.escalates or alert.raised.severity != "critical" or alert.over is not None:
        return False
    tries = alert.tries.get(wishes.name, Tries())
    since = max(alert.at, tries.arrived or alert.at)
    return tries.failures < MOST_FAILURES and moment - since >= timedelta(minutes=settings.escalation_minutes)


def _urgency(alert: Alert) -> tuple[int, datetime]:
    return -GRAVITY[alert.raised.severity], alert.at


def _single(alert: Alert, moment: datetime, world: World | None, how: str = "") -> Message:
    raised = alert.raised
    since = f", and still so at {moment_text(moment)}" if how else ""
    text = f"{raised.text}\n{moment_text(alert.at)} New York{since}{_ended(alert)}; {_of(world)}rule {raised.rule}."
    return Message((alert,), raised.severity, f"Tandem, {raised.severity}: {raised.title}", text, how)


def _digest(alerts: list[Alert], world: World | None) -> Message:
    gravest = max((alert.raised.severity for alert in alerts), key=lambda severity: GRAVITY[severity])
    lines = [
        f"{moment_text(alert.at)} {alert.raised.severity}: {alert.raised.title}. {alert.raised.text}{_ended(alert)}"
        for alert in alerts
    ]
    title = f"Tandem: {counted(len(alerts), 'alert')} in the quiet hours"
    return Message(tuple(alerts), gravest, title, "\n".join([*lines, f"{_of(world)}times of New York."]), "in a digest")


def _ended(alert: Alert) -> str:
    return f"; over since {moment_text(alert.over.at)}, {alert.over.body.why}" if alert.over else ""


def _of(world: World | None) -> str:
    return f"{world}, " if world else ""
