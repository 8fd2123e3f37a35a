"""Sessions traded one after another with nobody there."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tandem.book import Book, Mark
from tandem.config import DriftSettings, ModelSettings, RiskSettings, Settings
from tandem.desk import Desk, Plan, compare
from tandem.desk.plan import record_plan
from tandem.execution import RecyclerTime, in_process
from tandem.market import (
    Bar,
    BrokerError,
    Calendar,
    ConfigError,
    DataError,
    FactConflict,
    Fill,
    Pair,
    RecyclerError,
    StoreError,
    Timeframe,
    World,
    WorldKind,
)
from tandem.operations import FlowDone, FlowName, Venue, trade_days
from tandem.operations.facts.session_held import SessionBegan, SessionEnded, has_ended
from tandem.operations.flows.conduct import Conductor
from tandem.operations.unattended import trading
from tandem.operations.unattended.trading import session_to_trade, trade_session
from tandem.risk import Intent
from tandem.statistics import GarchFit
from tandem.store import MemoryFacts, Record

PAIR = Pair("AAA", "BBB")
LOOSE = DriftSettings(min_correlation=-1, max_correlation_drop=2, max_hedge_change=1e9)
SETTINGS = Settings(model=ModelSettings(timeframe=Timeframe.MIN_5), risk=RiskSettings(drift=LOOSE, max_pair_share=0.2))
HALF_DAY, MONDAY = Calendar().sessions(date(2022, 11, 25), date(2022, 11, 28))
CASH = Decimal(100_000)
CALM = GarchFit(
    mu=0.0, phi=0.95, omega=1e-5, alpha=0.0, beta=0.0, nu=None, scale=1.0, backcast=1e-5, loglikelihood=0.0,
    aic=0.0, bic=0.0, persistence=0.0, converged=True, ljung_box_pvalue=0.5, arch_lm_pvalue=0.5,
)  # fmt: skip
SECONDS = 90


def at(clock: str, day: date) -> datetime:
    """A New York time in winter, UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


def began(session):
    return Record(SessionBegan(1, ""), session.day, session.open, f"session.began.{session.day}")


def ended(session):
    return Record(SessionEnded(1), session.day, session.close, f"session.ended.{session.day}")


@pytest.mark.parametrize(
    ("now", "known", "meant"),
    [
        (at("9:00", HALF_DAY.day), [], HALF_DAY),
        (at("12:59", HALF_DAY.day), [], HALF_DAY),
        (at("13:00", HALF_DAY.day), [], MONDAY),  # a half day is over at one
        (at("12:00", date(2022, 11, 24)), [], HALF_DAY),  # Thanksgiving
        (at("12:00", date(2022, 11, 26)), [], MONDAY),  # a Saturday
        (at("11:00", HALF_DAY.day), [began(HALF_DAY), ended(HALF_DAY)], MONDAY),
        (at("11:00", HALF_DAY.day), [began(HALF_DAY)], HALF_DAY),
        (at("13:30", HALF_DAY.day), [began(HALF_DAY)], HALF_DAY),  # what was begun is brought to its end
        (at("11:00", MONDAY.day), [began(HALF_DAY)], HALF_DAY),
        (at("11:00", MONDAY.day), [began(HALF_DAY), ended(HALF_DAY)], MONDAY),
    ],
)
def test_the_session_to_trade_is_the_one_that_was_left_else_the_one_that_goes_on_or_comes(now, known, meant):
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    facts.append(*known)
    assert session_to_trade(facts, now) == meant


Steps = list[tuple[int, float]]


def minutes_of(session, steps: Steps) -> pd.DataFrame:
    """Bars of both legs; from a minute on the spread has that z-score."""
    z = np.zeros(len(session.minutes))
    for minute, level in steps:
        z[minute:] = level
    b = 100 * np.exp(0.0005 * np.random.default_rng(session.day.toordinal()).standard_normal(len(z)).cumsum())
    return pd.concat([leg("AAA", b * np.exp(0.01 * z), session), leg("BBB", b, session)], ignore_index=True)


def leg(symbol, closes, session):
    closes = closes.round(4)
    opens = np.concatenate([closes[:1], closes[:-1]])
    starts = pd.date_range(session.open, periods=len(closes), freq="min", unit="us")
    return pd.DataFrame({
        "symbol": symbol, "start": starts, "open": opens, "high": np.maximum(opens, closes),
        "low": np.minimum(opens, closes), "close": closes, "volume": 100_000,
    })  # fmt: skip


class Ticking:
    """A clock that goes on by a minute whenever it is looked at, and tells the time to whoever listens."""

    def __init__(self, moment, heard=lambda now: None):
        self.moment, self.heard = moment, heard

    def now(self):
        self.heard(self.moment)
        self.moment += timedelta(minutes=1)
        return self.moment

    def wait_until(self, moment):
        self.moment = max(self.moment, moment)


