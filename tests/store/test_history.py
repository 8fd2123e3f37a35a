"""The views of history: over an existing home that is migrated, and what an analyst reads from them."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tandem.market import World, WorldKind
from tandem.store import Asked, ModelSession, PairSession, SignalRow, Store, TradeSession
from tandem.store.migrate import MIGRATIONS

ONE, OTHER = World(WorldKind.PAPER, 7), World(WorldKind.RECYCLER, 8, 2)
FIRST = date(2026, 4, 13)
PAIR = "AAA/BBB"


def sql(store: Store, query: str, *values: object) -> list[dict[str, Any]]:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row) as connection:
        found = connection.execute(query, values)  # type: ignore[arg-type]
        return found.fetchall() if found.description else []


def add(store: Store, world: World, kind: str, day: int, body: str, *, key: str, pair: str | None = PAIR) -> None:
    store.facts(world)
    at = datetime(2026, 4, 13 + day, 14, 0, tzinfo=UTC)
    sql(
        store, "INSERT INTO facts (world, session, kind, pair, at, key, body) SELECT id, %s, %s, %s, %s, %s, %s "
        "FROM worlds WHERE run = %s", FIRST + timedelta(days=day), kind, pair, at, key, body, world.run,
    )  # fmt: skip


def attributed(store: Store, world: World, day: int, spread: str, *, pair: str = PAIR, open_: str = "0") -> None:
    body = (
        f'{{"pair": {{"a": "AAA", "b": "BBB"}}, "opened_at": "2026-04-13T14:00:00Z", "direction": 1, '
        f'"hedge_ratio": "1.25", "spread_move": "{spread}", "hedge_drift": "0.5", "slippage": "2", "fees": "0.25", '
        f'"borrow": "0.75", "qty_a": "{open_}", "qty_b": "0", "price_a": "100", "price_b": "50"}}'
    )
    add(store, world, "attribution", day, body, key=f"attribution.{day}.{pair}", pair=pair)


def planned(store: Store, world: World, day: int, loss: float, *, recipe: str = "v1", refused: str = "") -> None:
    refit = (
        f'{{"sector": "technology", "recipe": "{recipe}", "name": "model_{recipe}_{day}", "models": {{}}, '
        f'"loss": 0.6, "refused": "{refused}", "figures": {{"test_log_loss": {loss}, "test_log_loss_ar1": 0.7, '
        f'"test_mcc": 0.2}}}}'
    )
    key, body = f"plan.{day}", f'{{"tested": 3, "models": {{}}, "refits": [{refit}]}}'
    add(store, world, "plan", day, body, key=key, pair=None)


def test_a_home_of_the_version_before_keeps_every_fact_and_gets_the_views(store: Store) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    url = store.database("before_history")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    engine.dispose()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("INSERT INTO worlds (kind, run) VALUES ('paper', 7)")
        connection.execute(
            "INSERT INTO facts (world, session, kind, pair, at, key, body) SELECT 1, '2026-04-13', 'signal', "
            "'AAA/BBB', '2026-04-13 14:00Z', 'signal.' || n, "
            "jsonb_build_object('action', 'hold', 'why', 'because', 'z', n) "
            "FROM generate_series(1, 50) n"
        )
        before = connection.execute("SELECT * FROM facts ORDER BY id").fetchall()
    with Store.open(Path("unused"), url) as migrated:
        assert [tuple(row.values()) for row in sql(migrated, "SELECT * FROM facts ORDER BY id")] == before
        rows = list(migrated.history.rows(SignalRow, ONE, Asked()))
        assert [row.z for row in rows] == [float(n) for n in range(1, 51)]
    sql(store, "DROP DATABASE before_history WITH (FORCE)")


def test_every_view_and_function_says_what_it_is(store: Store) -> None:
    views = sql(store, "SELECT relname, obj_description(oid) AS said FROM pg_class "
                       "WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace")  # fmt: skip
    assert {row["relname"] for row in views} == {
        "world_names", "trading_signal_history", "performance_attribution", "pair_performance", "pair_rankings",
        "model_performance_history", "model_versions", "model_rankings",
    }  # fmt: skip
    assert all(row["said"] for row in views)


def test_a_refusal_has_the_figures_of_the_signal_that_it_refused(store: Store) -> None:
    said = '{"action": "enter_long", "why": "z -2.5", "z": -2.5, "probability": 0.9, "confidence": 0.4, "model": "gru"}'
    add(store, ONE, "signal", 0, said, key=f"signal.20260413T1400.{PAIR}")
    add(store, ONE, "refusal", 0, '{"reason": "halted", "why": "by ada", "by": "risk"}', key="refusal.1")
    add(
        store,
        ONE,
        "refusal",
        0,
        '{"reason": "stale leg", "why": "no bar", "by": "signals"}',
        key="refusal.2",
        pair="C/D",
    )
    add(store, ONE, "refusal", 0, '{"reason": "mirror", "why": "away", "by": "forecast"}', key="refusal.3", pair=None)
    rows = list(store.history.rows(SignalRow, ONE, Asked()))
    assert [(row.action, row.pair, row.z, row.refused_by) for row in rows] == [
        ("enter_long", PAIR, -2.5, ""), ("refused", PAIR, -2.5, "risk"), ("refused", "C/D", None, "signals"),
    ]  # fmt: skip
    assert rows[1].reason == "halted: by ada"
    assert store.history.counts(SignalRow, ONE, Asked(), "action") == {"refused": 2, "enter_long": 1}
    assert store.history.newest(SignalRow, ONE, Asked(), 1)[0].pair == "C/D"


def test_a_pairs_session_adds_its_trades_and_its_orders(store: Store) -> None:
    attributed(store, ONE, 0, "10", open_="3")
    attributed(store, ONE, 1, "-4")
    add(store, ONE, "pair_order", 1, '{"outcome": "unwound", "naked_seconds": 7.5}', key="o1")
    add(store, ONE, "pair_order", 1, '{"outcome": "filled", "naked_seconds": 1.0}', key="o2")
    add(store, ONE, "pair_order", 2, '{"outcome": "filled", "naked_seconds": 0}', key="o3")
    attributed(store, OTHER, 0, "99")
    first, second, third = store.history.rows(PairSession, ONE, Asked())
    assert (first.net, first.gross, first.costs, first.borrow) == (
        Decimal("7.50"), Decimal("10.5"), Decimal("2.25"), Decimal("0.75"),
    )  # fmt: skip
    assert (first.trades, first.closed, second.closed) == (1, 0, 1)
    assert (second.pair_orders, second.not_filled, second.naked_seconds) == (2, 1, 8.5)
    assert (third.net, third.trades) == (None, 0)  # nobody has attributed that session yet
    (trade, _) = store.history.rows(TradeSession, ONE, Asked())
    assert (trade.net, trade.is_open, trade.direction) == (Decimal("7.50"), True, 1)


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        (Asked(), [0, 1, 2]),
        (Asked(since=FIRST + timedelta(days=1)), [1, 2]),
        (Asked(until=FIRST), [0]),
        (Asked(pair="C/D"), [2]),
        (Asked(sector="Technology"), [0, 1]),
        (Asked(sector="energy"), []),
    ],
)
def test_rows_are_those_that_were_asked_for(store: Store, asked: Asked, days: list[int]) -> None:
    import pandas as pd

    store.sectors.load(pd.DataFrame({"symbol": ["AAA", "BBB"], "sector": "technology"}))
    attributed(store, ONE, 0, "1")
    attributed(store, ONE, 1, "1")
    attributed(store, ONE, 2, "1", pair="C/D")
    attributed(store, OTHER, 0, "1")
    rows = store.history.rows(PairSession, ONE, asked)
    assert [(row.session - FIRST).days for row in rows] == days
    assert store.history.pairs(ONE) == [PAIR, "C/D"]
    assert "technology" in store.history.sectors()


def test_pairs_are_ranked_within_their_world_over_its_last_sessions(store: Store) -> None:
    for day, (one, other) in enumerate([("50", "3"), ("1", "4"), ("2", "9")]):
        attributed(store, ONE, day, one)
        attributed(store, ONE, day, other, pair="C/D")
    attributed(store, OTHER, 0, "1")
    ranked = sql(store, "SELECT * FROM pair_rankings ORDER BY world, rank")
    assert [(row["world"], row["pair"], row["rank"]) for row in ranked] == [
        ("paper-7", PAIR, 1), ("paper-7", "C/D", 2), ("recycler-8-2", PAIR, 1),
    ]  # fmt: skip
    assert [row["trend"] for row in ranked] == ["worse", "better", "new"]
    assert [(row["net_before"], row["net_lately"]) for row in ranked[:2]] == [
        (Decimal("47.50"), Decimal("-2.00")), (Decimal("0.50"), Decimal("8.00")),
    ]  # fmt: skip
    lately = sql(store, "SELECT pair FROM pair_rankings_over(2) WHERE world = 'paper-7' ORDER BY rank")
    assert [row["pair"] for row in lately] == ["C/D", PAIR]


def test_models_have_their_refits_and_what_their_forecasts_came_to(store: Store) -> None:
    planned(store, ONE, 0, 0.6)
    planned(store, ONE, 1, 0.5, refused="its loss rose")
    grade = '{"sector": "technology", "recipe": "v1", "forecasts": 40, "mcc": 0.3, "log_loss": 0.6, '
    add(store, ONE, "model_grade", 0, f'{grade}"baseline_log_loss": 0.65}}', key="g0", pair=None)
    alone = grade.replace("v1", "baseline")
    add(store, ONE, "model_grade", 1, f'{alone}"baseline_log_loss": 0.6}}', key="g1", pair=None)
    first, baseline, second = store.history.rows(ModelSession, ONE, Asked(sector="TECHNOLOGY"))
    assert (first.recipe, first.log_loss, first.graded_forecasts, first.graded_mcc) == ("v1", 0.6, 40, 0.3)
    assert (second.refused, second.graded_forecasts) == ("its loss rose", None)
    assert (baseline.recipe, baseline.name, baseline.graded_forecasts) == ("baseline", None, 40)
    (ranked,) = sql(store, "SELECT * FROM model_rankings")
    assert (ranked["refits"], ranked["refused"], ranked["trend"]) == (2, 1, "better")
    assert ranked["skill"] == pytest.approx(0.15)


def test_only_the_newest_plan_of_a_session_counts(store: Store) -> None:
    planned(store, ONE, 0, 0.6)
    body = '{"refits": [{"sector": "technology", "recipe": "v2", "name": "other", "figures": {}}]}'
    add(store, ONE, "plan", 0, body, key="plan.0.v2", pair=None)
    assert [row.recipe for row in store.history.rows(ModelSession, ONE, Asked())] == ["v2"]


def test_a_version_says_where_it_stands_since_when_by_whom_and_why(store: Store) -> None:
    from tandem.store import Stages

    planned(store, ONE, 0, 0.6)
    at = datetime(2026, 4, 13, 10, 0, tzinfo=UTC)
    Stages(store.facts(ONE)).stage("technology", "v1", why="the settings name v1", by="morning", at=at)
    add(
        store, ONE, "model_registered", 0, '{"name": "model_v1_0", "version": "3", "run_id": "abc"}', key="r", pair=None
    )
    (row,) = sql(store, "SELECT * FROM model_versions")
    assert (row["name"], row["mlflow_version"], row["mlflow_run"]) == ("model_v1_0", "3", "abc")
    assert (row["stage"], row["since"], row["by"], row["why"]) == ("Production", at, "morning", "the settings name v1")


def test_an_empty_world_has_no_rows(store: Store) -> None:
    store.facts(ONE)
    for kind in (PairSession, TradeSession, SignalRow, ModelSession):
        assert list(store.history.rows(kind, ONE, Asked())) == []
    assert store.history.sessions(ONE, Asked()) == store.history.pairs(ONE) == []
    assert sql(store, "SELECT * FROM pair_rankings") == sql(store, "SELECT * FROM model_versions") == []


def test_the_queries_of_the_guide_run(store: Store) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", guide, re.DOTALL)
    assert len(queries) == 4
    for query in queries:
        assert sql(store, query.replace("%", "%%")) == []


def test_the_guide_names_every_column_of_every_view(store: Store) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| .*? \| ([^|]+) \|$", guide, re.MULTILINE))
    columns = sql(
        store, "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.views "
               "USING (table_schema, table_name) WHERE table_schema = 'public'",
    )  # fmt: skip
    assert len(columns) > 80
    assert [row for row in columns if row["column_name"] not in re.findall(r"\w+", told[row["table_name"]])] == []
