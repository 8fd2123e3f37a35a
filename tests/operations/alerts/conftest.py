"""Facts of one world by hand, and what the rules find in them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.book import Mark
from tandem.config import Settings
from tandem.market import Fill, Order, Pair, Refusal, Side, World, WorldKind
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.rules.table import alert_rules
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.store import Record

WORLD = World(WorldKind.PAPER, 7)
PAIR = Pair("AAA", "BBB")
DAY, NEXT = date(2023, 1, 25), date(2023, 1, 26)


def at(clock: str, day: date = DAY) -> datetime:
    """A New York time in winter, UTC."""
    hour, minute, *second = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, *second, tzinfo=UTC) + timedelta(hours=5)


class Diary:
    """What happened, in order; `found` asks one rule what holds at a moment."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.known = Known(WORLD, self.settings)
        self.records: list[Record] = []

    def note(self, body, clock, day=DAY, pair=None, key=None):
        record = Record(body, day, at(clock, day), key or f"{body.kind}.{len(self.records)}", pair)
        self.records.append(record)
        self.known.take([record])
        return self

    def mark(self, clock, equity="100000", day=DAY):
        zero = Decimal(0)
        return self.note(Mark(Decimal(equity), zero, zero, zero, zero), clock, day)

    def refuse(self, reason, clock, by="signals", day=DAY):
        return self.note(Refusal(reason, f"{reason} it is", by), clock, day, str(PAIR))

    def done(self, flow: FlowName, clock, day=DAY):
        return self.note(FlowDone(flow, "done"), clock, day, key=f"flow.{flow}.{day}")

    def process(self, name, event, clock, day=DAY, why="signal 9"):
        return self.note(ProcessChanged(name, event, why), clock, day)

    def order(self, clock, name="o", day=DAY):
        return self.note(Order(f"{name}{len(self.records)}", "AAA", Side.BUY, Decimal(1)), clock, day, str(PAIR))

    def fill(self, clock, symbol, qty, price="100", decided="9:35", day=DAY):
        side = Side.BUY if symbol == "AAA" else Side.SELL
        name = f"{WORLD}.{at(decided, day):%Y%m%d}.AAA-BBB.{at(decided, day):%H%M}.{symbol}.enter.1"
        count = len(self.records)
        body = Fill(f"e{count}", name, symbol, side, Decimal(qty), Decimal(price), at(clock, day), Decimal(price))
        return self.note(body, clock, day, str(PAIR))

    def found(self, rule: str, clock: str, day: date = DAY, standing=()):
        chosen = next(each for each in alert_rules(self.settings.alerts) if each.name == rule)
        return [finding.subject for finding in chosen.findings(self.known, at(clock, day), standing)]

    def said(self, rule: str, clock: str, day: date = DAY):
        chosen = next(each for each in alert_rules(self.settings.alerts) if each.name == rule)
        return [f"{finding.title}. {finding.text}" for finding in chosen.findings(self.known, at(clock, day))]


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def diary_with() -> Callable[..., Diary]:
    """A diary under other settings."""
    return lambda **settings: Diary(Settings.model_validate(settings))