@dataclass
class Days:
    """A store's world, its bars in one process, and plans for its sessions."""

    store: object
    facts: object
    frame: pd.DataFrame
    passport: object
    model: object
    settings: Settings = SETTINGS

    def __post_init__(self):
        self.inside = in_process(self.frame, self.facts.world, CASH, self.settings.costs)
        self.said = []

    def plan(self, session, *, pairs=1):
        before = Calendar().before(session.day, 1)[0].close
        starts = tuple(before - timedelta(minutes=5 * n) for n in range(60, 0, -1))
        made = replace(
            self.passport, pair=PAIR, session=session.day, deviation=0.01, mean=0.0, phi=0.95, half_life=13.5,
            closes_a=(100.0,) * 60, closes_b=(100.0,) * 60, garch=CALM,
            starts=starts, window_first=starts[0], window_last=starts[-1],
        )  # fmt: skip
        model = replace(self.model, pair=PAIR, session=session.day, phi=0.95)
        models = {str(PAIR): self.store.blobs.put(model.to_bytes())} if pairs else {}
        record_plan(self.facts, session, Plan(pairs, models), [made][:pairs])

    def venue(self, clock, **more):
        def desk(symbols, facts):
            inside = self.inside
            seams = (inside.clock, inside.feed, inside.broker)
            return nullcontext(
                Desk(facts.world, self.settings, Calendar(), *seams, facts, self.store.blobs, self.history)
            )

        return Venue(clock, **{"desk": desk, **more})

    def history(self, symbols, first, last):
        begun = self.frame["start"]
        rows = self.frame[self.frame["symbol"].isin(symbols) & (begun >= first) & (begun < last)]
        rows = rows.sort_values(["start", "symbol"]).itertuples()
        return [Bar(r.symbol, r.start.to_pydatetime(), r.open, r.high, r.low, r.close, int(r.volume)) for r in rows]

    def trade(self, session, clock=None):
        clock = clock or Ticking(session.morning)
        trade_session(self.store, self.facts, session, self.settings, self.venue(clock), None, self.said.append)

    def intents(self, session):
        return [record.body.purpose for record in self.facts.read(Intent, session=session.day)]


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch):
    monkeypatch.setattr(trading, "LOOK_SECONDS", 0.0)


ENTERS_LATE: Steps = [(150, 2.5)]
COMES_BACK: Steps = [(0, 2.5), (30, 0.1), (90, -2.6)]


@pytest.fixture
def days(store, of_the_day):
    """Makes worlds whose half day ends with an open trade, and whose Monday closes it and asks for another."""
    passport, model = of_the_day

    def make(settings=SETTINGS):
        frame = pd.concat([minutes_of(HALF_DAY, ENTERS_LATE), minutes_of(MONDAY, COMES_BACK)], ignore_index=True)
        facts = store.facts(store.new_world(WorldKind.BACKTEST))
        return Days(store, facts, frame, passport, model, settings)

    return make


def test_a_session_is_traded_by_its_plan_and_is_on_record_from_its_open_to_its_close(days):
    made = days()
    made.plan(HALF_DAY)
    made.trade(HALF_DAY)
    (begun,), (over,) = made.facts.read(SessionBegan), made.facts.read(SessionEnded)
    assert (begun.body.pairs, begun.body.why, begun.at) == (1, "1 pair may be entered", HALF_DAY.open)
    assert (over.body.decisions, over.at) == (len(made.facts.read(Mark)), HALF_DAY.close)
    assert over.body.decisions == len(HALF_DAY.decisions)
    assert made.intents(HALF_DAY) == ["enter"]
    assert made.said == [f"{HALF_DAY.day} is over: {over.body.decisions} decision times"]


def test_after_a_missed_morning_open_trades_are_closed_and_none_is_entered(days):
    made = days()
    made.plan(HALF_DAY)
    made.trade(HALF_DAY)
    assert list(Book.from_facts(made.facts).open) == [PAIR]
    made.trade(MONDAY)
    begun = made.facts.read(SessionBegan, session=MONDAY.day)[0].body
    assert (begun.pairs, begun.why) == (0, "exits only: the morning has left no plan")
    assert made.intents(MONDAY) == ["exit"]
    assert Book.from_facts(made.facts).open == {}


def test_with_a_plan_the_same_monday_has_another_entry(days):
    made = days()
    for session in (HALF_DAY, MONDAY):
        made.plan(session)
        made.trade(session)
    assert made.intents(MONDAY)[:2] == ["exit", "enter"]


