from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import ExecutionSettings
from tandem.execution import Outcome, PairOrder, Purpose, name_of
from tandem.execution.fakes import Answer, ScriptedBroker
from tandem.execution.pair_order import (
    Ask,
    Cancel,
    Command,
    LegTarget,
    Submit,
    advance,
    apply,
    known,
    refused,
    resume,
    unknown,
    unseen,
)
from tandem.market import BrokerError, Leg, Order, OrderEvent, OutcomeUnknown, Pair, Side, World, WorldKind

START = datetime(2023, 1, 25, 15, 5, tzinfo=UTC)
PAIR = Pair("AAPL", "NVDA")
BUDGET = ExecutionSettings(naked_seconds=180, naked_dollars=Decimal(1_000_000), attempts=2)
ANSWERS = st.lists(st.sampled_from(Answer), max_size=6)
LONG = (
    LegTarget(Leg.A, "AAPL", Side.BUY, Decimal("12.5")),
    LegTarget(Leg.B, "NVDA", Side.SELL, Decimal(8)),
)
NAME = name_of(World(WorldKind.BACKTEST, 4), PAIR, START)
A1, B1, A2 = f"{NAME}.a.enter.1", f"{NAME}.b.enter.1", f"{NAME}.a.enter.2"
UNWIND_A, UNWIND_B = f"{NAME}.a.unwind.1", f"{NAME}.b.unwind.1"


@dataclass
class Floor:
    """A pair order on its way at a scripted broker, minute by minute."""

    purpose: Purpose = Purpose.ENTER
    budget: ExecutionSettings = BUDGET
    targets: tuple[LegTarget, LegTarget] = LONG
    broker: ScriptedBroker = field(default_factory=lambda: ScriptedBroker(START))
    unanswered: set[str] = field(default_factory=set)
    recorded: list[Order] = field(default_factory=list)
    state: PairOrder = field(init=False)

    def __post_init__(self) -> None:
        self.state = PairOrder(NAME, PAIR, self.purpose, self.targets, START)

    @property
    def outcome(self) -> Outcome:
        return self.state.outcome

    def hear(self) -> None:
        for update in self.broker.updates(self.broker.now):
            self.state = apply(self.state, update)
            if not self.broker.left(update.client_order_id):
                self.unanswered.discard(update.client_order_id)

    def step(self) -> None:
        done: set[Command] = set()
        while self.outcome is Outcome.WORKING:
            ahead, commands = advance(self.state, self.broker.now, self.budget)
            if commands and done.issuperset(commands):
                return
            self.state = ahead
            if not commands:
                return
            for command in commands:
                self.carry_out(command)
            done.update(commands)

    def carry_out(self, command: Command) -> None:
        match command:
            case Submit(order):
                self.check(order)
                self.submit(order)
            case Cancel(name):
                try:
                    self.broker.cancel(name)
                except BrokerError:
                    self.state = unknown(self.state, name)
                    self.unanswered.add(name)
            case Ask(name):
                self.ask(name)

    def submit(self, order: Order) -> None:
        if order not in self.recorded:
            self.recorded.append(order)
        try:
            self.broker.submit(order)
        except OutcomeUnknown:
            self.state = unknown(self.state, order.client_order_id)
            self.unanswered.add(order.client_order_id)
        except BrokerError:
            self.state = refused(self.state, order.client_order_id)

    def ask(self, name: str) -> None:
        try:
            updates = self.broker.find(name)
        except BrokerError:
            return
        self.unanswered.discard(name)
        self.state = unseen(self.state, name, self.budget) if updates is None else known(self.state, name, updates)

    def check(self, order: Order) -> None:
        same = [name for name in self.unanswered if symbol_of(name) == order.symbol]
        assert not same, f"{order.client_order_id} goes out while {same} is not known"
        others = [self.broker.orders[name] for name in self.broker.open() if name != order.client_order_id]
        assert order.symbol not in [other.symbol for other in others], "two live orders of one leg"
        target = next(target for target in self.targets if target.symbol == order.symbol)
        before, after = self.held(order.symbol), self.held(order.symbol) + order.side.sign * order.qty
        wanted = Decimal(0) if ".unwind." in order.client_order_id else target.side.sign * target.qty
        assert after == wanted, f"{order} on top of {before} held, {wanted} wanted"

    def held(self, symbol: str) -> Decimal:
        position = self.broker.positions().get(symbol)
        return position.qty if position else Decimal(0)

    def holds(self) -> dict[str, Decimal]:
        return {symbol: position.qty for symbol, position in self.broker.positions().items()}

    def minute(self) -> None:
        self.broker.now += timedelta(minutes=1)
        self.hear()
        self.step()

    def restart(self) -> None:
        """A new process: what was not on record is forgotten, the broker is not."""
        self.broker.news = []
        self.unanswered = {order.client_order_id for order in self.recorded}
        self.state = resume(NAME, PAIR, self.purpose, self.targets, START, self.recorded)


