"""The process that watches a world: facts in, alerts on record, then whoever is to be told."""

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from tandem.config import Settings
from tandem.market import DataError, FactConflict, Stopwatch, StoreError, World
from tandem.operations.alerts import known as of_world
from tandem.operations.alerts import standing as of_alerts
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.message import Message, next_message
from tandem.operations.alerts.patience import Patience
from tandem.operations.alerts.rules.runs import store_away
from tandem.operations.alerts.rules.table import alert_rules
from tandem.operations.alerts.standing import Alerts
from tandem.operations.alerts.target import Target
from tandem.operations.logs import about
from tandem.operations.supervise.roster import was_killed
from tandem.store import Entry, Facts, Record, Store, Tail

BEAT_SECONDS: Final = 2.0
FIRST_REST: Final = 5.0
LONGEST_REST: Final = 300.0
LONGEST_ANSWER: Final = 10.0
LONGEST_OPENING: Final = 60.0
FAREWELL_SECONDS: Final = 5.0
MOST_OWED: Final = 10_000
KINDS: Final = {**of_world.KINDS, **of_alerts.KINDS}

log = structlog.get_logger("tandem.alerts")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a message: why it did not arrive, empty where it did."""

    target: Target
    message: Message
    why: str


@dataclass(slots=True)
class Line:
    """How it stands with one target.

    Attributes:
        busy: a message is under way.
        rest: how long it is left alone after failures, seconds.
        since: the last failure.
    """

    busy: bool = False
    rest: float = 0.0
    since: Stopwatch = field(default_factory=Stopwatch)

    @property
    def is_free(self) -> bool:
        """Whether it can be told something now."""
        return not self.busy and self.since.seconds >= self.rest


class AlertWatch:
    """Reads what is new, evaluates the rules, records what they found, and tells the targets.

    A restart is a start: what stands and what was delivered are read from the facts.

    Args:
        opened: gives the store; asked again at every beat until it does.
        which: the world to watch, asked at every beat; None while there is none.
        moment: market time, given the world and the newest time of its facts.
        targets: given what tells the world; each is told by a thread of its own, so that a slow one holds up nothing.
        unknown: stands in for the world while there is none.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Callable[[], Store],
        which: Callable[[Store], World | None],
        moment: Callable[[World | None, datetime | None], datetime],
        targets: Callable[[Callable[[], World | None]], Sequence[Target]],
        unknown: World,
    ) -> None:
        self.settings = settings
        self.rules = alert_rules(settings.alerts)
        self._opened, self._which, self._ask_moment = opened, which, moment
        self._store: Store | None = None
        self._tail: Tail | None = None
        self._facts: Facts | None = None
        self._owed: list[Record] = []
        self._patience = Patience()
        self._answers: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self.known, self.alerts = Known(unknown, settings), Alerts()
        self.targets = targets(lambda: self.world)
        self._lines = {target.name: Line() for target in self.targets}

    @property
    def world(self) -> World | None:
        """What is watched; None while there is none."""
        return None if self._tail is None else self.known.world

    def run(self) -> None:
        """Watch until `end` is called, then wait a moment for what is under way."""
        while not self._ended.is_set():
            self.beat()
            self._listen(BEAT_SECONDS)
        farewell = Stopwatch()
        while any(line.busy for line in self._lines.values()) and farewell.seconds < FAREWELL_SECONDS:
            self._listen(FAREWELL_SECONDS / 10)
        with suppress(StoreError):
            self._settle()

    def end(self) -> None:
        """Let `run` return soon; may be called by a signal's handler or another thread."""
        self._ended.set()
        self._answers.put(None)

    def beat(self) -> None:
        """One look at the facts, and what follows from it."""
        self._look()
        self.known.unsupervised = was_killed(self.settings.home)
        moment = self._moment()
        self._evaluate(moment)
        self._tell(moment)

    def _moment(self) -> datetime:
        return self._ask_moment(self.world, self.known.newest)

    def _look(self) -> None:
        try:
            if self._store is None:
                self._store = self._patience.call("open", self._opened, LONGEST_OPENING)
            store = self._store
            self._turn_to(store, self._patience.call("which", lambda: self._which(store), LONGEST_ANSWER))
            while self._tail is not None and (entries := self._read(self._tail)):
                self._take(entries)
            self._settle()
            self.known.store_away = (0, "")
        except StoreError as error:
            self.known.store_away = (self.known.store_away[0] + 1, error.what)

    def _read(self, tail: Tail) -> list[Entry]:
        return self._patience.call(f"read {self.known.world}", tail.read, LONGEST_ANSWER)

    def _turn_to(self, store: Store, world: World | None) -> None:
        if world is None or (self._tail is not None and world == self.known.world):
            return
        if self._tail is not None:
            self._record(
                self.alerts.ended(alert, f"the desk goes on in {world}", self._moment())
                for alert in self.alerts.standing
            )
            self._settle()
        facts, tail = self._patience.call(
            f"follow {world}", lambda: (store.facts(world), store.tail(world, sorted(KINDS))), LONGEST_ANSWER
        )
        self.alerts = self.alerts if self._tail is None else Alerts()
        self.known, self._facts, self._tail = Known(world, self.settings), facts, tail
        log.info("watching", world=str(world), targets=sorted(self._lines))

    def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            try:
                record: Record[Any] = entry.record(KINDS[entry.kind])
            except DataError as error:
                log.warning("passed over", key=entry.key, why=str(error))
                continue
            self.known.take([record])
            self.alerts.take([record])

    def _evaluate(self, moment: datetime) -> None:
        """While the store is away nothing else is known well enough to judge."""
        is_blind = self._tail is None or self.known.store_away[0] > 0
        for rule in self.rules:
            if is_blind and rule.find is not store_away:
                continue
            stand = [alert for alert in self.alerts.standing if alert.raised.rule == rule.name]
            subjects = {alert.raised.subject for alert in stand}
            found = {each.subject: each for each in rule.findings(self.known, moment, subjects)}
            why = rule.over if rule.on else "the rule was switched off"
            over = [self.alerts.ended(each, why, moment) for each in stand if each.raised.subject not in found]
            new = [each for subject, each in found.items() if subject not in subjects]
            self._record(over + [self.alerts.raised(rule.name, rule.severity, each, moment) for each in new])

    def _record(self, records: Iterable[Record[Any]]) -> None:
        """Facts first; what cannot be one now is owed, and becomes one when the store is back."""
        for record in records:
            with about(world=self.world, session=record.session, pair=record.pair):
                log.info(record.kind, **msgspec.to_builtins(record.body))
            self.alerts.take([record])
            self.known.take([record])
            self._owed.append(record)
        del self._owed[:-MOST_OWED]
        if not self.known.store_away[0]:
            with suppress(StoreError):
                self._settle()

    def _settle(self) -> None:
        if self._owed and self._facts is not None:
            facts, records = self._facts, tuple(self._owed)
            count = self._patience.call(f"append {self.known.world}", lambda: _append(facts, records), LONGEST_ANSWER)
            del self._owed[:count]

    def _tell(self, moment: datetime) -> None:
        for target in self.targets:
            line, known = self._lines[target.name], self.alerts.all.values()
            if not line.is_free:
                continue
            message = next_message(target.wishes, known, moment, self.settings.alerts, self.world)
            if message is not None:
                line.busy = True
                threading.Thread(target=self._send, args=(target, message), daemon=True).start()

    def _send(self, target: Target, message: Message) -> None:
        self._answers.put(Told(target, message, target.send(message)))

    def _listen(self, seconds: float) -> None:
        """Wait for an answer of a target, and put all that have come on record."""
        with suppress(queue.Empty):
            told = self._answers.get(timeout=seconds)
            while True:
                if told is not None:
                    self._heard(told)
                told = self._answers.get_nowait()

    def _heard(self, told: Told) -> None:
        name, line = told.target.name, self._lines[told.target.name]
        moment = self._moment()
        of_this_world = [alert for alert in told.message.alerts if alert.key in self.alerts.all]
        self._record(self.alerts.delivered(each, name, told.why, told.message.how, moment) for each in of_this_world)
        line.busy = False
        line.rest = min(LONGEST_REST, 2 * line.rest or FIRST_REST) if told.why else 0.0
        line.since = Stopwatch()


def _append(facts: Facts, records: Sequence[Record]) -> int:
    """How many are on record, or can never be."""
    try:
        facts.append(*records)
    except FactConflict:
        for record in records:
            try:
                facts.append(record)
            except FactConflict as error:
                log.error("not recorded", key=record.key, why=str(error))
    return len(records)
