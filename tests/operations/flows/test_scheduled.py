"""The flows as Prefect sees them, called without its server."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tandem.market import NEW_YORK, Calendar, ConfigError, Session, WorldKind
from tandem.operations import FlowDone, FlowName
from tandem.operations.flows.work import Came
from tandem.store import PostgresFacts, Store

SUNDAY, HOLIDAY, HALF_DAY = date(2026, 11, 1), date(2026, 11, 26), date(2026, 11, 27)


@pytest.fixture(scope="module")
def scheduled(module_store: Store) -> Iterator[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patch.setenv("DO_NOT_TRACK", "1")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from tandem.operations.flows import scheduled
        yield scheduled


@pytest.fixture
def facts(scheduled, store, monkeypatch) -> PostgresFacts:
    """Of the one world of a store that every flow is given; each body says its date."""
    monkeypatch.setenv("TANDEM_WEBSOCKET__MODE", "recycler")
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    for name in FlowName:
        monkeypatch.setitem(scheduled.BODIES, name, lambda work: Came(f"the work of {work.session.day}"))
    monkeypatch.setattr(scheduled, "registry_of", lambda *_: None)
    return store.facts(store.new_world(WorldKind.RECYCLER))


@pytest.mark.parametrize("day", [SUNDAY, HOLIDAY])
def test_a_day_without_a_session_is_closed_and_leaves_nothing(scheduled, facts, day):
    for flow in scheduled.FLOWS.values():
        assert flow.fn(day) == f"the exchange is closed on {day}"
    assert facts.read(FlowDone) == []


def test_a_half_day_is_a_session(scheduled, facts):
    for name, flow in scheduled.FLOWS.items():
        assert flow.fn(HALF_DAY, str(facts.world)) == f"the work of {HALF_DAY}", name
    assert [record.body.flow for record in facts.read(FlowDone, session=HALF_DAY)] == list(scheduled.FLOWS)
    assert {record.at for record in facts.read(FlowDone)} == {
        datetime(2026, 11, 27, 11, tzinfo=UTC),
        datetime(2026, 11, 27, 18, tzinfo=UTC),
    }


def test_a_flow_without_a_world_works_for_the_newest(scheduled, facts):
    scheduled.FLOWS[FlowName.IDENTIFICATION].fn(HALF_DAY)
    scheduled.FLOWS[FlowName.IDENTIFICATION].fn(HALF_DAY)
    assert len(facts.read(FlowDone)) == 1


def test_a_flow_where_there_is_no_world_says_so_in_one_line(scheduled, store, monkeypatch):
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    with pytest.raises(ConfigError) as error:
        scheduled.FLOWS[FlowName.IDENTIFICATION].fn(HALF_DAY)
    assert "no world" in error.value.what
    assert "\n" not in str(error.value)


def test_every_flow_has_a_body_a_time_and_a_flow(scheduled):
    assert set(scheduled.FLOWS) == set(scheduled.BODIES) == set(scheduled.DUE) == set(FlowName)
    assert len({flow.name for flow in scheduled.FLOWS.values()}) == len(FlowName)


async def _dates(schedule, start: datetime, count: int) -> list[datetime]:
    from prefect.server.schemas.schedules import CronSchedule

    return await CronSchedule(cron=schedule.cron, timezone=schedule.timezone).get_dates(count, start)


@pytest.mark.parametrize("change", [date(2026, 11, 1), date(2027, 3, 14)])
def test_identification_is_due_at_six_in_new_york_once_a_weekday_across_a_change_of_the_clocks(scheduled, change):
    import asyncio

    start = datetime.combine(change - timedelta(days=7), datetime.min.time(), NEW_YORK)
    due = asyncio.run(_dates(scheduled.schedule_of(FlowName.IDENTIFICATION), start, 10))
    local = [moment.astimezone(NEW_YORK) for moment in due]
    days = [start.date() + timedelta(days=n) for n in range(14)]
    assert [moment.date() for moment in local] == [day for day in days if day.weekday() < 5]
    assert {moment.strftime("%H:%M") for moment in local} == {"06:00"}
    assert len({moment.astimezone(UTC).hour for moment in due}) == 2


def test_the_flows_of_a_day_are_due_in_its_order(scheduled):
    import asyncio

    start = datetime(2026, 6, 1, tzinfo=NEW_YORK)
    due = [asyncio.run(_dates(scheduled.schedule_of(name), start, 1))[0].astimezone(NEW_YORK) for name in scheduled.DUE]
    assert due == sorted(due)
    session = Calendar().session(start.date())
    assert isinstance(session, Session)
    by_name = dict(zip(scheduled.DUE, due, strict=True))
    assert by_name[FlowName.SESSION] == session.open - timedelta(minutes=15)
    assert by_name[FlowName.MONITORING] > session.close
