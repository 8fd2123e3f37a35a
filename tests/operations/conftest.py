"""A small world written by hand - two sessions, one pair, one gain and one stop - and a recycler that may be killed."""

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from socket import create_server

import numpy as np
import psycopg
import pytest

from tandem.book import Capital, Mark
from tandem.config import ModelSettings, ScreenSettings
from tandem.desk import ConfiguredPair, Plan, TradingConfiguration
from tandem.execution import Outcome, PairOrderEnded, name_of
from tandem.forecast import Calibration, ModelRegistered, PairModel
from tandem.market import Fill, Order, Pair, Side, Timeframe, World, WorldKind
from tandem.recycler import Launched, Options, launch, new_account
from tandem.risk import Intent
from tandem.rules import Action
from tandem.screening import Funnel, PairLife, PairState, PairTable, Passport, Score, Step, SymbolRefused
from tandem.screening.examination.examined import Examined
from tandem.screening.gates import SELECTED, STEPS
from tandem.signals import Signal
from tandem.statistics import GarchFit, SimulatedNull
from tandem.store import MemoryFacts, Record, TrialCount

PAIR = Pair("AAA", "BBB")
DAY, NEXT = date(2023, 1, 25), date(2023, 1, 26)
SCORES = {"f1_score": 0.6, "mcc": 0.1, "roc_auc": 0.55, "brier": 0.25, "log_loss": 0.69}


@dataclass
class Shelf:
    """Blobs and bars of a store that has no bars."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, content):
        self.kept[sha256(content).hexdigest()] = content
        return sha256(content).hexdigest()

    def get(self, digest):
        return self.kept[digest]

    def read(self, *_, **__):
        return []

    def count(self, families):
        return TrialCount(len(families))

    @property
    def ledger(self):
        return self

    @property
    def blobs(self):
        return self

    @property
    def bars(self):
        return self


def at(clock, day=DAY):
    """A New York time in winter, UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


