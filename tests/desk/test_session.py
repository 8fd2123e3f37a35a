from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tandem.book import Book, Capital, Mark, Trade
from tandem.config import DriftSettings, RuleSettings
from tandem.desk import compare, run_session
from tandem.execution import PairOrderEnded
from tandem.market import (
    Account,
    Bar,
    BrokerError,
    Calendar,
    Fill,
    Order,
    Pair,
    Refusal,
    Session,
    Side,
    World,
    WorldKind,
)
from tandem.risk import Baseline, Intent, Standing, Switch
from tandem.screening import PairLife, PairState
from tandem.signals import Signal
from tandem.store import MemoryFacts, Record

AB, CD = Pair("A", "B"), Pair("C", "D")
ENTER_AND_LEAVE = {AB: [(12, 2.5), (48, 0.2)]}
ENTER_AND_HOLD = {AB: [(12, 2.5)]}


def book(stage: Any) -> Book:
    return Book.from_facts(stage.facts)


def trades(stage: Any) -> list[Trade]:
    found = book(stage)
    return [*found.closed, *found.open.values()]


def refusals(stage: Any, reason: str) -> list[Record[Refusal]]:
    return [record for record in stage.facts.read(Refusal) if record.body.reason == reason]


def run(stage: Any, **changes: Any) -> None:
    for session in stage.sessions:
        run_session(stage.desk(**changes), session)


def with_settings(stage: Callable[..., Any], steps: Mapping[Pair, Any], **changes: Any) -> Any:
    made = stage(steps)
    return stage(steps, settings=made.settings.model_copy(update=changes))