def finish(floor: Floor, fills: bool) -> None:
    """The broker answers from now on: every order fills, or none is taken and what is open expires."""
    broker = floor.broker
    broker.cancels, broker.finds = [], []
    for _ in range(12):
        broker.answers = [] if fills else [Answer.REFUSE] * 10
        for name in broker.open():
            if fills:
                broker.fill(name)
            else:
                broker.end(name, OrderEvent.EXPIRED)
        floor.minute()


def test_both_legs_go_out_at_once_and_fill() -> None:
    floor = Floor()
    floor.step()
    assert floor.broker.calls == [("submit", A1), ("submit", B1)]
    floor.broker.fill(A1)
    floor.broker.fill(B1)
    floor.minute()
    assert floor.outcome is Outcome.FILLED
    assert floor.holds() == {"AAPL": Decimal("12.5"), "NVDA": Decimal(-8)}


LEGS = [(A1, B1, UNWIND_B), (B1, A1, UNWIND_A)]


@pytest.mark.parametrize(("refused", "other", "unwind"), LEGS)
def test_a_leg_that_is_refused_for_good_has_the_other_cancelled(refused: str, other: str, unwind: str) -> None:
    floor = Floor()
    floor.broker.refuses = {symbol_of(refused)}
    floor.step()
    floor.minute()
    assert floor.broker.calls[-2:] == [("cancel", other), ("find", other)]
    assert floor.outcome is Outcome.UNWOUND
    assert floor.holds() == {}


@pytest.mark.parametrize(("rejected", "other", "unwind"), LEGS)
def test_a_leg_that_is_rejected_for_good_has_the_other_unwound(rejected: str, other: str, unwind: str) -> None:
    floor = Floor()
    floor.step()
    floor.broker.end(rejected, OrderEvent.REJECTED)
    floor.broker.fill(other)
    floor.broker.refuses = {symbol_of(rejected)}
    floor.minute()
    assert floor.broker.calls[-1] == ("submit", unwind)
    floor.broker.fill(unwind)
    floor.minute()
    assert floor.outcome is Outcome.UNWOUND
    assert floor.holds() == {}


def symbol_of(client_order_id: str) -> str:
    return {".a.": "AAPL", ".b.": "NVDA"}[client_order_id[len(NAME) :][:3]]


def fill_open(broker: ScriptedBroker) -> None:
    for name in broker.open():
        broker.fill(name)


def test_partial_fills_add_up_and_what_an_expired_order_left_is_sent_again() -> None:
    floor = Floor()
    floor.step()
    floor.broker.fill(A1, qty=Decimal(5))
    floor.broker.fill(B1)
    floor.minute()
    assert floor.outcome is Outcome.WORKING
    floor.broker.fill(A1, qty=Decimal(2))
    floor.broker.end(A1, OrderEvent.EXPIRED)
    floor.minute()
    assert floor.broker.calls[2:] == [("find", A1), ("submit", A2)]
    assert floor.broker.orders[A2].qty == Decimal("5.5")
    floor.broker.fill(A2)
    floor.minute()
    assert floor.outcome is Outcome.FILLED


