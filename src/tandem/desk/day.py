"""One session as it stands: watches, book, prices and what is yet to be recorded."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import ClassVar, Self

from tandem.book import Book, Capital, Mark
from tandem.config import RiskSettings, Settings
from tandem.desk.champions import Champions
from tandem.desk.configuration import TradingConfiguration, configuration_of
from tandem.desk.desk import Desk
from tandem.desk.plan import plan_of, watch_of
from tandem.execution import PairOrderEnded, Trader, name_of, reconcile
from tandem.market import Bar, Fill, Pair, Refusal, Session, price
from tandem.risk import Baseline, Equity, Intent, Standing, Switch, in_force
from tandem.rules import Stance
from tandem.signals import Entered, PairWatch, Signal
from tandem.store import Record

Note = Signal | Refusal | Intent
Limit = Callable[[Equity, RiskSettings], Switch | None]


@dataclass(slots=True)
class Day:
    """The state of a session; everything in it can be had again from facts and bars.

    Attributes:
        today: watches of the pairs in today's plan.
        carried: watches of pairs whose open trades live by an earlier passport.
        champions: which model trades each sector.
        closes: newest close of every symbol, dollars.
        decided: decisions of this session that are on record.
        rearmed: keys of the baselines that were set when a person re-armed entries.
        configuration: what the morning allows with each pair; None for a plan that was made without one.
    """

    LAST_CALL: ClassVar = timedelta(minutes=10)

    desk: Desk
    session: Session
    book: Book
    trader: Trader
    equity: Equity
    today: dict[Pair, PairWatch]
    carried: dict[Pair, PairWatch]
    decided: set[datetime]
    champions: Champions
    closes: dict[str, Decimal] = field(default_factory=dict)
    opens: dict[tuple[str, datetime], Decimal] = field(default_factory=dict)
    halt_reason: str = ""
    rearmed: set[str] = field(default_factory=set)
    configuration: TradingConfiguration | None = None
    _notes: list[Record] = field(default_factory=list)
    _orders: list[datetime] = field(default_factory=list)

    @classmethod
    def begin(cls, desk: Desk, session: Session) -> Self:
        """Read the session from facts, catch up on bars, compare with the broker, take up what is under way."""
        facts = desk.facts
        if not facts.read(Capital):
            capital = Capital(desk.broker.account().equity)
            facts.append(Record(capital, session.day, session.morning, "capital"))
        book = Book.from_facts(facts)
        marks = facts.read(Mark)
        baselines = facts.read(Baseline)
        plan = plan_of(facts, session.day)
        today = {Pair.parse(pair): watch_of(facts, desk.blobs, Pair.parse(pair), session.day)
                 for pair in (plan.models if plan else {})}  # fmt: skip
        unfinished = _unfinished(desk)
        began = {intent.body.pair: (intent.body.passport, intent.at) for intent in unfinished}
        began |= {trade.pair: (trade.entry.passport, trade.opened_at) for trade in book.open.values()}
        carried = {pair: watch_of(facts, desk.blobs, pair, made)
                   for pair, (made, _) in began.items() if made != session.day}  # fmt: skip
        champions = Champions(facts, desk.blobs, session.day)
        for pair, (made, at) in began.items():
            of = champions if made == session.day else Champions(facts, desk.blobs, made)
            of.equip([(today if made == session.day else carried)[pair]], at)
        budget, commission = desk.settings.execution, desk.settings.costs.commission_per_share
        trader = Trader(desk.world, session.day, desk.broker, facts, budget, book.executions, commission)
        decided = {mark.at for mark in marks if mark.session == session.day}
        equity = _equity(book, marks, baselines, session)
        day = cls(desk, session, book, trader, equity, today, carried, decided, champions)
        day.configuration = configuration_of(facts, session.day, plan.version if plan else None)
        day.rearmed = {baseline.key for baseline in baselines}
        day.closes |= {fill.body.symbol: fill.body.price for fill in facts.read(Fill)}
        trader.reference = lambda symbol, at: day.opens.get((symbol, at.replace(second=0, microsecond=0)))
        day._catch_up()
        day._take_up(unfinished)
        day._reconcile()
        return day

    @property
    def settings(self) -> Settings:
        """The desk's settings."""
        return self.desk.settings

    def learn(self, bars: Iterable[Bar]) -> None:
        """Take the bars of the last minute."""
        bars, own = list(bars), defaultdict[str, list[Bar]](list)
        for bar in bars:
            own[bar.symbol].append(bar)
        for watch in (*self.today.values(), *self.carried.values()):
            watch.learn(bar for symbol in watch.passport.pair.symbols for bar in own[symbol])
        for bar in bars:
            self.closes[bar.symbol] = price(bar.close)
            self.opens[bar.symbol, bar.start] = price(bar.open)

    def follow(self, moment: datetime) -> None:
        """Take the models in Production; a pair with an open trade or a working order keeps its own."""
        self._notes += self.champions.follow(moment)
        kept = self.book.open.keys() | self.trader.working.keys()
        self.champions.equip(watch for pair, watch in self.today.items() if pair not in kept)

    def settle(self, fills: Iterable[Record]) -> None:
        """Fold new fills into the book."""
        self.book = self.book.after(fills)

    def pairs(self) -> list[Pair]:
        """Pairs to judge: today's and those carried, in a fixed order."""
        return sorted(self.today.keys() | self.carried.keys())

    def watch(self, pair: Pair) -> PairWatch:
        """An open trade keeps the passport it was entered with."""
        trade = self.book.open.get(pair)
        if trade is not None and trade.entry.passport != self.session.day:
            return self.carried[pair]
        return self.today.get(pair) or self.carried[pair]

    def stance(self, pair: Pair, moment: datetime) -> Stance:
        """Where the rule stands with a pair, from the book."""
        trade = self.book.open.get(pair)
        if trade is not None:
            return Stance(trade.entry.direction, self._bars(pair, trade.opened_at, moment), entry_z=trade.entry.z)
        stopped = [t for t in self.book.closed if t.pair == pair and t.exit is not None and t.exit.stopped]
        if not stopped or stopped[-1].closed_at is None:
            return Stance()
        rest = ceil(self.settings.rule.rest_half_lives * self.watch(pair).passport.half_life)
        return Stance(resting=max(0, rest - self._bars(pair, stopped[-1].closed_at, moment)))

    def entered(self, pair: Pair) -> Entered | None:
        """How the open trade of a pair began."""
        trade = self.book.open.get(pair)
        return None if trade is None else Entered(trade.entry.spread, trade.entry.residual, trade.entry.variance)

    def busy(self, pair: Pair) -> Refusal | None:
        """A pair whose last order is still working takes no other."""
        if pair not in self.trader.working:
            return None
        return Refusal("order working", "the pair's last order is still under way", "execution")

    def exits_only(self, pair: Pair) -> Refusal | None:
        """A pair that is on probation, or not in today's configuration at all, is closed and not entered."""
        configured = self.configuration.of(pair) if self.configuration else None
        if configured is not None and configured.exits_only:
            return configured.exits_only
        if self.watch(pair).passport.session != self.session.day:
            return Refusal("not selected", "the pair is not in today's plan", "risk")
        return None

    def foreign(self, pair: Pair) -> Refusal | None:
        """A symbol of which the account holds shares that Tandem did not open is left alone."""
        held = reconcile(self.book.shares(), self.desk.broker.positions()).foreign
        theirs = " and ".join(f"{held[symbol]:f} {symbol}" for symbol in pair.symbols if symbol in held)
        return Refusal("foreign position", f"the account holds {theirs} from elsewhere", "risk") if theirs else None

    def exposure(self, intents: Iterable[Intent], sector: str | None = None) -> Decimal:
        """Dollars of both legs over open trades, working entries and these intents, of one sector or all."""
        open_gross = [t.entry for pair, t in self.book.open.items() if self._in(pair, sector)]
        working = [i for pair, i in self._entering.items() if pair not in self.book.open and self._in(pair, sector)]
        new = [i for i in intents if i.purpose == "enter" and self._in(i.pair, sector)]
        return sum((intent.gross for intent in (*open_gross, *working, *new)), Decimal(0))

    def mark(self, moment: datetime, limit: Limit) -> Standing:
        """Value the book, note it, and say what may be done now."""
        mark = self.book.mark(self.closes)
        self._notes.append(Record(mark, self.session.day, moment, f"mark.{moment:%Y%m%dT%H%M}"))
        self.equity = replace(self.equity, now=mark.equity, peak=max(self.equity.peak, mark.equity))
        switches = self.desk.facts.read(Switch)
        self._rearm(switches, mark, moment)
        switch = in_force(record.body for record in switches)
        breach = limit(self.equity, self.settings.risk)
        if breach is not None and switch.standing is Standing.ARMED:
            switch = breach
            self._notes.append(Record(breach, self.session.day, moment, f"switch.risk.{moment:%Y%m%dT%H%M}"))
        self.halt_reason = f"{switch.why} ({switch.by})"
        return switch.standing

    def note(self, pair: Pair, moment: datetime, body: Note) -> None:
        """Keep a fact about a pair until `record`."""
        by = f".{body.by}" if isinstance(body, Refusal) else ""
        key = f"{body.kind}{by}.{moment:%Y%m%dT%H%M}.{pair}"
        self._notes.append(Record(body, self.session.day, moment, key, str(pair)))
        if isinstance(body, Intent):
            self._orders += [moment, moment]

    def record(self) -> None:
        """Make all that was noted durable at once, and fold its intents into the book."""
        self.desk.facts.append(*self._notes)
        self.book = self.book.after(self._notes)
        self._notes = []

    def orders_within_a_minute(self, moment: datetime) -> int:
        """Orders meant in the minute that ends now."""
        return sum(at > moment - timedelta(minutes=1) for at in self._orders)

    def _rearm(self, switches: list[Record[Switch]], mark: Mark, moment: datetime) -> None:
        armed = [f"baseline.{record.key}" for record in switches if record.body.standing is Standing.ARMED]
        if armed and armed[-1] not in self.rearmed:
            self.rearmed.add(armed[-1])
            self.equity = Equity(mark.equity, mark.equity, mark.equity)
            self._notes.append(Record(Baseline(mark.equity), self.session.day, moment, armed[-1]))

    @property
    def _entering(self) -> dict[Pair, Intent]:
        return {pair: self.book.entries[pair][0] for pair in self.trader.working if pair in self.book.entries}

    def _in(self, pair: Pair, sector: str | None) -> bool:
        return sector is None or self.watch(pair).passport.sector == sector

    def _bars(self, pair: Pair, since: datetime, until: datetime) -> int:
        return self.desk.calendar.bars_between(self.watch(pair).passport.timeframe, since, until)

    def _catch_up(self) -> None:
        watches = (*self.today.values(), *self.carried.values())
        if not watches:
            return
        symbols = sorted({symbol for watch in watches for symbol in watch.passport.pair.symbols})
        first = min(watch.passport.window_last for watch in watches)
        self.learn(self.desk.history(symbols, first, self.desk.clock.now()))

    def _reconcile(self) -> None:
        found = reconcile(self.book.shares(), self.desk.broker.positions())
        now = self.desk.clock.now()
        armed = in_force(record.body for record in self.desk.facts.read(Switch)).standing is Standing.ARMED
        if found.missing and armed and not self.trader.working:
            missing = ", ".join(f"{symbol} {qty}" for symbol, qty in found.missing.items())
            switch = Switch(Standing.HALTED, f"in the book and not at the broker: {missing}", "reconcile")
            self.desk.facts.append(Record(switch, self.session.day, now, f"switch.reconcile.{now:%Y%m%dT%H%M}"))

    def _take_up(self, unfinished: Iterable[Record[Intent]]) -> None:
        for intent in unfinished:
            self.trader.take_up(intent, self.desk.clock.now())
        self.settle(self.desk.facts.read(Fill, session=self.session.day))
        self.carried = {pair: watch for pair, watch in self.carried.items()
                        if pair in self.book.open or pair in self.trader.working}  # fmt: skip


def _equity(book: Book, marks: list[Record[Mark]], baselines: list[Record[Baseline]], session: Session) -> Equity:
    since = baselines[-1].at if baselines else session.open.min.replace(tzinfo=session.open.tzinfo)
    start = baselines[-1].body.equity if baselines else book.capital
    counted = [mark for mark in marks if mark.at >= since]
    before = [mark.body.equity for mark in counted if mark.session < session.day] or [start]
    return Equity(before[-1], before[-1], max([start, *(mark.body.equity for mark in counted)]))


def _unfinished(desk: Desk) -> list[Record[Intent]]:
    ended = {(record.body.name, record.body.purpose) for record in desk.facts.read(PairOrderEnded)}
    intents = desk.facts.read(Intent)
    return [i for i in intents if (name_of(desk.world, i.body.pair, i.at), i.body.purpose) not in ended]
