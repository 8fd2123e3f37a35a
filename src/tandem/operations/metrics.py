"""The desk in numbers for Prometheus, folded from the facts of a world as they come; docs/alerts.md explains each."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tandem.book import Mark
from tandem.config import Settings
from tandem.execution import PairOrderEnded
from tandem.market import DataError, Fill, Order, Refusal, StoreError, World
from tandem.operations.alerts import known as of_world
from tandem.operations.alerts import standing as of_alerts
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.message import GRAVITY
from tandem.operations.alerts.standing import Alerts
from tandem.operations.facts.alert import AlertDelivered, AlertRaised
from tandem.operations.facts.flow_done import FlowDone
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Standing
from tandem.signals import Signal
from tandem.store import Body, Record, Store, Tail

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from starlette.routing import Route

KINDS: Final[Mapping[str, type[Body]]] = {**of_world.KINDS, **of_alerts.KINDS, Signal.kind: Signal}

# Name, without the `_total` of counters: what it means, and its labels.
GAUGES: Final = {
    "tandem_store_up": ("Whether PostgreSQL answered: 1 or 0.", ()),
    "tandem_world_info": ("Always 1; the label says which world the other numbers are of.", ("world",)),
    "tandem_equity_dollars": ("Cash plus positions at the last decision.", ()),
    "tandem_drawdown_ratio": ("Share of the best mark since entries were last re-armed that is lost.", ()),
    "tandem_net_pnl_dollars": ("Net P&L since the world began, open positions at the last decision's prices.", ()),
    "tandem_net_pnl_today_dollars": ("Equity less that at the end of the session before.", ()),
    "tandem_costs_dollars": ("Spread, impact and fees paid since the world began.", ()),
    "tandem_exposure_dollars": ("Dollars long plus dollars short at the last decision.", ()),
    "tandem_open_positions": ("Pairs with shares in either leg.", ()),
    "tandem_naked_exposure_dollars": ("Dollars by which one leg is ahead of the other in orders under way.", ()),
    "tandem_slippage_dollars": ("Spread and impact paid in all fills, against the open of their minute.", ()),
    "tandem_entries_allowed": ("1, or 0 while entries are halted.", ()),
    "tandem_last_decision_timestamp_seconds": ("Market time of the last decision, seconds since 1970 in UTC.", ()),
    "tandem_flow_last_done_timestamp_seconds": ("Market time at which a flow last did its work.", ("flow",)),
    "tandem_process_up": ("1 where a process was started and did not die since, else 0.", ("process",)),
    "tandem_alerts_standing": ("Alerts that stand.", ("severity",)),
}
COUNTERS: Final = {
    "tandem_naked_seconds": ("Seconds that one leg stood further than the other, in orders that have ended.", ()),
    "tandem_decisions": ("Moments at which every pair was judged.", ()),
    "tandem_signals": ("Signals of pairs, by what the rule said.", ("action",)),
    "tandem_refusals": ("What was asked for and not given, by its reason.", ("reason",)),
    "tandem_orders": ("Orders of one leg: sent, refused by the broker, and their executions.", ("event",)),
    "tandem_pair_orders": ("Orders of two legs that have ended, by how.", ("outcome",)),
    "tandem_process_restarts": ("Starts of a process after its first.", ("process",)),
    "tandem_alerts": ("Alerts raised, by rule.", ("rule",)),
    "tandem_alert_failures": ("Attempts to tell a target that failed.", ("target",)),
}


class Metrics:
    """The numbers of the world that is traded; each reading folds what has come since the one before.

    Args:
        which: the world, asked at each reading; None while there is none.
    """

    def __init__(self, store: Store, settings: Settings, which: Callable[[], World | None]) -> None:
        self._store, self._settings, self._which = store, settings, which
        self._lock = threading.Lock()
        self._followed: tuple[_Fold, Tail] | None = None

    def collect(self) -> "Iterable[Metric]":
        """Every metric that has a value, for a registry of prometheus_client."""
        with self._lock:
            is_up = self._catch_up()
            fold = self._followed[0] if self._followed else None
            values = fold.values() if fold else {}
        values["tandem_store_up"] = {(): float(is_up)}
        return list(_families(values))

    def _catch_up(self) -> bool:
        try:
            world = self._which()
            if world is not None and (self._followed is None or self._followed[0].known.world != world):
                self._followed = _Fold(world, self._settings), self._store.tail(world, sorted(KINDS))
            if self._followed is not None:
                fold, tail = self._followed
                while entries := tail.read():
                    for entry in entries:
                        with suppress(DataError):  # Another version's; what it says is lost, not the rest.
                            fold.take(entry.record(KINDS[entry.kind]))
        except StoreError:
            return False
        return True


def metrics_text(metrics: Metrics) -> bytes:
    """What Prometheus reads."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return generate_latest(registry)


