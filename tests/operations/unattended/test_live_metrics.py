from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tandem.book import Mark
from tandem.execution import Outcome, PairOrderEnded
from tandem.market import Fill, Refusal, Side, World, WorldKind
from tandem.operations.unattended.live_metrics import LiveMetrics, Measured
from tandem.store import MemoryFacts, Record

DAY = date(2023, 1, 25)
OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)


def mark(minutes: int, equity: int) -> Record[Mark]:
    at = OPEN + timedelta(minutes=minutes)
    value = Decimal(equity)
    body = Mark(value, value - 100_000, value - 100_000, Decimal(0), Decimal(5_000))
    return Record(body, at.date(), at, f"mark.{at:%Y%m%dT%H%M}")


def metrics(*records: Record) -> list[Record[LiveMetrics]]:
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    sink = Measured(facts)
    for record in records:
        sink.append(record)
    return facts.read(LiveMetrics)


def test_every_third_decision_puts_the_metrics_on_record_at_its_own_time() -> None:
    found = metrics(*(mark(5 * n, 100_000 + n) for n in range(1, 13)))
    assert [record.at for record in found] == [OPEN + timedelta(minutes=n) for n in (15, 30, 45, 60)]


def test_they_say_how_far_the_session_has_come() -> None:
    (found,) = metrics(mark(5, 100_000), mark(10, 100_900), mark(15, 100_400))
    assert (found.body.equity, found.body.net_today, found.body.drawdown_today) == (100_400, 400, 500)
    assert (found.body.decisions, found.body.exposure) == (3, 5_000)


def test_they_count_what_was_refused_rejected_paid_and_how_orders_ended() -> None:
    stale = Record(Refusal("stale leg", "no bar", "signals"), DAY, OPEN, "refusal.1", "A/B")
    rejected = Record(Refusal("order refused", "no", "execution"), DAY, OPEN, "refusal.2", "A/B")
    fill = Fill("e1", "paper-1.x", "A", Side.BUY, Decimal(10), Decimal(50), OPEN, Decimal(49))
    ended = PairOrderEnded("paper-1.x", "enter", Outcome.UNWOUND, 60.0, 1)
    facts = (
        stale,
        rejected,
        Record(fill, DAY, OPEN, "fill.e1", "A/B"),
        Record(ended, DAY, OPEN, "ended.x", "A/B"),
        mark(15, 100_000),
    )
    (found,) = metrics(*facts)
    assert found.body.reasons == {"stale leg": 1, "order refused": 1}
    assert (found.body.rejected, found.body.refused_share, found.body.fills) == (1, 1.0, 1)
    assert found.body.costs_today == 10
    assert found.body.outcomes == {"unwound": 1}


def test_what_is_of_another_session_does_not_count() -> None:
    earlier = Record(Refusal("stale leg", "no bar", "signals"), date(2023, 1, 24), OPEN, "refusal.1", "A/B")
    (found,) = metrics(earlier, mark(15, 100_000))
    assert (found.body.refusals, found.body.refused_share) == (0, 0.0)