def test_a_leg_that_stays_behind_for_too_long_has_the_other_unwound() -> None:
    floor = Floor()
    floor.step()
    floor.broker.fill(A1)
    for _ in range(3):
        floor.minute()
    assert ("cancel", B1) not in floor.broker.calls
    floor.minute()
    assert floor.broker.calls[2:] == [("cancel", B1), ("find", B1), ("submit", UNWIND_A)][: len(floor.broker.calls) - 2]
    floor.minute()
    assert floor.broker.orders[UNWIND_A] == Order(UNWIND_A, "AAPL", Side.SELL, Decimal("12.5"))
    floor.broker.fill(UNWIND_A)
    floor.minute()
    assert floor.outcome is Outcome.UNWOUND
    assert floor.state.naked_seconds == pytest.approx(300)


def test_a_leg_that_is_too_many_dollars_ahead_is_unwound_at_once() -> None:
    floor = Floor(budget=BUDGET.model_copy(update={"naked_dollars": Decimal(1_000)}))
    floor.step()
    floor.broker.fill(A1, price=Decimal(90))
    floor.minute()
    assert ("cancel", B1) in floor.broker.calls
    assert floor.state.naked_dollars == Decimal("1125")


def test_an_entry_that_nobody_filled_in_time_is_taken_back() -> None:
    floor = Floor()
    floor.step()
    for _ in range(5):
        floor.minute()
    assert floor.outcome is Outcome.UNWOUND
    assert floor.holds() == {}


def test_an_exit_is_never_unwound() -> None:
    floor = Floor(purpose=Purpose.EXIT)
    floor.step()
    floor.broker.fill(f"{NAME}.a.exit.1")
    for _ in range(30):
        floor.minute()
    assert floor.outcome is Outcome.WORKING
    floor.broker.fill(f"{NAME}.b.exit.1")
    floor.minute()
    assert floor.outcome is Outcome.FILLED


def test_an_exit_that_is_refused_for_good_is_stuck() -> None:
    floor = Floor(purpose=Purpose.EXIT)
    floor.broker.answers = [Answer.REFUSE] * 4
    floor.step()
    assert floor.outcome is Outcome.STUCK
    assert Counter(order.symbol for order in floor.recorded) == {"AAPL": 2, "NVDA": 2}


def test_an_exit_of_the_one_leg_that_is_left_sends_one_order() -> None:
    floor = Floor(Purpose.EXIT, targets=(replace(LONG[0], qty=Decimal(0)), LONG[1]))
    floor.step()
    assert floor.broker.calls == [("submit", f"{NAME}.b.exit.1")]
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED


def half_filled(floor: Floor, name: str) -> None:
    floor.broker.fill(name, qty=floor.broker.left(name) / 2)
    floor.minute()


def unwinding(floor: Floor) -> Floor:
    """One leg filled, the other rejected for good: the first is being unwound."""
    floor.broker.refuses = {"NVDA"}
    floor.step()
    floor.broker.fill(A1)
    floor.minute()
    assert floor.broker.calls[-1] == ("submit", UNWIND_A)
    return floor


def test_an_unwinding_order_that_stops_is_sent_again_with_the_next_number() -> None:
    floor = unwinding(Floor())
    half_filled(floor, UNWIND_A)
    for _ in range(2):
        floor.minute()
    assert floor.broker.calls[-1] == ("submit", UNWIND_A)
    floor.minute()
    assert floor.broker.calls[-1] == ("cancel", UNWIND_A)
    floor.minute()
    assert floor.broker.orders[again(UNWIND_A)] == Order(again(UNWIND_A), "AAPL", Side.SELL, Decimal("6.25"))
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.UNWOUND
    assert floor.holds() == {}