def metrics_route(metrics: Metrics, path: str = "/metrics") -> "Route":
    """Where Prometheus reads it, for an application of Starlette."""
    from prometheus_client import CONTENT_TYPE_LATEST
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def answer(_: Request) -> Response:
        return Response(metrics_text(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route(path, answer)


Values = dict[str, dict[tuple[str, ...], float]]


class _Fold:
    def __init__(self, world: World, settings: Settings) -> None:
        self.known, self.alerts = Known(world, settings), Alerts()
        self._counts: dict[str, defaultdict[tuple[str, ...], float]] = {name: defaultdict(float) for name in COUNTERS}
        for name in ("tandem_decisions", "tandem_naked_seconds"):
            self._counts[name][()] = 0.0
        self._held: dict[str, dict[str, Decimal]] = {}
        self._slippage = Decimal(0)
        self._flows: dict[str, datetime] = {}
        self._processes: dict[str, bool] = {}
        self._executions: set[str] = set()

    def take(self, record: Record[Any]) -> None:
        if isinstance(record.body, Fill):
            if record.body.execution_id in self._executions:
                return
            self._executions.add(record.body.execution_id)
        self.known.take([record])
        self.alerts.take([record])
        self._count(record)

    def values(self) -> Values:
        known = self.known
        found: Values = {"tandem_world_info": {(str(known.world),): 1.0}}
        gauges: dict[str, float | Decimal] = {
            "tandem_open_positions": len(self._held),
            "tandem_naked_exposure_dollars": sum((legs.naked_dollars for legs in known.under_way.values()), Decimal(0)),
            "tandem_slippage_dollars": self._slippage,
            "tandem_entries_allowed": known.switch.standing is Standing.ARMED,
        }
        if known.equity is not None:
            gauges["tandem_equity_dollars"] = known.equity.now
            gauges["tandem_drawdown_ratio"] = known.equity.drawdown
            gauges["tandem_net_pnl_today_dollars"] = known.equity.now - known.equity.at_open
        if known.mark is not None:
            mark = known.mark.body
            gauges["tandem_net_pnl_dollars"], gauges["tandem_costs_dollars"] = mark.net_pnl, mark.costs
            gauges["tandem_exposure_dollars"] = mark.exposure
            gauges["tandem_last_decision_timestamp_seconds"] = known.mark.at.timestamp()
        found |= {name: {(): float(value)} for name, value in gauges.items()}
        standing = Counter[str](alert.raised.severity for alert in self.alerts.standing)
        found["tandem_alerts_standing"] = {(severity,): float(standing[severity]) for severity in GRAVITY}
        found["tandem_flow_last_done_timestamp_seconds"] = {(n,): at.timestamp() for n, at in self._flows.items()}
        found["tandem_process_up"] = {(name,): float(up) for name, up in self._processes.items()}
        return found | {name: dict(counts) for name, counts in self._counts.items()}

    def _count(self, record: Record[Any]) -> None:
        counts = self._counts
        match record.body:
            case Mark():
                counts["tandem_decisions"][()] += 1
            case Signal(action=action):
                counts["tandem_signals"][str(action),] += 1
            case Refusal(reason=reason):
                counts["tandem_refusals"][reason,] += 1
                if reason == "order refused":
                    counts["tandem_orders"]["refused",] += 1
            case Order():
                counts["tandem_orders"]["sent",] += 1
            case Fill():
                counts["tandem_orders"]["executed",] += 1
                self._fill(record.body, record.pair or "")
            case PairOrderEnded():
                counts["tandem_pair_orders"][str(record.body.outcome),] += 1
                counts["tandem_naked_seconds"][()] += record.body.naked_seconds
            case FlowDone():
                self._flows[str(record.body.flow)] = record.at
            case ProcessChanged():
                self._change(record.body)
            case AlertRaised():
                counts["tandem_alerts"][record.body.rule,] += 1
            case AlertDelivered(ok=False):
                counts["tandem_alert_failures"][record.body.target,] += 1

    def _change(self, process: ProcessChanged) -> None:
        is_again = process.event == "started" and process.name in self._processes
        self._counts["tandem_process_restarts"][process.name,] += is_again
        self._processes[process.name] = process.event == "started"

    def _fill(self, fill: Fill, pair: str) -> None:
        self._slippage += fill.cost - fill.fees
        shares = self._held.setdefault(pair, {})
        shares[fill.symbol] = shares.get(fill.symbol, Decimal(0)) + fill.side.sign * fill.qty
        if not any(shares.values()):
            del self._held[pair]


def _families(values: Values) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    families = ((GAUGES, GaugeMetricFamily), (COUNTERS, CounterMetricFamily))
    for table, kind in families:
        for name, (meaning, labels) in table.items():
            family = kind(name, meaning, labels=labels)
            for each, value in sorted(values.get(name, {}).items()):
                family.add_metric(each, value)
            if family.samples:
                yield family
