"""What is known of a world, as a fold over its facts: what the rules look at."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tandem.book import Capital, Mark
from tandem.config import Settings
from tandem.desk import Plan
from tandem.execution import PairOrderEnded, name_of
from tandem.forecast import ModelRegistered, Registration, Verdict
from tandem.market import Fill, Order, Refusal, World
from tandem.operations.facts.alert import AlertRaised
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Baseline, Intent, Switch, in_force
from tandem.store import Body, Move, Record, StageChanged

ZERO: Final = Decimal(0)
KEPT: Final = 200
DAYS_KEPT: Final = 10
DOWNWARD: Final = (Move.DEMOTED, Move.ROLLED_BACK, Move.WITHDRAWN)

# Every kind of fact that a rule looks at.
KINDS: Final[Mapping[str, type[Body]]] = {
    body.kind: body
    for body in (
        *(AlertRaised, Baseline, Capital, Fill, FlowDone, Intent, Mark, ModelRegistered, Order, PairOrderEnded),
        *(Plan, ProcessChanged, Refusal, Registration, StageChanged, Switch, Verdict),
    )
}


@dataclass(frozen=True, slots=True)
class Equity:
    """Dollars now, at the session's start, and at the best mark since entries were last re-armed."""

    now: Decimal
    at_open: Decimal
    peak: Decimal

    @property
    def drawdown(self) -> float:
        """The share of the best mark that is lost."""
        return float(1 - self.now / self.peak) if self.peak > 0 else 0.0

    @property
    def loss_today(self) -> float:
        """The share of the session's start that is lost; negative where something was gained."""
        return float(1 - self.now / self.at_open) if self.at_open > 0 else 0.0


