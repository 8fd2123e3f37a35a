"""One world in memory, brought up to date fact by fact."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from tandem.book import Capital, Mark
from tandem.desk import ModelInForce, Plan, Shadow, TradingConfiguration
from tandem.execution import PairOrderEnded
from tandem.forecast import ModelRegistered, RecipeStaged, Verdict
from tandem.market import DataError, Fill, Order, Refusal, World
from tandem.operations.alerts.standing import KINDS, Alerts
from tandem.operations.dashboard.folds.curve import EquityCurve
from tandem.operations.dashboard.folds.decisions import MOST_SIGNALS, Decisions
from tandem.operations.dashboard.folds.money import Money
from tandem.operations.dashboard.folds.mornings import Mornings
from tandem.operations.dashboard.folds.notices import Flows, Processes, Switches
from tandem.operations.dashboard.folds.orders import Orders
from tandem.operations.dashboard.folds.recipes import Recipes
from tandem.operations.facts.flow_done import FlowDone
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Intent, Switch
from tandem.screening import Funnel, PairLife, Passport
from tandem.signals import Signal
from tandem.store import Body, Entry, Record, StageChanged, Store

MANY: Final = (Signal.kind, Refusal.kind)
NEWEST: Final = MOST_SIGNALS
BLANK: Final = ("starts", "closes_a", "closes_b")
Takes = Callable[[Record[Any]], None]


class Followed:
    """A world's state, as the page shows it. Whoever reads it holds `lock`.

    Args:
        world: None for nothing at all: every page can show that too.
        store: where its facts are.

    Attributes:
        version: goes up with every fact.
        newest: market time of the newest fact; None in an empty world.
        unreadable: facts that cannot be used: another version of Tandem wrote them.
    """

    def __init__(self, world: World | None = None, store: Store | None = None) -> None:
        self.world = world
        self.lock = threading.RLock()
        self.version = 0
        self.newest: datetime | None = None
        self.unreadable = 0
        self.capital: Capital | None = None
        self.curve = EquityCurve()
        self.money = Money()
        self.decisions = Decisions()
        self.orders = Orders()
        self.mornings = Mornings()
        self.recipes = Recipes()
        self.switches = Switches()
        self.processes = Processes()
        self.flows = Flows()
        self.alerts = Alerts()
        self._takes = self._table()
        kinds = list(self._takes)
        self._tail = store.tail(world, kinds, many=MANY, newest=NEWEST, blank=BLANK) if world and store else None
        self._reading = threading.Lock()

    def catch_up(self) -> bool:
        """Take a batch of what has come; whether there was any.

        Raises:
            StoreError: the store is away; the next call goes on where this one was.
        """
        if self._tail is None:
            return False
        with self._reading:
            entries = self._tail.read()
            with self.lock:
                self.take(entries)
        return bool(entries)

    def take(self, entries: Iterable[Entry]) -> None:
        """Take facts."""
        for entry in entries:
            self.version += 1
            if entry.kind != Switch.kind:  # a person's has the time of the wall
                self.newest = max(self.newest or entry.at, entry.at)
            try:
                self._take(entry)
            except (DataError, ValueError):  # of another version, or of no two symbols
                self.unreadable += 1

    def _take(self, entry: Entry) -> None:
        body, takes = self._takes[entry.kind]
        record = entry.record(body)
        for take in takes:
            take(record)

    def _table(self) -> dict[str, tuple[type[Body], tuple[Takes, ...]]]:
        takers: list[tuple[type[Body], tuple[Takes, ...]]] = [
            (Capital, (self._begin,)),
            (Mark, (self._mark,)),
            (Signal, (self.money.price, self.decisions.judged)),
            (Refusal, (self.decisions.refused,)),
            (Intent, (self.money.mean, self.decisions.meant, self.orders.mean)),
            (Order, (self.orders.send,)),
            (Fill, (self.money.fill, self.orders.fill)),
            (PairOrderEnded, (self.orders.end,)),
            (Funnel, (self.mornings.count,)),
            (Passport, (self.mornings.identify,)),
            (PairLife, (self.mornings.live,)),
            (TradingConfiguration, (self.mornings.configure,)),
            (Plan, (self.mornings.plan,)),
            (StageChanged, (self.recipes.change,)),
            (RecipeStaged, (self.recipes.stage,)),
            (Verdict, (self.recipes.judge,)),
            (ModelInForce, (self.recipes.enforce,)),
            (ModelRegistered, (self.recipes.register,)),
            (Shadow, (self.recipes.follow,)),
            (Switch, (self.switches.take,)),
            (ProcessChanged, (self.processes.take,)),
            (FlowDone, (self.flows.take,)),
            *((body, (self._alert,)) for body in KINDS.values()),
        ]
        return {body.kind: (body, takes) for body, takes in takers}

    def _begin(self, record: Record[Capital]) -> None:
        self.capital = record.body
        self.curve.start(record.body.cash)

    def _alert(self, record: Record[Any]) -> None:
        self.alerts.take([record])

    def _mark(self, record: Record[Mark]) -> None:
        self.money.begin(record.session)
        self.curve.take(record)
