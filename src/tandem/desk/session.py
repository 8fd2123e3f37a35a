"""The one trading loop. Live, recycled and backtest run it; only clock, feed and broker differ."""

from datetime import datetime

from tandem.book import Trade
from tandem.desk.day import Day
from tandem.desk.desk import Desk
from tandem.market import Pair, Refusal, Session
from tandem.risk import Intent, Standing, breached, close_out, drifted, room_for, size_entry, too_many_orders
from tandem.signals import Case, PairWatch, Signal, judge_all


def run_session(desk: Desk, session: Session) -> None:
    """Trade one session from wherever its facts have got to, until the close.

    Start-up and recovery are the same: the day is read from facts, the broker is asked, and the loop
    goes on at the clock's next minute. A decision that is on record is not made again.
    """
    day = Day.begin(desk, session)
    decisions = set(session.decisions) - day.decided
    for moment in session.minutes:
        if moment < desk.clock.now():
            continue
        desk.clock.wait_until(moment)
        day.learn(bar for bar in desk.feed.take(moment) if session.contains(bar.start))
        day.settle(day.trader.tend(moment))
        if moment in decisions:
            for intent in decide(day, moment):
                day.trader.place(intent, moment)


def decide(day: Day, moment: datetime) -> list[Intent]:
    """Judge every pair at one moment and put all of it on record, before any order."""
    day.follow(moment)
    standing = day.mark(moment, breached)
    intents: list[Intent] = []
    pairs = day.pairs()
    cases = [Case(day.watch(pair), day.stance(pair, moment), day.entered(pair)) for pair in pairs]
    verdicts = judge_all(cases, moment, day.session, day.settings.rule, day.desk.feed.halted())
    for pair, case, verdict in zip(pairs, cases, verdicts, strict=True):
        day.note(pair, moment, verdict)
        if isinstance(verdict, Refusal):
            continue
        answer = assess(day, case.watch, verdict, moment, standing, intents)
        if answer is not None:
            day.note(pair, moment, answer)
        if isinstance(answer, Intent):
            intents.append(answer)
    day.record()
    return intents


def assess(
    day: Day, watch: PairWatch, signal: Signal, moment: datetime, standing: Standing, intents: list[Intent]
) -> Intent | Refusal | None:
    """What risk makes of a signal: an intent, a refusal, or nothing where nothing was asked for."""
    pair = signal.pair
    last_call = day.settings.rule.overnight == "flatten" and day.session.close - moment <= day.LAST_CALL
    if trade := day.book.open.get(pair):
        forced = "overnight" if last_call else "flatten" if standing is Standing.FLATTEN else unfinished(day, trade)
        if not (signal.action.is_close or forced):
            return None
        if refusal := day.busy(pair):
            return refusal
        held, why, stopped = (trade.qty_a, trade.qty_b), forced or signal.why, signal.action == "stop"
        return close_out(pair, trade.entry.direction, held, signal, why, stopped, trade.entry.passport)
    if not signal.action.is_entry:
        return None
    if refusal := may_enter(day, pair, watch, moment, standing, last_call):
        return refusal
    risk, passport = day.settings.risk, watch.passport
    equity, power = day.equity.now, day.desk.broker.account().buying_power
    room = room_for(equity, power, day.exposure(intents, passport.sector), day.exposure(intents), risk)
    return size_entry(signal, passport.hedge_ratio, room, passport.session, risk)


def unfinished(day: Day, trade: Trade) -> str:
    """Why a trade is closed whatever the rule says: an order that has ended left it on one leg, or half closed."""
    if trade.pair in day.trader.working or (trade.qty_a and trade.qty_b and trade.exit is None):
        return ""
    return "left unfinished by an earlier order"


def may_enter(
    day: Day, pair: Pair, watch: PairWatch, moment: datetime, standing: Standing, last_call: bool
) -> Refusal | None:
    """The first reason against an entry, or None."""
    if standing is not Standing.ARMED:
        return Refusal("halted", day.halt_reason, "risk")
    if last_call:
        return Refusal("overnight", "the last minutes are for exits", "risk")
    if refusal := day.exits_only(pair):
        return refusal
    if refusal := day.busy(pair):
        return refusal
    if refusal := day.foreign(pair):
        return refusal
    if refusal := too_many_orders(day.orders_within_a_minute(moment), day.settings.risk):
        return refusal
    closes = watch.closes(moment, day.session.close)
    passport = watch.passport
    return drifted(*closes, passport.correlation_returns, passport.hedge_ratio, day.settings.risk.drift)
