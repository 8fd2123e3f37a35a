"""Facts reach pages that are open; the recycler is told and asked."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.book import Capital, Mark
from tandem.market import WorldKind
from tandem.operations.dashboard.acts import RecyclerTold
from tandem.operations.dashboard.telling import order_of, told
from tandem.operations.facts.alert import AlertDelivered, AlertOver, AlertRaised
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.risk import Standing, Switch
from tandem.store import Record

AT = datetime(2023, 1, 27, 16, 0, tzinfo=UTC)


@pytest.fixture
def world(store):
    made = store.new_world(WorldKind.RECYCLER)
    store.facts(made).append(Record(Capital(Decimal(100_000)), AT.date(), AT, "capital"))
    return made


def mark(equity, count=0):
    at = AT + timedelta(minutes=5 * count)
    body = Mark(Decimal(equity), Decimal(5), Decimal(4), Decimal(1), Decimal(0))
    return Record(body, at.date(), at, f"mark.{count}")


def first(parts, name, words):
    """The first part of that name with these words."""
    return next(
        data["html"] for event, data in parts if event == "part" and data["id"] == name and words in data["html"]
    )


def test_a_fact_reaches_a_page_that_is_open(store, serve, world):
    with serve(store) as visitor:
        parts = visitor.parts()
        assert first(parts, "strip", "$100,000.00")
        store.facts(world).append(mark("100123.45"))
        assert first(parts, "strip", "$100,123.45")
        store.facts(world).append(Record(Switch(Standing.HALTED, "a feeling", "Ada"), AT.date(), AT, "s"))
        assert first(parts, "standing", "Halted")
        parts.close()


def test_a_new_world_of_the_same_kind_is_gone_over_to(store, serve, world):
    with serve(store) as visitor:
        parts, pinned = visitor.parts(), visitor.parts(query=f"?world={world}")
        assert first(parts, "strip", "$100,000.00")
        store.new_world(WorldKind.PAPER)
        new = store.new_world(WorldKind.RECYCLER)
        assert next(event for event, _ in parts if event == "world")
        assert str(new) in visitor.get("/").text
        store.facts(world).append(mark("100001"))
        assert first(pinned, "strip", "$100,001.00")
        parts.close()
        pinned.close()


def test_flows_processes_and_health_are_shown(store, serve, world):
    facts = store.facts(world)
    facts.append(
        Record(FlowDone(FlowName.IDENTIFICATION, "3 pairs of 40 tested", "abcdef0123456"), AT.date(), AT, "flow.1"),
        Record(ProcessChanged("prefect", "started"), AT.date(), AT, "p1"),
        Record(ProcessChanged("session", "died", "signal 9", 1), AT.date(), AT, "p2"),
        mark("100000"),
    )
    with serve(store) as visitor:
        runs = visitor.get("/runs").text
        assert "3 pairs of 40 tested" in runs
        assert "abcdef0123" in runs
        assert "signal 9" in runs
        assert "Prefect has no database on this server yet" in runs
        desk = visitor.get("/").text
        assert "session died" in desk


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2023-01-27T16:02:00+00:00", "fresh"),
        ("2023-01-27T16:30:00+00:00", "late"),
        ("2023-01-27T22:00:00+00:00", "market closed"),
        ("2023-01-28T16:00:00+00:00", "market closed"),
    ],
)
def test_the_feed_is_judged_by_the_time_of_the_recycler_that_plays_the_world(store, serve, world, ask, moment, said):
    store.facts(world).append(mark("100000"))
    ask.status |= {"world": str(world), "time": moment}
    with serve(store, ask) as visitor:
        parts = visitor.parts()
        assert first(parts, "health", f">{said}<")
        parts.close()


def test_after_the_reels_last_bar_the_feed_is_neither_well_nor_unwell(store, serve, world, ask):
    store.facts(world).append(mark("100000"))
    ask.status |= {"world": str(world), "time": "2023-01-27T16:02:00+00:00", "ended": True}
    with serve(store, ask) as visitor:
        parts = visitor.parts()
        html = first(parts, "health", ">the reel has ended<")
        assert 'class="idle"' in html[: html.index("the reel has ended")]
        parts.close()


SEEN = datetime(2026, 11, 30, 14, 12, tzinfo=UTC)


def test_a_persons_word_in_a_replay_has_the_time_of_the_wall_and_says_so(store, serve, world, ask):
    ask.status["world"], facts = "recycler-99", store.facts(world)
    facts.append(mark("100000"), Record(Switch(Standing.HALTED, "a feeling", "Ada"), SEEN.date(), SEEN, "s"))
    with serve(store, ask) as visitor:
        html = plainly(visitor.get("/").text)
        assert "by Ada at 2026-11-30 09:12 by the wall clock: a feeling" in html
        assert "Fri 27 Jan 11:00 newest fact" in html
        facts.append(Record(Switch(Standing.HALTED, "lost 2%", "risk"), AT.date(), AT, "switch.risk"))
        parts = visitor.parts()
        assert "by risk, Fri 27 Jan 11:00: lost 2%" in plainly(first(parts, "health", "lost 2%"))
        parts.close()


def test_a_persons_word_in_an_account_has_market_time(store, serve):
    paper = store.new_world(WorldKind.PAPER)
    store.facts(paper).append(Record(Switch(Standing.HALTED, "a feeling", "Ada"), AT.date(), AT, "s"))
    with serve(store, kind=WorldKind.PAPER) as visitor:
        assert "by Ada, Fri 27 Jan 11:00: a feeling" in plainly(visitor.get("/").text)


def plainly(html):
    return " ".join(re.sub("<[^>]*>", "", html).split())


def test_of_a_world_that_nobody_plays_the_feed_is_history(store, serve, world, ask):
    store.facts(world).append(mark("100000"))
    ask.status["world"] = "recycler-99"
    with serve(store, ask) as visitor:
        assert ">history<" in visitor.get("/").text


def test_prefects_own_runs_are_read_where_it_has_a_database(store, serve, world):
    import psycopg

    from tandem.store import Store

    url = store.database("prefect_db")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as prefect:
        try:
            prefect.execute(
                """
                CREATE TABLE flow (id uuid PRIMARY KEY, name text);
                CREATE TABLE deployment (id uuid PRIMARY KEY, name text);
                CREATE TYPE state AS ENUM ('SCHEDULED', 'COMPLETED', 'FAILED');
                CREATE TABLE flow_run (id uuid, flow_id uuid, deployment_id uuid, name text, state_type state,
                    state_name text, expected_start_time timestamptz, start_time timestamptz, end_time timestamptz,
                    total_run_time interval, parameters jsonb);
                INSERT INTO flow SELECT '00000000-0000-0000-0000-000000000001', 'daily-pair-identification';
                INSERT INTO flow_run VALUES
                    (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', NULL, 'brave-otter', 'COMPLETED',
                     'Completed', '2023-01-27 11:00Z', '2023-01-27 11:00Z', '2023-01-27 11:01Z', '61 seconds',
                     jsonb_build_object('world', '{world}')),
                    (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', NULL, 'next-one', 'SCHEDULED',
                     'Scheduled', '2023-01-28 11:00Z', NULL, NULL, '0', '{{}}'),
                    (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', NULL, 'another-world', 'COMPLETED',
                     'Completed', '2023-01-27 11:00Z', '2023-01-27 11:00Z', '2023-01-27 11:01Z', '61 seconds',
                     jsonb_build_object('world', 'recycler-99')),
                    (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', NULL, 'far-one', 'SCHEDULED',
                     'Scheduled', '2023-01-29 11:00Z', NULL, NULL, '0', '{{}}');
            """.replace("{world}", str(world)).replace("{{}}", "{}")
            )
            with serve(store) as visitor:
                html = visitor.get("/runs").text
            assert "brave-otter" in html
            assert "61.0" in html
            assert "next-one" in html
            assert "far-one" not in html
            assert "another-world" not in html
        finally:
            assert isinstance(store, Store)
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("DROP DATABASE prefect_db WITH (FORCE)")


def test_alerts_are_shown_the_gravest_first_with_whom_they_reached(store, serve, world):
    facts = store.facts(world)
    for number, (severity, subject) in enumerate([("warning", ""), ("critical", "AAPL/NVDA"), ("info", "old")]):
        raised = AlertRaised("drawdown", severity, subject, f"Alert {number}", "<b>8.1%</b> of equity")
        facts.append(Record(raised, AT.date(), AT, f"a{number}"))
    facts.append(
        Record(AlertDelivered("a0", "mail", False, "no answer", 1), AT.date(), AT, "d1"),
        Record(AlertDelivered("a1", "file", True), AT.date(), AT, "d2"),
        Record(AlertOver("drawdown", "old", "it has recovered"), AT.date(), AT, "over.a2"),
    )
    with serve(store) as visitor:
        html = visitor.get("/alerts").text
        assert html.index("Alert 1") < html.index("Alert 0") < html.index("Alert 2")
        assert "failed</span> 1 time (no answer)" in html
        assert "it has recovered" in html
        assert "&lt;b&gt;8.1%" in html
        assert '<span class="badge critical"' in visitor.get("/").text


def test_prometheus_reads_the_metrics_of_the_world_shown(store, serve, world):
    store.facts(world).append(mark("100123.5"))
    with serve(store) as visitor:
        assert "tandem_equity_dollars 100123.5" in visitor.get("/metrics").text


def tell(visitor, world, do, **more):
    form = {"csrf": visitor.csrf("/recycler"), "world": str(world), "by": "Ada", "back": "/recycler", "do": do, **more}
    return visitor.post("/recycler/tell", data=form)


def test_the_recycler_is_told_and_each_word_is_a_fact_with_a_name(store, serve, world, ask):
    ask.status["world"] = str(world)
    with serve(store, ask) as visitor:
        assert tell(visitor, world, "pause").status_code == 303
        assert "paused" in visitor.get("/recycler").text
        tell(visitor, world, "fault", name="halt", symbol="AAPL", seconds="300", at="", every=" ")
        html = visitor.get("/recycler").text
        assert "Fault injected: halt, for AAPL, for 300 seconds." in html
        assert "<td>for AAPL, for 300 seconds</td>" in html
        tell(visitor, world, "disarm", number="1")
    assert ask.told == [
        ("POST", "pause", {}),
        ("POST", "faults", {"name": "halt", "symbol": "AAPL", "seconds": 300.0}),
        ("DELETE", "faults/1", None),
    ]
    said = [record.body for record in store.facts(world).read(RecyclerTold)]
    assert said == [
        RecyclerTold("pause", {}, "Ada"),
        RecyclerTold("faults", {"name": "halt", "symbol": "AAPL", "seconds": 300.0}, "Ada"),
        RecyclerTold("delete faults/1", {}, "Ada"),
    ]


def test_what_the_recycler_refuses_is_said(store, serve, world, ask):
    ask.status["world"] = str(world)
    with serve(store, ask) as visitor:
        tell(visitor, world, "fault", name="nonsense")
        assert "refuses: there is none of that name" in visitor.get("/recycler").text
        tell(visitor, world, "step", count="many")
        assert "many is no minutes" in visitor.get("/recycler").text
        tell(visitor, world, "pause", by=" ")
        assert "nobody says who does it" in visitor.get("/recycler").text
        tell(visitor, world, "dance")
        assert "does not say what to do" in visitor.get("/recycler").text
        ask.away = True
        tell(visitor, world, "pause")
        assert "o recycler answers at localhost:8765" in visitor.get("/recycler").text


def test_a_recycler_of_another_home_is_left_alone(store, serve, world, ask):
    ask.status["world"] = "recycler-99"
    with serve(store, ask) as visitor:
        assert tell(visitor, world, "pause").status_code == 400
    assert ask.told == []


@pytest.mark.parametrize(
    ("form", "timestamps", "meant"),
    [
        ({"do": "speed", "speed": "max"}, "original", ("POST", "speed", {"speed": "max"})),
        ({"do": "speed", "speed": "60"}, "original", ("POST", "speed", {"speed": 60.0})),
        ({"do": "seek", "to": "2023-01-25"}, "original", ("POST", "seek", {"to": "2023-01-25"})),
        ({"do": "seek", "to": "2023-01-25"}, "current", ("POST", "seek", {"day": "2023-01-25"})),
        ({"do": "seek", "to": "2023-01-25T10:30"}, "current", ("POST", "seek", {"to": "2023-01-25T10:30"})),
        ({"do": "step", "count": "3"}, "original", ("POST", "step", {"count": 3})),
        ({"do": "clear"}, "original", ("DELETE", "faults", {})),
        ({"do": "scenario", "name": "bad-monday"}, "original", ("POST", "scenarios/bad-monday", {})),
    ],
)
def test_what_a_form_means(form, timestamps, meant):
    assert order_of(form, {"timestamps": timestamps}) == meant


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "pause"}, "The replay is paused."),
        ({"do": "resume"}, "The replay goes on."),
        ({"do": "step", "count": "1"}, "The replay went on by 1 minute."),
        ({"do": "speed", "speed": "max"}, "Speed set to max."),
        ({"do": "speed", "speed": "60"}, "Speed set to 60."),
        ({"do": "seek", "to": "2023-01-25T10:30"}, "The replay went to 2023-01-25T10:30."),
        ({"do": "fault", "name": "stall"}, "Fault injected: stall."),
        (
            {"do": "fault", "name": "halt", "at": "10:30", "every": "3", "count": "2", "chance": "0.5"},
            "Fault injected: halt, from 10:30, at one in 3 occasions, 2 times at most, with a chance of 0.5.",
        ),
        ({"do": "disarm", "number": "2"}, "Fault 2 is taken back."),
        ({"do": "clear"}, "Every fault is taken back."),
        ({"do": "scenario", "name": "bad-monday", "symbol": "AAPL"}, "The bad day is set: bad-monday, for AAPL."),
    ],
)
def test_what_the_recycler_was_told_is_said_in_words(form, said):
    assert told(*order_of(form, None)) == said