def passport(day=DAY):
    starts = tuple(datetime(2023, 1, 24, 14, 30, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(60))
    closes = tuple(100 + 0.1 * (n % 7) for n in range(60))
    garch = GarchFit(0, 0.9, 0.1, 0.1, 0.8, None, 0.01, 0.1, 1.0, 1.0, 1.0, 0.9, True, 0.5, 0.5)
    score = Score(0.8, 0.9, 0.7, 0.5, 1.0, 2)
    return Passport(
        PAIR, "technology", Timeframe.MIN_5, day, starts[0], starts[-1], 60, 1.0, 0.0, 0.0, 0.003, 0.9, 6.6, garch,
        0.95, 0.6, -4.0, 0.01, 1, 0.02, 0.03, 0.001, score, "abcdef0123456789", starts, closes, closes,
    )  # fmt: skip


def model(day=DAY):
    names = {f"test_{name}{ending}": value for name, value in SCORES.items() for ending in ("", "_ar1", "_always_one")}
    return PairModel(
        PAIR, day, 0.9, 7, ModelSettings(), "baseline", "no evidence that the GRU beats it",
        names | {"test_base_rate": 0.5, "test_samples": 80.0}, calibration=Calibration(),
    )  # fmt: skip


def signal(z, action=Action.HOLD, price_a=100.0, price_b=100.0, why="why it is so", band=None):
    return Signal(PAIR, action, why, z, 0.01, 0.7, 0.6, 0.001, 1e-6, 0.01, band, "baseline", price_a, price_b)


def intent(purpose, direction, z, qty="10", stopped=False, why="the rule says so"):
    buy_a = (direction > 0) == (purpose == "enter")
    sides = (Side.BUY, Side.SELL) if buy_a else (Side.SELL, Side.BUY)
    return Intent(
        PAIR, purpose, direction, sides[0], Decimal(qty), sides[1], Decimal(qty), why, stopped, z, 0.01, 0.001, 1e-6,
        Decimal(2000), 0.0, DAY,
    )  # fmt: skip


def table_of(gates, symbols=("AAA", "BBB", "CCC"), refused=()):
    """All pairs of these symbols, by name, each with the gate that refused it; None selects."""
    ended = np.array([SELECTED if gate is None else STEPS.index(gate) for gate in gates], np.int8)
    first, second = np.triu_indices(len(symbols), 1)
    count = len(ended)
    known = {
        "symbols": tuple(symbols), "sources": tuple(symbols), "settings": ScreenSettings(), "gate": ended,
        "symbols_refused": tuple(SymbolRefused(*each) for each in refused),
        "first": first[:count].astype(np.int32), "second": second[:count].astype(np.int32),
        "bars": np.full(count, 400, np.int32), "lags": np.ones(count, np.int16),
        "correlation_prices": np.full(count, 0.2), "correlation_returns": np.full(count, 0.1),
        "pvalue": np.full(count, 0.3),
        "examined": Examined.unmeasured(np.flatnonzero(ended >= STEPS.index("half-life")).astype(np.int64)),
    }  # fmt: skip
    others = {f.name: np.zeros(count, np.int8 if f.name == "unfit" else np.float64) for f in fields(PairTable)}
    return PairTable(**{**others, **known})


def funnel_of(table):
    tested = int(table.tested.sum())
    steps = (Step("pairs", len(table)), *map(Step, STEPS, table.left()))
    return Funnel(steps, tested, 1, 0.05 * tested, SimulatedNull(0.1, 0.05, 2000), 3, len(table.symbols_refused))


class Diary:
    """Writes facts of one world, in order."""

    day = DAY
    signal = staticmethod(signal)
    intent = staticmethod(intent)

    def __init__(self):
        self.facts = MemoryFacts(World(WorldKind.RECYCLER, 7))
        self.store = Shelf()
        self.count = 0

    def note(self, body, clock, day=DAY, pair=str(PAIR)):
        self.count += 1
        self.facts.append(Record(body, day, at(clock, day), f"{body.kind}.{self.count}", pair))

    def morning(self, day, gates=(None, "correlation", "cointegration"), refused=(), version=1, traded=True):
        """AAA/BBB, AAA/CCC and BBB/CCC with the gate that refused each; None selects."""
        table = table_of(gates, refused=refused)
        selected, ending = gates[0] is None, "" if version == 1 else f".v{version}"
        state, key = (PairState.ACTIVE, f"passport.{day}{ending}.{PAIR}") if selected else (PairState.PROBATION, "")
        life = PairLife(PAIR, state, None if day == DAY else PairState.ACTIVE, 0, "what the morning found")
        screen = self.store.put(table.to_bytes())
        configuration = TradingConfiguration(
            day, version, str(self.facts.world), ("technology",), False, Timeframe.MIN_5, 7, at("9:30", DAY),
            at("15:55", DAY), "settings", "data", screen,
            (ConfiguredPair(PAIR, life, 1 if selected else None, 0.8 if selected else None, key),),
        )  # fmt: skip
        models = {str(PAIR): self.store.put(model(day).to_bytes())} if selected else {}
        self.keep(funnel_of(table), day, f"funnel.{day}{ending}")
        self.keep(configuration, day, f"configuration.{day}{ending}")
        if traded:
            self.keep(Plan(3, models, version), day, f"plan.{day}{ending}")
            if selected:
                self.keep(
                    ModelRegistered("model of the day", "1", "run", (str(PAIR),)), day, f"registered.{day}{ending}"
                )
        if selected:
            self.keep(passport(day), day, key, str(PAIR))

    def keep(self, body, day, key, pair=None):
        self.facts.append(Record(body, day, at("6:00", day), key, pair))

    def decision(self, clock, said=None, equity="100000", day=DAY):
        self.note(Mark(Decimal(equity), Decimal(0), Decimal(0), Decimal(0), Decimal(0)), clock, day, None)
        if said is not None:
            self.note(said, clock, day)

    def trade(self, clock, meant, prices, cost="0.10", day=DAY):
        """An intent and both fills a minute later, at prices that hold a cost per share."""
        self.note(meant, clock, day)
        for symbol, side, qty, price in zip(
            PAIR.symbols, (meant.side_a, meant.side_b), (meant.qty_a, meant.qty_b), prices, strict=True
        ):
            self.note(Order(f"o{self.count}", symbol, side, qty), clock, day)
            self.fill(clock, symbol, side, qty, price, cost, day)

    def fill(self, clock, symbol, side, qty, reference, cost="0.10", day=DAY):
        paid = Decimal(reference) + side.sign * Decimal(cost)
        moment = at(clock, day) + timedelta(minutes=1)
        body = Fill(f"e{self.count}", f"o{self.count}", symbol, side, Decimal(qty), paid, moment, Decimal(reference))
        self.count += 1
        self.facts.append(Record(body, day, moment, f"fill.{self.count}", str(PAIR)))


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def traded(diary):
    """A gain of 20 - 4 and a stopped loss of 30 - 4 dollars; the day after has no pair."""
    diary.note(Capital(Decimal(100_000)), "6:00", DAY, None)
    diary.morning(DAY)
    diary.decision("9:35", signal(-2.5, Action.ENTER_LONG))
    diary.trade("9:35", intent("enter", 1, -2.5), ("100", "100"))
    diary.decision("9:40", signal(-1.0, price_a=101, band=-3.0), "100050")
    diary.decision("9:45", signal(-0.3, Action.EXIT, 102, 100), "100016")
    diary.trade("9:45", intent("exit", 1, -0.3, why="|z| 0.30 is within 0.5"), ("102", "100"))
    diary.decision("11:00", signal(2.2, Action.ENTER_SHORT, 102, 100), "100016")
    diary.trade("11:00", intent("enter", -1, 2.2), ("102", "100"))
    diary.decision("15:55", signal(4.1, Action.STOP, 105, 100), "99990")
    diary.trade("15:55", intent("exit", -1, 4.1, stopped=True, why="|z| 4.10 has reached the stop"), ("105", "100"))
    diary.morning(NEXT, ["correlation"] * 3)
    diary.decision("9:35", None, "99982", NEXT)
    return diary


@pytest.fixture
def open_position(diary):
    """Entered and never left."""
    diary.note(Capital(Decimal(100_000)), "6:00", DAY, None)
    diary.morning(DAY)
    diary.decision("9:35", signal(-2.5, Action.ENTER_LONG))
    diary.trade("9:35", intent("enter", 1, -2.5), ("100", "100"))
    diary.decision("9:40", signal(-2.1, price_a=103.0))
    return diary


@dataclass
class Player:
    """A recycler on a port of its own, whose account and place outlive it."""

    options: Options
    store_url: str
    running: Launched | None = None

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.options.port}"

    @property
    def world(self):
        return self.options.world

    def start(self):
        self.running = launch(self.options, {"TANDEM_DATABASE_URL": self.store_url})

    def kill(self):
        if self.running is not None:
            self.running.process.kill()
            self.running.close()
            self.running = None


