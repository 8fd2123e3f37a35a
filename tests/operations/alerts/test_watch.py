"""The watch on a real store: facts first, each target told once, whatever is killed or away."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.book import Capital, Mark
from tandem.config import Settings
from tandem.market import Stopwatch, StoreError, World, WorldKind
from tandem.operations.alerts import watch as module
from tandem.operations.alerts.message import Wishes
from tandem.operations.alerts.target import Target
from tandem.operations.alerts.watch import AlertWatch
from tandem.operations.facts.alert import AlertDelivered, AlertOver, AlertRaised
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.supervise.roster import Entry, Roster, itself, write
from tandem.risk import Standing, Switch
from tandem.store import Record

DAY = date(2023, 1, 28)  # a Saturday: nothing is due
NOON = datetime(2023, 1, 28, 17, tzinfo=UTC)
UNKNOWN = World(WorldKind.PAPER, 0)


class Ear:
    """A target that keeps what it was told, and fails or waits where asked to."""

    def __init__(self, name="desk", **wishes):
        self.name, self.heard, self.why = name, [], ""
        self.gate = threading.Event()
        self.gate.set()
        self.target = Target(Wishes(name, **wishes), self.send)

    def send(self, message):
        self.gate.wait(20)
        if not self.why:
            self.heard.append([alert.raised.rule for alert in message.alerts])
        return self.why


class Flaky:
    """A store, or its facts, that does not answer while the desk says so."""

    def __init__(self, real, desk):
        self.real, self.desk = real, desk

    def append(self, *records):
        self.ask()
        self.real.append(*records)

    def read(self):
        self.ask()
        return self.real.read()

    def ask(self):
        self.desk.line.wait(20)
        if self.desk.away:
            raise StoreError("PostgreSQL does not answer")

    def facts(self, world):
        return Flaky(self.real.facts(world), self.desk)

    def tail(self, world, kinds):
        return Flaky(self.real.tail(world, kinds), self.desk)


class Desk:
    """A world, and watches on it that come and go."""

    def __init__(self, store, home):
        self.home = home
        self.store, self.world = store, store.new_world(WorldKind.PAPER)
        self.facts, self.now, self.away = store.facts(self.world), NOON, False
        self.count = 0
        self.line = threading.Event()
        self.line.set()

    def note(self, body):
        self.count += 1
        self.facts.append(Record(body, DAY, self.now, f"{body.kind}.{self.count}"))

    def halt(self):
        self.note(Switch(Standing.HALTED, "lost 2%", "risk"))

    def arm(self):
        self.note(Switch(Standing.ARMED, "back", "ann"))

    def which(self, store):
        if self.away:
            raise StoreError("PostgreSQL does not answer")
        return self.world

    def watch(self, *ears, settings=None):
        def opened():
            if self.away:
                raise StoreError("PostgreSQL does not answer")
            return Flaky(self.store, self)

        return AlertWatch(
            settings or Settings(home=self.home),
            opened,
            self.which,
            lambda world, newest: self.now,
            lambda world: [ear.target for ear in ears],
            UNKNOWN,
        )

    def told(self, watch, until):
        """Beat until a condition holds."""
        patience = Stopwatch()
        while not until():
            assert patience.seconds < 20, "nothing came of it"
            watch.beat()
            watch._listen(0.01)
        return self

    def read(self, body):
        return [record.body for record in self.facts.read(body)]


@pytest.fixture
def desk(store, tmp_path):
    return Desk(store, tmp_path)


def quietly(watch, times=3):
    for _ in range(times):
        watch.beat()
        watch._listen(0.01)


def test_an_alert_is_a_fact_is_told_once_and_is_over_when_the_rule_finds_nothing(desk):
    ear = Ear()
    watch = desk.watch(ear)
    desk.halt()
    desk.told(watch, lambda: desk.read(AlertDelivered))
    quietly(watch)
    (raised,) = desk.facts.read(AlertRaised)
    assert (raised.body.rule, raised.body.severity, raised.at, raised.session) == ("halt", "critical", NOON, DAY)
    assert ear.heard == [["halt"]]
    desk.now += timedelta(minutes=5)
    desk.arm()
    quietly(watch)
    (over,) = desk.facts.read(AlertOver)
    assert (over.body, over.at) == (AlertOver("halt", "entries", "entries are allowed again"), desk.now)
    desk.now += timedelta(minutes=5)
    desk.halt()
    desk.told(watch, lambda: len(ear.heard) == 2)
    quietly(watch)
    assert len(desk.read(AlertRaised)) == 2
    assert [each.attempt for each in desk.read(AlertDelivered)] == [1, 1]


def test_the_fact_is_there_before_anybody_is_told(desk):
    seen = []
    ear = Ear()
    ear.target = Target(Wishes("desk"), lambda message: seen.append(len(desk.read(AlertRaised))) or "")
    watch = desk.watch(ear)
    desk.halt()
    desk.told(watch, lambda: seen)
    assert seen == [1]


def test_a_watch_that_was_killed_before_it_told_is_followed_by_one_that_does_and_by_none_that_repeats(desk):
    deaf, ear, late = Ear(), Ear(), Ear()
    deaf.gate.clear()
    desk.halt()
    desk.watch(deaf).beat()
    assert len(desk.read(AlertRaised)) == 1
    assert desk.read(AlertDelivered) == []
    desk.told(desk.watch(ear), lambda: desk.read(AlertDelivered))
    quietly(desk.watch(late))
    assert (ear.heard, late.heard) == ([["halt"]], [])
    assert len(desk.read(AlertRaised)) == 1
    deaf.gate.set()


def test_a_target_that_is_slow_does_not_hold_up_the_watch_or_the_others(desk):
    slow, quick = Ear("slow"), Ear("quick")
    slow.gate.clear()
    watch = desk.watch(slow, quick)
    desk.halt()
    desk.told(watch, lambda: quick.heard)
    desk.note(ProcessChanged("flows", "died", "signal 9"))
    desk.told(watch, lambda: len(quick.heard) == 2)
    assert slow.heard == []
    slow.gate.set()
    desk.told(watch, lambda: len(slow.heard) == 2)


def test_a_failure_is_a_fact_and_is_tried_again_later_and_later(desk, monkeypatch):
    monkeypatch.setattr(module, "FIRST_REST", 0.01)
    broken, fine = Ear("broken"), Ear("fine")
    broken.why = "Connection refused"
    watch = desk.watch(broken, fine)
    desk.halt()
    desk.told(watch, lambda: len(desk.read(AlertDelivered)) >= 4)
    line = watch._lines["broken"]
    assert line.rest >= 0.04
    broken.why = ""
    desk.told(watch, lambda: broken.heard)
    quietly(watch)
    tries = [each for each in desk.read(AlertDelivered) if each.target == "broken"]
    assert [(each.ok, each.why, each.attempt) for each in tries] == [
        *((False, "Connection refused", number) for number in range(1, len(tries))),
        (True, "", len(tries)),
    ]
    assert fine.heard == [["halt"]]
    assert line.rest == 0


def test_while_the_store_is_away_it_is_told_and_becomes_a_fact_when_the_store_is_back(desk):
    ear = Ear()
    watch = desk.watch(ear)
    quietly(watch)
    desk.away = True
    desk.told(watch, lambda: ear.heard)
    assert ear.heard == [["store_away"]]
    assert desk.read(AlertRaised) == []
    desk.away = False
    desk.now += timedelta(minutes=1)
    quietly(watch)
    assert [each.rule for each in desk.read(AlertRaised)] == ["store_away"]
    assert [each.ok for each in desk.read(AlertDelivered)] == [True]
    assert [each.why for each in desk.read(AlertOver)] == ["the store answers again"]


def test_a_watch_that_starts_while_the_store_is_away_tells_that_and_nothing_that_it_cannot_know(desk):
    ear = Ear()
    desk.now = datetime(2023, 1, 25, 17, tzinfo=UTC)  # a session day: much would be missing
    desk.away = True
    watch = desk.watch(ear)
    desk.told(watch, lambda: ear.heard)
    quietly(watch)
    assert ear.heard == [["store_away"]]
    desk.away = False
    quietly(watch, 5)
    assert {each.rule for each in desk.read(AlertRaised)} == {"store_away", "missed_run"}


def test_a_store_that_hangs_is_away_and_nothing_that_it_answers_late_is_lost(desk, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_ANSWER", 0.2)
    ear = Ear(at_least="info")
    watch = desk.watch(ear)
    quietly(watch)
    desk.line.clear()
    desk.told(watch, lambda: ear.heard)
    assert ear.heard == [["store_away"]]
    desk.halt()
    desk.line.set()
    desk.told(watch, lambda: len(ear.heard) == 2)
    desk.told(watch, lambda: len(desk.read(AlertDelivered)) == 2)
    assert {each.rule for each in desk.read(AlertRaised)} == {"store_away", "halt"}
    assert [each.rule for each in desk.read(AlertOver)] == ["store_away"]


def test_a_supervisor_that_was_killed_is_told_of_until_there_is_another(desk):
    ear = Ear()
    watch = desk.watch(ear)
    quietly(watch)
    left = Entry("session", "well", 1, NOON, 0, "", (itself(),))
    gone = Entry("session", "well", 1, NOON, 0, "", ((2**22 + 2, 0.0),))
    write(desk.home, Roster((2**22 + 1, 0.0), str(desk.world), (gone,)))
    quietly(watch)
    assert ear.heard == []  # nothing of it is left, as after a power cut
    write(desk.home, Roster((2**22 + 1, 0.0), str(desk.world), (gone, left)))
    desk.told(watch, lambda: ear.heard)
    assert ear.heard == [["unsupervised"]]
    write(desk.home, Roster(itself(), str(desk.world), ()))
    quietly(watch)
    assert [each.why for each in desk.read(AlertOver)] == ["`tandem up` runs again"]


def test_one_look_at_a_store_that_is_away_is_no_alert(desk):
    ear = Ear()
    watch = desk.watch(ear)
    watch.beat()
    desk.away = True
    watch.beat()
    desk.away = False
    quietly(watch)
    assert (ear.heard, desk.read(AlertRaised)) == ([], [])


def test_many_facts_are_read_in_bounded_portions_and_all_of_them_count(desk):
    zero = Decimal(0)
    desk.note(Capital(Decimal(100_000)))
    desk.facts.append(
        *(
            Record(Mark(Decimal(100_000 + number), zero, zero, zero, zero), DAY, NOON, f"mark.{number}")
            for number in range(5000)
        )
    )
    watch = desk.watch()
    watch.beat()
    assert watch.known.equity is not None
    assert watch.known.equity.now == 104_999


def test_a_rule_that_is_switched_off_ends_what_it_raised(desk):
    desk.halt()
    quietly(desk.watch())
    quietly(desk.watch(settings=Settings.model_validate({"alerts": {"rules": {"halt": {"on": False}}}})))
    assert [each.why for each in desk.read(AlertOver)] == ["the rule was switched off"]


def test_another_world_begins_afresh_and_what_stood_in_the_old_one_is_over(desk):
    ear = Ear()
    watch = desk.watch(ear)
    desk.halt()
    desk.told(watch, lambda: ear.heard)
    old, desk.world = desk.world, desk.store.new_world(WorldKind.PAPER)
    quietly(watch)
    over = desk.store.facts(old).read(AlertOver)
    assert [each.body.why for each in over] == [f"the desk goes on in {desk.world}"]
    assert desk.store.facts(desk.world).read(AlertRaised) == []


def test_a_turn_to_another_world_that_fails_is_made_again_and_mixes_no_two(desk, monkeypatch):
    watch = desk.watch()
    quietly(watch)
    old, follow = desk.facts, Flaky.tail
    desk.world = desk.store.new_world(WorldKind.PAPER)
    desk.facts = desk.store.facts(desk.world)

    def cut(*_):
        raise StoreError("PostgreSQL does not answer")

    monkeypatch.setattr(Flaky, "tail", cut)
    quietly(watch)
    assert watch.world == old.world
    monkeypatch.setattr(Flaky, "tail", follow)
    desk.halt()
    quietly(watch)
    assert watch.world == desk.world
    assert [each.rule for each in desk.read(AlertRaised)] == ["halt"]
    assert {each.body.rule for each in old.read(AlertRaised)} == {"store_away"}


def test_it_ends_when_it_is_told_and_records_what_was_under_way(desk):
    ear = Ear()
    ear.gate.clear()
    watch = desk.watch(ear)
    desk.halt()
    thread = threading.Thread(target=watch.run)
    thread.start()
    while not watch._lines["desk"].busy:
        thread.join(0.01)
    watch.end()
    ear.gate.set()
    thread.join(20)
    assert not thread.is_alive()
    assert [each.ok for each in desk.read(AlertDelivered)] == [True]