def again(name: str) -> str:
    return f"{name[:-1]}{int(name[-1]) + 1}"


def test_an_unwind_that_stops_as_often_as_there_are_attempts_is_stuck() -> None:
    floor = unwinding(Floor())
    half_filled(floor, UNWIND_A)
    for _ in range(4):
        floor.minute()
    half_filled(floor, again(UNWIND_A))
    for _ in range(4):
        floor.minute()
    assert floor.outcome is Outcome.STUCK
    assert floor.broker.open() == []
    assert floor.holds() == {"AAPL": Decimal("3.125")}


def test_an_order_that_goes_on_filling_keeps_its_time() -> None:
    floor = unwinding(Floor())
    for _ in range(4):
        floor.broker.fill(UNWIND_A, qty=Decimal(3))
        for _ in range(3):
            floor.minute()
    assert ("cancel", UNWIND_A) not in floor.broker.calls
    floor.broker.fill(UNWIND_A)
    floor.minute()
    assert floor.outcome is Outcome.UNWOUND


def test_too_many_dollars_on_one_leg_do_not_wait_for_an_order_that_stopped() -> None:
    floor = Floor(Purpose.EXIT, BUDGET.model_copy(update={"naked_dollars": Decimal(50)}))
    floor.step()
    a, b = (f"{NAME}.{leg}.exit.1" for leg in "ab")
    floor.broker.fill(a)
    half_filled(floor, b)
    assert ("cancel", b) not in floor.broker.calls
    floor.minute()
    floor.minute()
    assert floor.broker.calls[-3:] == [("cancel", b), ("find", b), ("submit", again(b))]
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED


def test_an_exit_that_waits_on_one_leg_ends_once_the_other_is_given_up() -> None:
    floor = Floor(Purpose.EXIT)
    floor.broker.refuses = {"AAPL"}
    floor.step()
    assert floor.outcome is Outcome.WORKING
    for _ in range(8):
        floor.minute()
    assert floor.outcome is Outcome.STUCK
    assert floor.broker.open() == []


def test_a_new_process_gives_a_working_order_its_time_anew() -> None:
    floor = unwinding(Floor())
    half_filled(floor, UNWIND_A)
    floor.broker.now += timedelta(hours=1)
    floor.restart()
    floor.step()
    assert ("cancel", UNWIND_A) not in floor.broker.calls
    for _ in range(3):
        floor.minute()
    assert floor.broker.calls[-1] == ("cancel", UNWIND_A)


@settings(max_examples=100, deadline=None)
@given(
    purpose=st.sampled_from(Purpose),
    attempts=st.integers(1, 3),
    parts=st.lists(st.sampled_from(["", "0.3", "0.5", "1"]), min_size=1, max_size=8),
    cancels=ANSWERS,
)
def test_orders_that_fill_in_part_and_stop_do_not_keep_it_working(
    purpose: Purpose, attempts: int, parts: list[str], cancels: list[Answer]
) -> None:
    floor = Floor(purpose, BUDGET.model_copy(update={"attempts": attempts}))
    floor.broker.cancels = cancels
    seen: set[str] = set()
    floor.step()
    for _ in range(10 + 10 * attempts + len(cancels)):
        for name in sorted(set(floor.broker.open()) - seen):
            part = parts[len(seen) % len(parts)]
            seen.add(name)
            if part:
                floor.broker.fill(name, qty=floor.broker.left(name) * Decimal(part))
        floor.minute()
    filled = {name for name, story in floor.broker._history.items() if any(u.qty for u in story)}
    assert floor.outcome is not Outcome.WORKING or (purpose is Purpose.EXIT and not all_begun(filled))
    assert floor.outcome is Outcome.WORKING or floor.broker.open() == []
    assert max(sent(floor).values()) <= attempts


def all_begun(filled: set[str]) -> bool:
    return {symbol_of(name) for name in filled} == {"AAPL", "NVDA"}


