"""Metrics: they parse, are documented, and are what the facts say."""

import json
import re
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from tandem.book import Capital, Mark
from tandem.config import Settings
from tandem.execution import Outcome, PairOrderEnded
from tandem.market import Fill, Order, Pair, Refusal, Side, StoreError, WorldKind
from tandem.operations.facts.alert import AlertDelivered, AlertOver, AlertRaised
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.metrics import COUNTERS, GAUGES, Metrics, metrics_route, metrics_text
from tandem.risk import Intent, Standing, Switch
from tandem.rules import Action
from tandem.signals import Signal
from tandem.store import Record

ROOT = Path(__file__).parents[2]
PAIR, DAY = Pair("AAA", "BBB"), date(2023, 1, 25)
OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)
NAMES = set(GAUGES) | {f"{name}_total" for name in COUNTERS}


class Diary:
    """A world by hand in a real store."""

    def __init__(self, store):
        self.store, self.world = store, store.new_world(WorldKind.PAPER)
        self.facts = store.facts(self.world)
        self.metrics = Metrics(store, Settings(), lambda: self.world)
        self.count = 0

    def note(self, body, minute=0, key="", pair=str(PAIR)):
        self.count += 1
        at = OPEN + timedelta(minutes=minute)
        self.facts.append(Record(body, DAY, at, key or f"{body.kind}.{self.count}", pair))

    def fill(self, symbol, side, qty, price, reference, minute, decided=5):
        at = OPEN + timedelta(minutes=decided)
        name = f"{self.world}.{at:%Y%m%d}.AAA-BBB.{at:%H%M}.{symbol}.enter.1"
        at, count = OPEN + timedelta(minutes=minute), self.count
        cost = map(Decimal, (qty, price, reference))
        qty, price, reference = cost
        self.note(Fill(f"e{count}", name, symbol, side, qty, price, at, reference, Decimal("0.5")), minute)

    def read(self):
        return values(metrics_text(self.metrics))


