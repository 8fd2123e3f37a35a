"""What a target is told next: severities, quiet hours, escalation, what was told already."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tandem.config import AlertSettings
from tandem.market import World, WorldKind
from tandem.operations.alerts.message import MOST_FAILURES, QuietHours, Wishes, next_message
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.alerts.standing import Alerts

WORLD = World(WorldKind.PAPER, 3)
DAY = date(2023, 1, 25)
DESK, PHONE = Wishes("desk"), Wishes("phone", None, escalates=True)


def at(clock, days=0):
    """A New York time in winter, UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2023, 1, 25, hour, minute, tzinfo=UTC) + timedelta(hours=5, days=days)


class Desk:
    """Alerts as they stand, and what the settings want of them."""

    def __init__(self, **settings):
        self.alerts = Alerts()
        self.settings = AlertSettings.model_validate(settings)

    def raised(self, severity, subject, clock, days=0):
        record = self.alerts.raised("rule", severity, Finding(subject, f"{subject} it is", "Figures."), at(clock, days))
        self.alerts.take([record])
        return self.alerts.all[record.key]

    def over(self, alert, clock, days=0):
        self.alerts.take([self.alerts.ended(alert, "it is level", at(clock, days))])

    def next(self, clock, wishes=DESK, days=0):
        return next_message(wishes, self.alerts.all.values(), at(clock, days), self.settings, WORLD)

    def told(self, clock, wishes=DESK, days=0, why=""):
        """Tell everything that is due, and name it."""
        said = []
        while (message := self.next(clock, wishes, days)) is not None:
            said.append([alert.raised.subject for alert in message.alerts])
            for alert in message.alerts:
                self.alerts.take([self.alerts.delivered(alert, wishes.name, why, message.how, at(clock, days))])
        return said


def test_a_new_alert_is_one_message_with_its_severity_figures_time_and_world():
    desk = Desk()
    desk.raised("warning", "drawdown", "10:00")
    message = desk.next("10:00")
    assert message.title == "Tandem, warning: drawdown it is"
    assert message.text == "Figures.\nWed 25 Jan 10:00 New York; paper-3, rule rule."
    assert (message.severity, message.how) == ("warning", "")


def test_what_arrived_is_not_told_again_and_the_gravest_comes_first():
    desk = Desk()
    for severity, subject in (("warning", "one"), ("warning", "two"), ("critical", "three")):
        desk.raised(severity, subject, "10:00")
    assert desk.told("10:01") == [["three"], ["one"], ["two"]]
    assert desk.told("10:02") == []


def test_a_target_is_told_from_its_severity_on():
    desk = Desk()
    for severity in ("info", "warning", "critical"):
        desk.raised(severity, severity, "10:00")
    assert desk.told("10:00") == [["critical"], ["warning"]]
    assert desk.told("10:00", Wishes("all", "info")) == [["critical"], ["warning"], ["info"]]
    assert desk.told("10:00", Wishes("few", "critical")) == [["critical"]]
    assert desk.told("10:00", PHONE) == []


def test_an_alert_that_is_over_before_it_arrived_is_told_all_the_same_with_its_end():
    desk = Desk()
    desk.over(desk.raised("warning", "one", "10:00"), "10:05")
    assert "over since Wed 25 Jan 10:05, it is level" in desk.next("10:10").text


def test_what_failed_is_tried_again_so_often_and_no_more():
    desk = Desk()
    alert = desk.raised("warning", "one", "10:00")
    assert desk.told("10:00", why="no route") == [["one"]] * MOST_FAILURES
    assert (alert.tries["desk"].attempts, alert.tries["desk"].why) == (MOST_FAILURES, "no route")


def test_what_is_older_than_a_day_is_no_news():
    desk = Desk()
    desk.raised("warning", "one", "10:00")
    assert desk.next("9:59", days=1) is not None
    assert desk.next("10:00", days=1) is None


@pytest.mark.parametrize(
    ("span", "quiet", "loud"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["21:59", "07:00", "12:00"]),
        ("01:00-05:00", ["01:00", "04:59"], ["00:59", "05:00", "22:00"]),
        (None, [], ["00:00", "12:00"]),
    ],
)
def test_quiet_hours_may_go_over_midnight_and_end_before_their_last_minute(span, quiet, loud):
    hours = QuietHours(span)
    assert all(at(clock) in hours for clock in quiet)
    assert not any(at(clock) in hours for clock in loud)


def test_quiet_hours_are_those_of_new_york_in_summer_too():
    assert datetime(2023, 7, 1, 2, 0, tzinfo=UTC) in QuietHours("22:00-07:00")
    assert datetime(2023, 7, 1, 1, 59, tzinfo=UTC) not in QuietHours("22:00-07:00")