def test_an_order_whose_outcome_is_unknown_is_asked_for_before_anything_else() -> None:
    floor = Floor()
    floor.broker.answers = [Answer.HIDE, Answer.TAKE]
    floor.broker.finds = [Answer.LOSE]
    floor.step()
    assert floor.broker.calls == [("submit", A1), ("submit", B1), ("find", A1)]
    floor.minute()
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED
    assert Counter(floor.broker.calls)["submit", A1] == 1


def test_an_order_that_the_broker_never_saw_goes_out_again_under_the_same_id() -> None:
    floor = Floor()
    floor.broker.answers = [Answer.LOSE]
    floor.step()
    assert [call for call in floor.broker.calls if call[1] == A1] == [("submit", A1), ("find", A1)]
    floor.minute()
    assert floor.broker.calls[-1] == ("submit", A1)
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED
    assert [order.client_order_id for order in floor.recorded] == [A1, B1]


def test_an_order_that_arrives_after_all_counts_once() -> None:
    floor = Floor()
    floor.broker.answers = [Answer.LOSE]
    floor.step()
    floor.broker.submit(LONG_A)  # the lost request gets there late
    floor.minute()
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED
    assert floor.held("AAPL") == Decimal("12.5")


LONG_A = Order(A1, "AAPL", Side.BUY, Decimal("12.5"))


def test_a_lost_cancel_is_followed_by_a_question_and_not_by_an_unwind() -> None:
    floor = Floor()
    floor.step()
    floor.broker.fill(A1)
    floor.minute()
    floor.broker.fill(B1)
    floor.broker.news = []  # the stream forgot to say so
    for _ in range(4):
        floor.minute()
    assert ("cancel", B1) in floor.broker.calls
    assert ("find", B1) in floor.broker.calls
    finish(floor, fills=True)
    assert floor.outcome is Outcome.UNWOUND
    assert floor.holds() == {}


def test_a_process_that_dies_between_recording_and_sending_sends_the_same_order() -> None:
    floor = Floor()
    floor.recorded = [LONG_A]
    floor.restart()
    floor.step()
    assert floor.broker.calls == [("find", A1), ("submit", A1), ("submit", B1)]
    fill_open(floor.broker)
    floor.minute()
    assert floor.outcome is Outcome.FILLED


def test_a_process_that_dies_after_sending_takes_the_fills_from_the_broker_however_late_it_comes_back() -> None:
    floor = Floor()
    floor.step()
    fill_open(floor.broker)
    floor.broker.now += timedelta(hours=2)
    floor.restart()
    floor.step()
    assert floor.outcome is Outcome.FILLED
    assert Counter(kind for kind, _ in floor.broker.calls) == {"submit": 2, "find": 2}


def test_an_entry_that_was_never_sent_is_not_sent_hours_later() -> None:
    floor = Floor()
    floor.recorded = [LONG_A]
    floor.broker.now += timedelta(hours=2)
    floor.restart()
    floor.step()
    assert floor.outcome is Outcome.UNWOUND
    assert floor.broker.calls == [("find", A1)]


def test_ids_are_derived_from_world_session_pair_leg_time_intent_and_attempt() -> None:
    floor = Floor()
    floor.step()
    assert A1 == "backtest-4.20230125.AAPL-NVDA.1505.a.enter.1"
    assert [order.client_order_id for order in floor.recorded] == [A1, B1]


def test_a_repeated_execution_changes_nothing() -> None:
    floor = Floor()
    floor.step()
    fill = floor.broker.fill(A1, qty=Decimal(3))
    once = apply(floor.state, fill)
    assert apply(once, fill) == once
    assert once.filled(Leg.A) == 3


DEEDS = ("fill", "part", "expire", "reject", "cancel", "minute", "minute", "tell", "restart")