def test_a_day_of_entries_a_target_a_stop_and_a_rest(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage()
    run(made)
    ab = [trade for trade in trades(made) if trade.pair == AB]
    assert [trade.entry.direction for trade in ab] == [-1, 1, 1]
    assert [trade.exit.stopped if trade.exit else None for trade in ab] == [False, True, None]
    assert ab[2].opened_at - at(ab[1].closed_at) == timedelta(minutes=70)  # 14 bars, the half-life of 13.5 rounded up
    assert {record.body.outcome for record in made.facts.read(PairOrderEnded)} == {"filled"}
    assert len(made.facts.read(Mark)) == len(half_day.decisions) == 41
    assert len(made.facts.read(Signal)) == 82


def at(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


def test_the_book_is_what_the_broker_holds_and_the_cash_is_too(stage: Callable[..., Any]) -> None:
    made = stage()
    run(made)
    positions = {symbol: position.qty for symbol, position in made.inside.broker.positions().items()}
    assert book(made).shares() == positions
    assert book(made).cash == made.inside.broker.account().cash
    last = made.facts.read(Mark)[-1].body
    assert last.gross_pnl - last.costs == last.net_pnl
    assert last.costs > 0


def test_the_same_inputs_give_the_same_facts(stage: Callable[..., Any]) -> None:
    first, second = stage(), stage()
    for made in (first, second):
        run(made)
    kinds = (Capital, Signal, Refusal, Intent, Order, Fill, Mark, PairOrderEnded)
    for kind in kinds:
        assert first.facts.read(kind) == second.facts.read(kind)


class Told:
    """A broker that checks that what is asked of it is on record."""

    def __init__(self, broker: Any, facts: MemoryFacts) -> None:
        self._broker, self._facts, self.sent = broker, facts, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def submit(self, order: Order) -> None:
        orders = {record.body.client_order_id: record for record in self._facts.read(Order)}
        record = orders[order.client_order_id]
        assert record.body == order
        intents = [i for i in self._facts.read(Intent, pair=record.pair) if i.at == record.at]
        signals = [s for s in self._facts.read(Signal, pair=record.pair) if s.at == record.at]
        assert len(intents) == len(signals) == 1
        self.sent += 1
        self._broker.submit(order)


def test_signal_intent_and_order_are_on_record_before_an_order_goes_out(stage: Callable[..., Any]) -> None:
    made = stage()
    broker = Told(made.inside.broker, made.facts)
    run(made, broker=broker)
    assert broker.sent == 16


def test_every_decision_says_something_of_every_pair(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage()
    run(made)
    for pair in (AB, CD):
        spoken = {record.at for kind in (Signal, Refusal) for record in made.facts.read(kind, pair=str(pair))}
        assert spoken == set(half_day.decisions)


def test_a_half_day_has_its_own_last_decision(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage()
    run(made)
    assert made.facts.read(Mark)[-1].at == half_day.close - timedelta(minutes=5)
    assert (half_day.close - half_day.open) == timedelta(minutes=210)


def test_a_session_without_a_plan_marks_the_book_and_trades_nothing(stage: Callable[..., Any]) -> None:
    made = stage(plan=False)
    run(made)
    assert (made.facts.read(Signal), made.facts.read(Order)) == ([], [])
    assert {record.body.equity for record in made.facts.read(Mark)} == {Decimal(100_000)}


@pytest.mark.parametrize("leg", ["A", "B"])
def test_a_leg_without_a_bar_for_the_minute_is_refused_at_that_decision_only(
    stage: Callable[..., Any], half_day: Session, leg: str
) -> None:
    gone = half_day.open + timedelta(minutes=14)
    made = stage(ENTER_AND_LEAVE, drop=lambda bars: (bars["symbol"] == leg) & (bars["start"] == gone))
    run(made)
    (refused,) = refusals(made, "stale leg")
    assert refused.at == half_day.open + timedelta(minutes=15)
    assert leg in refused.body.why
    assert trades(made)[0].opened_at == half_day.open + timedelta(minutes=20)  # and not at 15


def test_a_leg_that_has_not_traded_when_its_order_arrives_fills_at_its_next_bar(
    stage: Callable[..., Any], half_day: Session
) -> None:
    gone = half_day.open + timedelta(minutes=15)
    made = stage(ENTER_AND_LEAVE, drop=lambda bars: (bars["symbol"] == "B") & (bars["start"] == gone))
    run(made)
    a, b = made.facts.read(Fill)[:2]
    assert (b.body.symbol, b.at - a.at) == ("B", timedelta(minutes=1))
    assert made.facts.read(PairOrderEnded)[0].body.outcome == "filled"
    assert made.facts.read(PairOrderEnded)[0].body.naked_seconds == 60


def test_a_leg_that_stops_trading_has_the_other_unwound(stage: Callable[..., Any], half_day: Session) -> None:
    since = half_day.open + timedelta(minutes=15)
    made = stage(ENTER_AND_LEAVE, drop=lambda bars: (bars["symbol"] == "B") & (bars["start"] >= since))
    run(made)
    assert [record.body.outcome for record in made.facts.read(PairOrderEnded)] == ["unwound"]
    assert made.inside.broker.positions() == {}
    (trade,) = trades(made)
    assert trade.costs > 0
    assert trade.exit is None


@pytest.mark.parametrize("standing", [Standing.HALTED, Standing.FLATTEN])
def test_a_halted_world_enters_nothing_and_says_why(stage: Callable[..., Any], standing: Standing) -> None:
    made = stage()
    say(made, standing)
    run(made)
    assert made.facts.read(Order) == []
    halted = refusals(made, "halted")
    assert halted
    assert {record.body.why for record in halted} == {"enough for today (me)"}


def say(stage: Any, standing: Standing, at: datetime | None = None) -> None:
    """A person speaks."""
    session = stage.sessions[0]
    moment = at or session.morning
    switch = Switch(standing, "enough for today", "me")
    stage.facts.append(Record(switch, session.day, moment, f"switch.{moment.isoformat()}"))


class Speaking:
    """A feed during which a person speaks at a moment."""

    def __init__(self, stage: Any, standing: Standing, at: datetime) -> None:
        self._stage, self._standing, self._at = stage, standing, at

    def take(self, until: datetime) -> list[Any]:
        if until == self._at:
            say(self._stage, self._standing, self._at)
        return list(self._stage.inside.feed.take(until))

    def halted(self) -> Collection[str]:
        return ()


def test_a_world_that_is_halted_with_a_trade_open_still_leaves_it(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage({AB: [(12, 2.5), (48, 0.2), (80, 2.5)]})
    run(made, feed=Speaking(made, Standing.HALTED, half_day.open + timedelta(minutes=30)))
    (trade,) = trades(made)
    assert trade.closed_at == half_day.open + timedelta(minutes=50)
    assert refusals(made, "halted")


def test_flatten_closes_everything_at_the_next_decision(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage({AB: [(12, 2.5)], CD: [(12, -2.5)]})
    run(made, feed=Speaking(made, Standing.FLATTEN, half_day.open + timedelta(minutes=61)))
    assert len(trades(made)) == 2
    assert {trade.closed_at for trade in trades(made)} == {half_day.open + timedelta(minutes=65)}
    assert {trade.exit.why for trade in trades(made) if trade.exit} == {"flatten"}
    assert made.inside.broker.positions() == {}


def test_arming_again_lets_entries_in(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage(ENTER_AND_HOLD)
    say(made, Standing.HALTED)
    run(made, feed=Speaking(made, Standing.ARMED, half_day.open + timedelta(minutes=59)))
    (trade,) = trades(made)
    assert trade.opened_at == half_day.open + timedelta(minutes=60)


def test_a_loss_halts_before_the_next_order_and_a_restart_does_not_forget(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = stage({AB: [(12, 2.5), (30, 3.9), (60, 0.1), (100, 2.5)]})
    risk = made.settings.risk.model_copy(update={"max_daily_loss_share": 0.001})
    made = stage(
        {AB: [(12, 2.5), (30, 3.9), (60, 0.1), (100, 2.5)]}, settings=made.settings.model_copy(update={"risk": risk})
    )
    run(made)
    (switch,) = made.facts.read(Switch)
    assert switch.body.by == "risk"
    assert switch.at == half_day.open + timedelta(minutes=35)
    assert [trade.closed_at is not None for trade in trades(made)] == [True]  # the exit was let through
    assert all("lost" in record.body.why for record in refusals(made, "halted"))
    after = Calendar().after(half_day.day)
    made.plan(after, AB)
    halted = stage({AB: [(0, 2.5)]}, sessions=[after], settings=made.settings, plan=False)
    run_session(halted.desk(facts=made.facts, blobs=made.blobs), after)
    assert [trade for trade in trades(made) if trade.closed_at is None] == []
    assert refusals(made, "halted")[-1].session == after.day


@pytest.mark.parametrize("symbol", ["A", "D"])
def test_foreign_positions_are_never_touched(stage: Callable[..., Any], half_day: Session, symbol: str) -> None:
    made = stage({AB: [(12, 2.5), (48, 0.2)], CD: [(12, 0.1)]})
    made.inside.clock.wait_until(half_day.open + timedelta(minutes=1))
    made.inside.broker.submit(Order("by-hand", symbol, Side.BUY, Decimal(300)))
    made.inside.clock.wait_until(half_day.open + timedelta(minutes=2))
    run(made)
    assert {name: position.qty for name, position in made.inside.broker.positions().items()} == {symbol: Decimal(300)}
    assert made.facts.read(Switch) == []
    assert len(made.facts.read(Fill)) == (0 if symbol == "A" else 4)
    if symbol == "A":
        assert refusals(made, "foreign position")[0].body.why == "the account holds 300 A from elsewhere"


def test_shares_that_the_broker_does_not_have_halt_the_world_at_the_start(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = stage(ENTER_AND_HOLD)
    run(made)
    after = Calendar().after(half_day.day)
    other = stage({AB: [(0, 2.5)]}, sessions=[after], plan=False)  # an account without them
    run_session(other.desk(facts=made.facts, blobs=made.blobs), after)
    (switch,) = made.facts.read(Switch)
    assert (switch.body.standing, switch.body.by) == (Standing.HALTED, "reconcile")
    assert "A " in switch.body.why


def test_overnight_flatten_closes_in_the_last_minutes_and_enters_nothing(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = with_settings(stage, {AB: [(12, 2.5)], CD: [(199, 2.5)]}, rule=RuleSettings(overnight="flatten"))
    run(made)
    (trade,) = trades(made)
    assert trade.pair == AB
    assert trade.closed_at == half_day.close - timedelta(minutes=10)
    assert trade.exit is not None
    assert trade.exit.why == "overnight"
    assert {record.pair for record in refusals(made, "overnight")} == {str(AB), str(CD)}
    assert made.inside.broker.positions() == {}


def test_overnight_hold_keeps_the_trade_and_its_passport(stage: Callable[..., Any], half_day: Session) -> None:
    after = Calendar().after(half_day.day)
    steps = {AB: [(0, 2.5)]}
    made = stage(steps, sessions=[half_day, after])
    run_session(made.desk(), half_day)
    made.plan(after, AB, mean=0.025)  # to the new day's eyes the spread is at its equilibrium
    run_session(made.desk(), after)
    first = trades(made)[0]
    assert first.entry.passport == half_day.day
    today = [record.body for record in made.facts.read(Signal, session=after.day)]
    assert today[0].z == pytest.approx(2.5, abs=0.01)
    assert first.exit is not None
    assert first.exit.passport == half_day.day
    assert first.exit.stopped  # by the clock of the old passport: 41 bars since the entry
    assert today[-1].z == pytest.approx(0.0, abs=0.01)  # once it is closed the new passport rules


def test_a_trade_whose_pair_is_not_selected_again_is_only_closed(stage: Callable[..., Any], half_day: Session) -> None:
    after = Calendar().after(half_day.day)
    made = stage({AB: [(0, 2.5)]}, sessions=[half_day, after])
    run_session(made.desk(), half_day)
    made.plan(after)
    run_session(made.desk(), after)
    (trade,) = trades(made)
    assert trade.closed_at is not None
    assert trade.closed_at > after.open
    assert {record.session for record in refusals(made, "not selected")} == {after.day}


def test_a_pair_on_probation_is_closed_and_not_entered_and_the_reason_is_the_mornings(
    stage: Callable[..., Any], half_day: Session
) -> None:
    after = Calendar().after(half_day.day)
    made = stage({AB: [(0, 2.5)]}, sessions=[half_day, after])
    run_session(made.desk(), half_day)
    made.plan(after)
    why = "refused at cointegration: p 0.2 is not below 0.05"
    made.configure(after, PairLife(AB, PairState.PROBATION, PairState.ACTIVE, 0, why))
    run_session(made.desk(), after)
    (trade,) = trades(made)
    assert trade.closed_at is not None
    assert trade.closed_at > after.open
    refused = refusals(made, "exits only")
    assert {record.session for record in refused} == {after.day}
    assert refused[0].body.why == f"the pair is on probation: {why}"


def test_a_pair_that_has_drifted_is_not_entered(stage: Callable[..., Any]) -> None:
    made = stage(ENTER_AND_HOLD)
    risk = made.settings.risk.model_copy(update={"drift": DriftSettings(max_hedge_change=0.5)})
    made = stage(ENTER_AND_HOLD, settings=made.settings.model_copy(update={"risk": risk}))
    run(made)
    assert trades(made) == []
    assert refusals(made, "drift")


class Reluctant:
    """A broker that refuses what it is told to refuse."""

    def __init__(self, broker: Any, refuses: Callable[[Order], bool]) -> None:
        self._broker, self._refuses = broker, refuses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def submit(self, order: Order) -> None:
        if self._refuses(order):
            raise BrokerError("asset cannot be sold short")
        self._broker.submit(order)


def test_an_exit_of_which_one_leg_was_refused_is_finished_at_the_next_decision(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = stage(ENTER_AND_LEAVE)
    stubborn = half_day.open + timedelta(minutes=50)
    broker = Reluctant(
        made.inside.broker,
        lambda order: ".b.exit." in order.client_order_id and made.inside.clock.now() == stubborn,
    )
    run(made, broker=broker)
    assert [record.body.outcome for record in made.facts.read(PairOrderEnded)] == ["filled", "stuck", "filled"]
    (trade,) = trades(made)
    assert trade.closed_at == stubborn + timedelta(minutes=5)
    assert trade.exit is not None
    assert (trade.exit.qty_a, trade.exit.why) == (0, "left unfinished by an earlier order")


def test_an_entry_of_which_one_leg_is_refused_leaves_nothing(stage: Callable[..., Any]) -> None:
    made = stage(ENTER_AND_HOLD)
    run(made, broker=Reluctant(made.inside.broker, lambda order: order.symbol == "A"))
    assert {record.body.outcome for record in made.facts.read(PairOrderEnded)} == {"unwound"}
    assert made.inside.broker.positions() == {}
    assert refusals(made, "order refused")


def test_caps_hold_over_pairs_of_one_decision(stage: Callable[..., Any]) -> None:
    made = stage({AB: [(12, 2.5)], CD: [(12, 2.5)]})
    risk = made.settings.risk.model_copy(update={"max_sector_share": 0.3, "max_pair_share": 0.2})
    made = stage({AB: [(12, 2.5)], CD: [(12, 2.5)]}, settings=made.settings.model_copy(update={"risk": risk}))
    run(made)
    gross = [trade.entry.gross for trade in trades(made)]
    assert len(gross) == 2
    assert gross[0] <= 20_000
    assert sum(gross) <= 30_000


class Poor:
    """A broker whose account has hardly any buying power."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def account(self) -> Account:
        return replace(self._broker.account(), buying_power=Decimal(50))


def test_without_buying_power_nothing_is_entered(stage: Callable[..., Any]) -> None:
    made = stage(ENTER_AND_HOLD)
    run(made, broker=Poor(made.inside.broker))
    assert trades(made) == []
    assert refusals(made, "too small")


def test_later_bars_change_nothing_of_what_was_recorded(stage: Callable[..., Any], half_day: Session) -> None:
    cut = half_day.open + timedelta(minutes=101)
    known, other = stage(), stage({AB: [(12, 2.5), (48, 0.2), (77, -2.6), (98, -4.6), (101, 3.0)], CD: [(33, -2.2)]})
    later = other.frame["start"] >= cut
    frame = pd.concat([known.frame[known.frame["start"] < cut], other.frame[later]], ignore_index=True)
    changed = replace(known, frame=frame, facts=MemoryFacts(World(WorldKind.BACKTEST, 1)))
    changed.plan(half_day, AB, CD)
    for made in (known, changed):
        run(made)
    for kind in (Signal, Refusal, Intent, Order, Mark):
        before = [[r for r in made.facts.read(kind) if r.at <= cut] for made in (known, changed)]
        assert before[0] == before[1]
    assert known.facts.read(Signal) != changed.facts.read(Signal)


def test_two_worlds_on_the_same_bars_do_not_share_anything(stage: Callable[..., Any]) -> None:
    first, second = stage(run=1), stage(run=2)
    for made in (first, second):
        run(made)
    ids = [{record.body.client_order_id for record in made.facts.read(Order)} for made in (first, second)]
    assert not ids[0] & ids[1]
    assert compare(first.facts, second.facts) == []


def test_running_a_finished_session_again_changes_nothing(stage: Callable[..., Any]) -> None:
    made = stage()
    run(made)
    kinds = (Signal, Refusal, Intent, Order, Fill, Mark, PairOrderEnded)
    before = [made.facts.read(kind) for kind in kinds]
    run(made)
    assert [made.facts.read(kind) for kind in kinds] == before


def test_a_session_begun_late_decides_from_then_on_with_all_bars(stage: Callable[..., Any], half_day: Session) -> None:
    whole, late = stage(), stage()
    run(whole)
    late.inside.clock.wait_until(half_day.open + timedelta(minutes=62))
    run(late)
    since = half_day.open + timedelta(minutes=65)
    assert late.facts.read(Mark)[0].at == since
    ours, theirs = ([r.body.variance for r in s.facts.read(Signal) if r.at >= since] for s in (whole, late))
    assert ours == theirs


def test_every_fact_of_a_session_belongs_to_its_day(stage: Callable[..., Any], half_day: Session) -> None:
    made = stage()
    run(made)
    kinds = (Signal, Intent, Order, Fill, Mark, PairOrderEnded)
    assert {record.session for kind in kinds for record in made.facts.read(kind)} == {date(2022, 11, 25)}


def test_arming_again_after_a_loss_counts_losses_from_there_also_after_a_restart(
    stage: Callable[..., Any], half_day: Session
) -> None:
    losing = {AB: [(12, 2.5), (30, 3.9), (60, 0.1), (100, 2.5)]}
    made = stage(losing)
    risk = made.settings.risk.model_copy(update={"max_drawdown_share": 0.001})
    made = stage(losing, settings=made.settings.model_copy(update={"risk": risk}))
    run(made)
    assert len(made.facts.read(Switch)) == 1
    say(made, Standing.ARMED)
    for _ in range(2):
        after = Calendar().after(made.facts.read(Mark)[-1].session)
        made.plan(after, AB)
        armed = stage({AB: [(0, 0.0), (20, 2.5), (40, 0.1)]}, sessions=[after], settings=made.settings, plan=False)
        run_session(armed.desk(facts=made.facts, blobs=made.blobs), after)
        assert [trade for trade in trades(made) if trade.opened_at > after.open]
    assert len(made.facts.read(Baseline)) == 1
    assert len(made.facts.read(Switch)) == 2


class EarlyBird:
    """A feed that also delivers a bar from before the open."""

    def __init__(self, made: Any) -> None:
        self._feed = made.inside.feed
        self._early = [Bar("A", made.sessions[0].open - timedelta(minutes=5), 1.0, 1.0, 1.0, 1.0, 1)]

    def take(self, until: datetime) -> list[Bar]:
        early, self._early = self._early, []
        return early + self._feed.take(until)

    def halted(self) -> Collection[str]:
        return ()


def test_bars_from_outside_the_session_are_passed_over(stage: Callable[..., Any]) -> None:
    plain, early = stage(ENTER_AND_HOLD), stage(ENTER_AND_HOLD)
    run(plain)
    run(early, feed=EarlyBird(early))
    assert [record.body for record in early.facts.read(Signal)] == [record.body for record in plain.facts.read(Signal)]


class Halted:
    """A feed that says that trading in a symbol is halted."""

    def __init__(self, made: Any, symbol: str) -> None:
        self.take, self._symbol = made.inside.feed.take, symbol

    def halted(self) -> Collection[str]:
        return {self._symbol}


def test_a_pair_with_a_halted_leg_is_not_traded_and_the_others_are(stage: Callable[..., Any]) -> None:
    made = stage({AB: [(12, 2.5)], CD: [(12, 2.5)]})
    run(made, feed=Halted(made, "B"))
    assert {record.pair for record in refusals(made, "halted leg")} == {"A/B"}
    assert {record.pair for record in made.facts.read(Signal)} == {"C/D"}
    assert [trade.pair for trade in trades(made)] == [CD]