def values(text):
    """Samples by name and labels."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def mark(equity, net="-2", exposure="2000"):
    return Mark(Decimal(equity), Decimal(net) + 3, Decimal(net), Decimal(3), Decimal(exposure))


@pytest.fixture
def diary(store):
    return Diary(store)


@pytest.fixture
def full(diary):
    """One of everything."""
    signal = Signal(PAIR, Action.ENTER_LONG, "why", -2.5, 0.01, 0.7, 0.6, 0.001, 1e-6, 0.01, None, "gru", 100.0, 100.0)
    meant = Intent(
        PAIR, "enter", 1, Side.BUY, Decimal(10), Side.SELL, Decimal(10), "why", False, -2.5, 0.01, 0.001, 1e-6,
        Decimal(2000), 0.0, DAY,
    )  # fmt: skip
    diary.note(Capital(Decimal(100_000)))
    diary.note(FlowDone(FlowName.IDENTIFICATION, "done"), -200, pair=None)
    diary.note(ProcessChanged("flows", "started"), -300, pair=None)
    diary.note(ProcessChanged("flows", "died", "signal 9"), -200, pair=None)
    diary.note(ProcessChanged("flows", "started", attempt=1), -199, pair=None)
    diary.note(ProcessChanged("mlflow", "unwell"), -199, pair=None)
    diary.note(mark("100100"), 5, pair=None)
    diary.note(signal, 5)
    diary.note(meant, 5)
    diary.note(Refusal("drift", "why", "risk"), 5)
    for symbol in PAIR.symbols:
        diary.note(Order(f"o.{symbol}", symbol, Side.BUY, Decimal(10)), 5)
    diary.note(Refusal("order refused", "no", "execution"), 6)
    diary.fill("AAA", Side.BUY, "10", "100.10", "100", 6)
    diary.fill("BBB", Side.SELL, "4", "99.90", "100", 6)
    diary.note(PairOrderEnded("other", "exit", Outcome.STUCK, 61.5, 4), 7)
    diary.note(mark("99098.999"), 10, pair=None)
    diary.note(Switch(Standing.HALTED, "lost", "risk"), 10, pair=None)
    diary.note(AlertRaised("halt", "critical", "entries", "halted", "lost"), 10, "one", None)
    diary.note(AlertRaised("drift", "warning", "AAA/BBB", "drifted", "why"), 10, "two")
    diary.note(AlertOver("drift", "AAA/BBB", "why"), 11, "over.two")
    diary.note(AlertDelivered("one", "phone", False, "no route"), 10, pair=None)
    return diary


def test_the_numbers_are_what_the_facts_say(full):
    found = full.read()
    expected = {
        ("tandem_store_up",): 1,
        ("tandem_world_info", str(full.world)): 1,
        ("tandem_equity_dollars",): 99098.999,
        ("tandem_drawdown_ratio",): pytest.approx(0.01),
        ("tandem_net_pnl_dollars",): -2,
        ("tandem_net_pnl_today_dollars",): pytest.approx(-901.001),
        ("tandem_costs_dollars",): 3,
        ("tandem_exposure_dollars",): 2000,
        ("tandem_open_positions",): 1,
        ("tandem_naked_exposure_dollars",): pytest.approx(0.6 * 10 * 100.10),
        ("tandem_slippage_dollars",): pytest.approx(10 * 0.10 + 4 * 0.10),
        ("tandem_entries_allowed",): 0,
        ("tandem_last_decision_timestamp_seconds",): (OPEN + timedelta(minutes=10)).timestamp(),
        ("tandem_flow_last_done_timestamp_seconds", "identification"): (OPEN - timedelta(minutes=200)).timestamp(),
        ("tandem_process_up", "flows"): 1,
        ("tandem_process_up", "mlflow"): 0,
        ("tandem_process_restarts_total", "flows"): 1,
        ("tandem_process_restarts_total", "mlflow"): 0,
        ("tandem_alerts_standing", "critical"): 1,
        ("tandem_alerts_standing", "warning"): 0,
        ("tandem_alerts_standing", "info"): 0,
        ("tandem_naked_seconds_total",): 61.5,
        ("tandem_decisions_total",): 2,
        ("tandem_signals_total", "enter_long"): 1,
        ("tandem_refusals_total", "drift"): 1,
        ("tandem_refusals_total", "order refused"): 1,
        ("tandem_orders_total", "sent"): 2,
        ("tandem_orders_total", "refused"): 1,
        ("tandem_orders_total", "executed"): 2,
        ("tandem_pair_orders_total", "stuck"): 1,
        ("tandem_alerts_total", "halt"): 1,
        ("tandem_alerts_total", "drift"): 1,
        ("tandem_alert_failures_total", "phone"): 1,
    }
    assert found == expected
    assert {name for name, *_ in found} == NAMES


def test_a_reading_adds_what_is_new_and_counts_nothing_twice(full):
    before = full.read()
    assert full.read() == before
    full.fill("BBB", Side.SELL, "6", "100", "100", 8)
    after = full.read()
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    assert changed == {("tandem_naked_exposure_dollars",): 0, ("tandem_orders_total", "executed"): 3}


def test_an_execution_that_is_told_twice_counts_once(full):
    before = full.read()
    (first, *_) = full.facts.read(Fill)
    full.facts.append(Record(first.body, DAY, first.at, "again", str(PAIR)))
    assert full.read() == before


def test_an_empty_world_has_no_equity_and_says_so_by_leaving_it_out(diary):
    found = diary.read()
    assert ("tandem_equity_dollars",) not in found
    assert found["tandem_decisions_total",] == 0
    assert found["tandem_entries_allowed",] == 1


def test_without_a_world_only_the_store_is_up(store):
    assert values(metrics_text(Metrics(store, Settings(), lambda: None))) == {("tandem_store_up",): 1}


def test_while_the_store_is_away_that_is_told_beside_the_last_numbers(full):
    before = full.read()

    def away():
        raise StoreError("PostgreSQL does not answer")

    full.metrics._which = away
    assert full.read() == before | {("tandem_store_up",): 0}


def test_another_world_begins_at_nothing(full):
    full.read()
    full.world = full.store.new_world(WorldKind.PAPER)
    found = full.read()
    assert found["tandem_world_info", str(full.world)] == 1
    assert found["tandem_decisions_total",] == 0


@contextmanager
def served(application):
    """Its address, on this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def test_prometheus_reads_it_over_http(full):
    with served(Starlette(routes=[metrics_route(full.metrics)])) as address:
        answer = requests.get(f"{address}/metrics", timeout=20)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert values(answer.content) == full.read()


def test_every_metric_is_documented_and_nothing_else_is():
    page = (ROOT / "docs" / "alerts.md").read_text()
    documented = set(re.findall(r"^\| `(tandem_\w+)", page, re.MULTILINE))
    assert documented == NAMES


def test_the_dashboard_of_grafana_asks_for_metrics_that_exist_with_labels_that_they_have():
    board = json.loads((ROOT / "deploy" / "grafana" / "tandem.json").read_text())
    asked = [target for panel in board["panels"] for target in panel["targets"]]
    labels = {name: found for name, (_, found) in GAUGES.items()}
    labels |= {f"{name}_total": found for name, (_, found) in COUNTERS.items()}
    used = {name for target in asked for name in re.findall(r"tandem_\w+", target["expr"])}
    assert used == NAMES
    for target in asked:
        (name, *_) = re.findall(r"tandem_\w+", target["expr"])
        wanted = re.findall(r"by \((\w+)\)", target["expr"]) + re.findall(r"{{(\w+)}}", target["legendFormat"])
        assert set(wanted) <= set(labels[name]), target


def test_the_panels_of_grafana_have_places_of_their_own():
    panels = json.loads((ROOT / "deploy" / "grafana" / "tandem.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