@dataclass(slots=True)
class Legs:
    """How far the two legs of a pair order have filled.

    Attributes:
        since: since when, UTC, one is further than the other; None while they are level.
        prices: dollars per share of each symbol's newest fill.
    """

    intent: Intent
    filled: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    since: datetime | None = None

    @property
    def naked_dollars(self) -> Decimal:
        """Dollars that the further leg is ahead of the other, by the prices of the fills."""
        meant = self.intent
        shares = {meant.pair.a: meant.qty_a, meant.pair.b: meant.qty_b}
        done = {name: abs(self.filled.get(name, ZERO)) / qty if qty else Decimal(1) for name, qty in shares.items()}
        ahead = max(done, key=lambda name: done[name])
        return (max(done.values()) - min(done.values())) * shares[ahead] * self.prices.get(ahead, ZERO)

    def take(self, fill: Fill) -> None:
        """A fill of either leg."""
        self.filled[fill.symbol] = self.filled.get(fill.symbol, ZERO) + fill.side.sign * fill.qty
        self.prices[fill.symbol] = fill.price
        self.since = (self.since or fill.at) if self.naked_dollars else None


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact of the kind that is told once, even where it is over by the time that somebody looks.

    Attributes:
        number: how many sessions had begun by then.
    """

    record: Record
    number: int


class Known:
    """What the facts of a world say, as far as it matters now; bounded, whatever their number.

    Attributes:
        settings: in force.
        equity: None before the first mark.
        mark: the newest one, with its session and time.
        newest: the newest market time of any mark, fill or flow, UTC.
        began: the first session that anything is known of.
        sessions: how many have begun.
        switch: who said last what may be done.
        orders, refused: sent in the newest session, and how many of them the broker refused.
        under_way: pair orders that have not ended, by name.
        ended: the last pair order of each pair, with its time.
        stale: by pair, since when it has been refused for a leg without fresh bars, and the last refusal.
        done: which flows have been done for which of the last dates.
        happened: drifts, demotions and deaths, the last ones.
        down: processes that died or do not answer, and have not been started since.
        told: the number of the session in which a rule and a subject were last an alert.
        plan: the newest.
        owed: refits that the registry has not been told of, by their digest.
        store_away: looks in a row at which the store did not answer, and what it said.
        unsupervised: whether `tandem up` was killed, and what it started runs on.
    """

    def __init__(self, world: World, settings: Settings) -> None:
        self.world = world
        self.settings = settings
        self.equity: Equity | None = None
        self.mark: Record[Mark] | None = None
        self.newest: datetime | None = None
        self.began: date | None = None
        self.sessions = 0
        self.switch = in_force(())
        self.orders = self.refused = 0
        self.under_way: dict[str, Legs] = {}
        self.ended: dict[str, Record[PairOrderEnded]] = {}
        self.stale: dict[str, tuple[datetime, Record[Refusal]]] = {}
        self.done: set[tuple[date, FlowName]] = set()
        self.happened: deque[Happened] = deque(maxlen=KEPT)
        self.down: dict[str, Record[ProcessChanged]] = {}
        self.told: dict[tuple[str, str], int] = {}
        self.plan: Record[Plan] | None = None
        self.owed: dict[str, Record[Registration]] = {}
        self.store_away: tuple[int, str] = (0, "")
        self.unsupervised = False
        self._decision_before: datetime | None = None

    def take(self, records: Iterable[Record]) -> None:
        """Fold further facts in, in the order of their recording; other kinds are passed over."""
        for record in records:
            self._trade(record)
            self._rest(record)

    def has_done(self, day: date, flow: FlowName) -> bool:
        """Whether a flow has done its work for one of the last trading dates."""
        return (day, flow) in self.done

    def _trade(self, record: Record[Any]) -> None:
        match record.body:
            case Capital(cash):
                self.equity = self.equity or Equity(cash, cash, cash)
            case Mark():
                self._marked(record)
            case Baseline(equity):
                self.equity = Equity(equity, equity, equity)
            case Switch():
                self.switch = record.body
            case Refusal():
                self._refuse(record)
            case Order():
                self.orders += 1
            case Intent():
                self.under_way[name_of(self.world, record.body.pair, record.at)] = Legs(record.body)
            case Fill():
                self._seen(record)
                if legs := self.under_way.get(record.body.client_order_id.rsplit(".", 3)[0]):
                    legs.take(record.body)
            case PairOrderEnded():
                self.under_way.pop(record.body.name, None)
                self.ended[record.pair or ""] = record

    def _rest(self, record: Record[Any]) -> None:
        match record.body:
            case FlowDone():
                self._seen(record)
                self.done.add((record.session, record.body.flow))
                self.done = set(sorted(self.done)[-len(FlowName) * DAYS_KEPT :])
            case ProcessChanged():
                self._change(record)
            case AlertRaised(rule, _, subject):
                self.told[rule, subject] = self.sessions
                self.told = dict(list(self.told.items())[-KEPT:])
            case Plan():
                self.plan = record
            case Registration():
                self.owed[record.body.refit] = record
            case ModelRegistered():
                self.owed.pop(record.body.refit, None)
            case Verdict(action="demote"):
                self._happen(record)
            case StageChanged() if record.body.move in DOWNWARD:
                self._happen(record)

    def _marked(self, record: Record[Mark]) -> None:
        now = record.body.equity
        equity = self.equity or Equity(now, now, now)
        if self.mark is None or record.session > self.mark.session:
            self.sessions += 1
            self.orders = self.refused = 0
            self.stale = {}
            equity = Equity(now, equity.now, equity.peak)
        self.equity = Equity(now, equity.at_open, max(now, equity.peak))
        self._decision_before, self.mark = self.mark.at if self.mark else None, record
        self._seen(record)

    def _refuse(self, record: Record[Refusal]) -> None:
        reason, pair = record.body.reason, record.pair or ""
        if reason == "order refused":
            self.refused += 1
        elif reason == "stale leg":
            since, last = self.stale.get(pair, (record.at, record))
            goes_on = last.at in (record.at, self._decision_before)
            self.stale[pair] = (since if goes_on else record.at, record)
        elif reason == "drift" and not self._has_drifted(pair):
            self._happen(record)

    def _has_drifted(self, pair: str) -> bool:
        now = (each.record for each in self.happened if each.number == self.sessions)
        return any(isinstance(record.body, Refusal) and record.pair == pair for record in now)

    def _change(self, record: Record[ProcessChanged]) -> None:
        name = record.body.name
        if record.body.event in ("died", "unwell"):
            self.down[name] = record
            self._happen(record)
        else:
            self.down.pop(name, None)

    def _happen(self, record: Record) -> None:
        self.happened.append(Happened(record, self.sessions))

    def _seen(self, record: Record) -> None:
        self.newest = max(self.newest or record.at, record.at)
        self.began = min(self.began or record.session, record.session)