@pytest.fixture
def player(store):
    """Makes players of these 1-minute bars; each ends with the test."""
    made = []

    def play(bars):
        store.bars.load(bars, timeframe=Timeframe.MIN_1, source="sample")
        with create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        world = new_account(store, Decimal(100_000))
        symbols = tuple(sorted(bars["symbol"].unique()))
        made.append(Player(Options(symbols, port=port, lockstep=True, durable=True, world=world), store.url))
        made[-1].start()
        return made[-1]

    yield play
    for one in made:
        one.kill()


@pytest.fixture
def of_the_day():
    """A passport and the model of its pair."""
    return passport(), model()


@pytest.fixture
def kept(store):
    """Puts a diary's facts on record in the store; each two-leg order has ended."""

    def keep(diary, *, ended=True, naked=0.0):
        facts = store.facts(diary.facts.world)
        diary.facts.flush(facts)
        for record in facts.read(Intent) if ended else ():
            name = name_of(facts.world, record.body.pair, record.at)
            body = PairOrderEnded(name, record.body.purpose, Outcome.FILLED, naked, 2)
            key = f"ended.{name}.{record.body.purpose}"
            facts.append(Record(body, record.session, record.at, key, str(record.body.pair)))
        return facts

    return keep


@pytest.fixture
def charge(store):
    """Charges a world's paper account for shares held short."""

    def make(facts, day, symbol, dollars, number=1):
        account = store.paper(facts.world)
        account.open(Decimal(100_000))
        with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "INSERT INTO paper_charges SELECT id, %s, %s, %s, %s FROM worlds WHERE run = %s",
                [number, day, symbol, Decimal(dollars), facts.world.run],
            )

    return make