@settings(max_examples=250, deadline=None)
@given(
    data=st.data(),
    purpose=st.sampled_from(Purpose),
    attempts=st.integers(1, 3),
    answers=ANSWERS,
    cancels=ANSWERS,
    finds=ANSWERS,
    deeds=st.lists(st.sampled_from(DEEDS), max_size=25),
    fills=st.booleans(),
)
def test_whatever_happens_it_ends_with_both_legs_or_with_none_or_says_that_it_is_stuck(
    data: st.DataObject,
    purpose: Purpose,
    attempts: int,
    answers: list[Answer],
    cancels: list[Answer],
    finds: list[Answer],
    deeds: list[str],
    fills: bool,
) -> None:
    floor = Floor(purpose, BUDGET.model_copy(update={"attempts": attempts}))
    broker = floor.broker
    broker.answers, broker.cancels, broker.finds = answers, cancels, finds
    told, silent = [], []
    floor.step()
    for deed in deeds:
        if floor.outcome is not Outcome.WORKING:
            break
        happen(floor, deed, data)
        silent += broker.news
        broker.news = []
        if deed == "tell" and silent:
            told = data.draw(st.lists(st.sampled_from(silent), min_size=1, max_size=4))  # any order, any repeats
            silent = [update for update in silent if update not in told or data.draw(st.booleans())]
            broker.news = list(told)
            floor.hear()
            floor.step()
    broker.news = silent
    finish(floor, fills)
    assert floor.outcome is not Outcome.WORKING
    wanted = {target.symbol: target.side.sign * target.qty for target in floor.targets}
    if floor.outcome is Outcome.FILLED:
        assert floor.holds() == wanted
    elif floor.outcome is Outcome.UNWOUND:
        assert floor.holds() == {}
    else:
        assert floor.holds() != ({} if floor.state.unwinding else wanted)
        assert any(count == attempts for count in sent(floor).values())
    assert max(sent(floor).values()) <= attempts
    assert purpose is Purpose.ENTER or floor.outcome is not Outcome.UNWOUND
    assert all(floor.state.filled(target.leg) == floor.held(target.symbol) for target in floor.targets)


def sent(floor: Floor) -> Counter[str]:
    return Counter(order.client_order_id.rsplit(".", 1)[0] for order in floor.recorded)


def happen(floor: Floor, deed: str, data: st.DataObject) -> None:
    """One thing at the broker, or in time; what the broker says of it waits in its news."""
    broker = floor.broker
    if deed == "minute":
        broker.now += timedelta(minutes=1)
        floor.step()
    elif deed == "restart":
        floor.restart()
        floor.step()
    elif broker.open():
        name = data.draw(st.sampled_from(broker.open()))
        if deed == "fill":
            broker.fill(name)
        elif deed == "part" and broker.left(name) > 1:
            broker.fill(
                name,
                qty=Decimal(
                    data.draw(st.integers(1, int(broker.left(name)) - 1) if broker.left(name) > 2 else st.just(1))
                ),
            )
        elif deed in ENDINGS:
            broker.end(name, ENDINGS[deed])


ENDINGS = {"expire": OrderEvent.EXPIRED, "reject": OrderEvent.REJECTED, "cancel": OrderEvent.CANCELED}


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_the_order_and_the_number_of_tellings_do_not_matter(order: list[int], again: list[int]) -> None:
    floor = Floor()
    floor.step()
    broker = floor.broker
    for name in (A1, B1):
        broker.fill(name, qty=Decimal(3))
        broker.fill(name)
    updates = broker.updates(START)
    state = floor.state
    for index in [*order, *again]:
        state = apply(state, updates[index])
    state, commands = advance(state, START, BUDGET)
    for command in commands:  # an execution that was told before an earlier one looks like an end that came short
        assert isinstance(command, Ask)
        state = known(state, command.client_order_id, broker.find(command.client_order_id) or [])
    assert advance(state, START, BUDGET)[0].outcome is Outcome.FILLED