def test_a_session_may_make_up_for_a_missed_morning_where_the_settings_say_so(days, monkeypatch):
    made = days(
        SETTINGS.model_copy(
            update={"operations": SETTINGS.operations.model_copy(update={"missed_morning": "identify"})}
        )
    )
    monkeypatch.setattr(trading, "prepare", lambda store, facts, session, *_: made.plan(session))
    made.trade(HALF_DAY)
    assert made.facts.read(SessionBegan)[0].body.pairs == 1
    assert made.intents(HALF_DAY) == ["enter"]
    assert "the morning has left no plan, so the session makes it" in made.said[0]


def test_a_plan_that_comes_between_a_quarter_past_nine_and_the_open_is_waited_for(days):
    made, heard = days(), []

    def late(now):
        heard.append(now)
        if now == at("9:22", HALF_DAY.day):
            made.plan(HALF_DAY)

    made.trade(HALF_DAY, Ticking(HALF_DAY.morning, late))
    assert heard[0] == at("9:15", HALF_DAY.day)
    assert heard[-1] == at("9:22", HALF_DAY.day)
    assert made.facts.read(SessionBegan)[0].body.pairs == 1


def test_a_reel_that_ends_while_its_next_session_is_waited_for_is_over(days):
    """As one with bars of an evening does: it goes on after the close, and has ended before the next morning."""
    made, ended = days(), []

    class Reel(Ticking):
        def wait_until(self, moment):
            ended.append(moment)
            raise DataError("the bars end before")

    venue = made.venue(Reel(at("16:01", MONDAY.day)), is_over=lambda: bool(ended))
    trade_days(made.store, made.facts, SETTINGS, venue, None, made.said.append)
    assert ended
    assert made.facts.read(SessionBegan) == []


class AtMinute:
    """A desk's clock that does something once, when a minute is waited for."""

    def __init__(self, inner, moment, do):
        self.inner, self.moment, self.do = inner, moment, do

    def now(self):
        return self.inner.now()

    def wait_until(self, moment):
        if self.do and moment >= self.moment:
            do, self.do = self.do, None
            do()
        self.inner.wait_until(moment)


class Killed(Exception):
    pass


@pytest.mark.parametrize("dies", [False, True], ids=["undisturbed", "killed as the plan came"])
def test_a_plan_that_comes_after_the_open_is_traded_from_then_on(days, dies):
    made = days()

    def late():
        made.plan(HALF_DAY)
        if dies:
            raise Killed

    made.inside = replace(made.inside, clock=AtMinute(made.inside.clock, at("9:41", HALF_DAY.day), late))
    venue, listened = made.venue(Ticking(HALF_DAY.morning)), []
    made.settings = SETTINGS.model_copy(
        update={"websocket": SETTINGS.websocket.model_copy(update={"symbols": ["AAA"]})}
    )

    def desk(symbols, facts):
        listened.append(symbols)
        return venue.desk(symbols, facts)

    def trade():
        whole = replace(venue, desk=desk)
        trade_session(made.store, made.facts, HALF_DAY, made.settings, whole, None, made.said.append)

    if dies:
        with pytest.raises(Killed):
            trade()
    trade()
    assert made.intents(HALF_DAY) == ["enter"]
    assert listened == [["AAA"], ["AAA", "BBB"]]  # of a plan it listens to both legs
    assert made.facts.read(SessionBegan)[0].body.why == "exits only: the morning has left no plan"
    assert made.facts.read(SessionEnded)[0].body.decisions == len(HALF_DAY.decisions)


class Troubled:
    """A clock, a desk and facts that fail in turn before they work."""

    def __init__(self, *troubles):
        self.left = list(troubles)

    def meet(self, where):
        if self.left and self.left[0][0] == where:
            raise self.left.pop(0)[1]


def live(made, troubles):
    """Trade the half day, through troubles; then no session comes any more."""
    clock = Ticking(HALF_DAY.morning, lambda now: troubles.meet("clock"))
    venue = made.venue(clock, is_over=lambda: has_ended(made.facts, HALF_DAY.day), leave=lambda: left.append(1))
    left, desk = [], venue.desk

    def troubled(symbols, facts):
        troubles.meet("desk")
        return desk(symbols, facts)

    class Facts(MemoryFacts):
        def __init__(self):
            self.world, self.read, self.alone = made.facts.world, made.facts.read, made.facts.alone

        def append(self, *records):
            if any(isinstance(record.body, Mark) for record in records):
                troubles.meet("facts")
            made.facts.append(*records)

    trade_days(made.store, Facts(), SETTINGS, replace(venue, desk=troubled), None, made.said.append)