def test_in_quiet_hours_only_critical_alerts_go_out_and_the_rest_follows_in_one_message():
    desk = Desk(quiet_hours="22:00-07:00")
    desk.raised("warning", "late", "21:59")
    desk.raised("warning", "one", "22:00")
    desk.over(desk.raised("warning", "two", "1:00", days=1), "2:00", days=1)
    desk.raised("critical", "three", "3:00", days=1)
    assert desk.told("3:00", days=1) == [["three"]]
    assert desk.told("6:59", days=1) == []
    message = desk.next("7:00", days=1)
    assert [alert.raised.subject for alert in message.alerts] == ["late"]
    digest = desk.told("7:00", days=1)[1]
    assert digest == ["one", "two"]
    assert desk.told("7:01", days=1) == []


def test_the_digest_says_when_each_was_raised_and_what_is_over():
    desk = Desk(quiet_hours="22:00-07:00")
    desk.raised("warning", "one", "22:00")
    desk.over(desk.raised("info", "two", "23:00"), "23:30")
    message = desk.next("7:00", Wishes("all", "info"), days=1)
    assert (message.title, message.severity, message.how) == (
        "Tandem: 2 alerts in the quiet hours",
        "warning",
        "in a digest",
    )
    assert message.text.splitlines() == [
        "Wed 25 Jan 22:00 warning: one it is. Figures.",
        "Wed 25 Jan 23:00 info: two it is. Figures.; over since Wed 25 Jan 23:30, it is level",
        "paper-3, times of New York.",
    ]


def test_one_alert_of_the_quiet_hours_is_no_digest():
    desk = Desk(quiet_hours="22:00-07:00")
    desk.raised("warning", "one", "22:00")
    assert desk.next("7:00", days=1).how == ""


def test_the_file_knows_no_quiet_hours():
    desk = Desk(quiet_hours="22:00-07:00")
    desk.raised("info", "one", "23:00")
    assert desk.told("23:00", Wishes("file", "info", sleeps=False)) == [["one"]]


def test_a_critical_alert_that_lasts_goes_to_who_is_told_of_that_and_again():
    desk = Desk(escalation=["phone"], escalation_minutes=15)
    alert = desk.raised("critical", "one", "10:00")
    assert desk.told("10:14", PHONE) == []
    assert desk.next("10:15", PHONE).text.startswith(
        "Figures.\nWed 25 Jan 10:00 New York, and still so at Wed 25 Jan 10:15"
    )
    assert desk.told("10:15", PHONE) == [["one"]]
    assert desk.told("10:29", PHONE) == []
    assert desk.told("10:30", PHONE) == [["one"]]
    desk.over(alert, "10:31")
    assert desk.told("10:45", PHONE) == []


def test_a_warning_does_not_escalate_and_who_is_no_target_of_escalation_is_told_once():
    desk = Desk(escalation=["phone"])
    desk.raised("warning", "one", "10:00")
    desk.raised("critical", "two", "10:00")
    assert desk.told("10:00") == [["two"], ["one"]]
    assert desk.told("11:00") == []
    assert desk.told("11:00", PHONE) == [["two"]]


def test_facts_that_come_twice_count_once():
    desk, again = Desk(), Alerts()
    alert = desk.raised("critical", "one", "10:00")
    records = [
        desk.alerts.raised("rule", "critical", Finding("two", "two it is", ""), at("10:00")),
        desk.alerts.ended(alert, "why", at("10:05")),
        desk.alerts.delivered(alert, "desk", "no route", "", at("10:00")),
    ]
    for _ in range(2):
        desk.alerts.take(records)
        again.take(records)
    assert len(desk.alerts.all) == 2
    assert alert.tries["desk"].attempts == alert.tries["desk"].failures == 1
    assert [each.raised.subject for each in again.standing] == ["two"]


def test_raised_over_and_raised_again_are_three_facts_even_at_one_time():
    alerts = Alerts()
    keys = []
    for _ in range(2):
        record = alerts.raised("halt", "critical", Finding("entries", "halted", ""), at("10:00"))
        alerts.take([record])
        alerts.take([over := alerts.ended(alerts.all[record.key], "armed", at("10:00"))])
        keys += [record.key, over.key]
    first = "alert.halt.entries.20230125T150000"
    assert keys == [first, f"over.{first}", f"{first}.2", f"over.{first}.2"]


def test_alerts_that_are_over_are_forgotten_in_time_and_those_that_stand_are_not():
    alerts = Alerts(kept=10)
    alerts.take([alerts.raised("rule", "info", Finding("stands", "", ""), at("9:00"))])
    for number in range(50):
        record = alerts.raised("rule", "info", Finding(str(number), "", ""), at("10:00"))
        alerts.take([record, alerts.ended(alerts.all.get(record.key) or _of(record), "", at("10:00"))])
    assert len(alerts.all) <= 20
    assert [alert.raised.subject for alert in alerts.standing] == ["stands"]


def _of(record):
    from tandem.operations.alerts.standing import Alert

    return Alert(record.key, record.body, record.at)