def test_troubles_that_pass_are_waited_for_and_the_session_goes_on_from_its_facts(days, monkeypatch):
    monkeypatch.setattr(trading, "PATIENCE_SECONDS", (0.0,))
    made = days()
    made.plan(HALF_DAY)
    whole = days()
    whole.plan(HALF_DAY)
    whole.trade(HALF_DAY)
    troubles = Troubled(
        ("clock", RecyclerError("no recycler answers")),
        ("desk", BrokerError("no broker answers")),
        ("facts", StoreError("PostgreSQL does not answer")),
        ("desk", RecyclerError("no recycler answers")),
    )
    live(made, troubles)
    assert troubles.left == []
    assert [line.split(":")[0] for line in made.said] == ["waiting"] * 4 + [f"{HALF_DAY.day} is over"]
    assert len(made.facts.read(SessionBegan)) == len(made.facts.read(SessionEnded)) == 1
    assert [str(difference) for difference in compare(made.facts, whole.facts)] == []


@pytest.mark.parametrize("error", [ConfigError("there are no keys"), FactConflict("recorded before")])
def test_troubles_that_somebody_has_to_mend_end_it(days, error):
    made = days()
    made.plan(HALF_DAY)
    with pytest.raises(type(error)):
        live(made, Troubled(("desk", error)))


def test_where_no_session_comes_any_more_the_desk_is_let_go_of_and_it_ends(days):
    made, left = days(), []
    venue = made.venue(Ticking(MONDAY.morning), is_over=lambda: True, leave=lambda: left.append("left"))
    trade_days(made.store, made.facts, SETTINGS, venue, None, made.said.append)
    assert left == ["left"]
    assert made.facts.read(SessionBegan) == []


BUSY: Steps = [(12, 2.5), (48, 0.2), (77, -2.6), (98, -4.6), (110, -2.2), (182, -2.3)]
"""Entries both ways, a target, a stop and the rest after it, and a trade that is open at the end."""


@pytest.fixture
def played(player, store, of_the_day, tmp_path):
    """Lives a busy half day at a recycler in lockstep, a process of its own trading; gives the world's facts."""
    passport, model = of_the_day
    frame = minutes_of(HALF_DAY, BUSY)

    @contextmanager
    def process(recycler) -> Iterator[subprocess.Popen]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TANDEM_", "APCA_"))}
        drift = {f"TANDEM_RISK__DRIFT__{name.upper()}": str(value) for name, value in LOOSE.model_dump().items()}
        mine = {
            "HOME": str(tmp_path / "home"), "DATABASE_URL": store.url, "WEBSOCKET__MODE": "recycler",
            "WEBSOCKET__RECYCLER__SERVER_URL": recycler.url, "MODEL__TIMEFRAME": "5Min", "RISK__MAX_PAIR_SHARE": "0.2",
        }  # fmt: skip
        environment = {**clean, **drift, **{f"TANDEM_{name}": value for name, value in mine.items()}}
        command = [sys.executable, "-m", "tandem", "trade", "--unattended", "--world", str(recycler.world)]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as trader:
            try:
                yield trader
            finally:
                trader.kill()

    def live(*kills):
        """Killed, and started again, when so many decisions are on record."""
        recycler = player(frame)
        facts = store.facts(recycler.world)
        Days(store, facts, frame, passport, model).plan(HALF_DAY)
        conductor = threading.Thread(target=Conductor(facts, recycler.url, "", flow_of(facts), lambda _: None).conduct)
        conductor.start()
        stood = []
        for decisions in kills:
            with process(recycler) as trader:
                until(lambda decisions=decisions: len(facts.read(Mark)) >= decisions)
                trader.send_signal(signal.SIGKILL)
                trader.wait()
            assert not has_ended(facts, HALF_DAY.day), "it was killed too late"
            before = RecyclerTime(recycler.url).now()
            time.sleep(0.3)
            stood.append(RecyclerTime(recycler.url).now() == before)
        with process(recycler) as trader:
            assert trader.wait(SECONDS) == 0
        conductor.join(SECONDS)
        assert not conductor.is_alive()
        recycler.kill()
        return facts, stood

    return live


def flow_of(facts):
    def run(name, session):
        if name is FlowName.SESSION:
            until(lambda: has_ended(facts, session.day))
        facts.append(Record(FlowDone(name, ""), session.day, session.close, f"flow.{name}.{session.day}"))

    return run


def until(true):
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param((14,), id="once"),
        pytest.param((1,), id="at its first decision", marks=pytest.mark.slow),
        pytest.param((4, 11, 19, 26, 33), id="again and again", marks=pytest.mark.slow),
    ],
)
def test_a_desk_killed_in_mid_session_and_started_again_ends_as_an_undisturbed_one_and_the_clock_has_waited(
    played, kills
):
    facts, stood = played(*kills)
    whole, _ = played()
    assert stood == [True] * len(kills)
    assert len(whole.read(Fill)) > 6
    assert [str(difference) for difference in compare(facts, whole)] == []
    assert facts.read(SessionEnded)[0].body == whole.read(SessionEnded)[0].body
    assert Book.from_facts(facts).cash == Book.from_facts(whole).cash
