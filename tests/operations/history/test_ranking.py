"""Pairs and recipes in order, with their trend."""

from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest

from tandem.market import Calendar
from tandem.operations.history.attributed import record_attribution
from tandem.operations.history.ranking import rank_models, rank_pairs
from tandem.store import Asked, ModelSession, PairSession

FIRST = date(2026, 4, 13)


def day(n):
    return FIRST + timedelta(days=n)


def pair(name, n, net, *, closed=1):
    net = Decimal(net)
    return PairSession(day(n), name, 1, closed, net, net + 1, Decimal(1), Decimal(0), Decimal(1), 2, 0, 1.5)


def model(recipe, n, loss, ar1=0.7, *, sector="technology", refused="", graded=None):
    name = f"{recipe}_{n}"
    figures = (0.6, 0.5, 0.2, 0.1, None, None, loss, ar1, None)
    return ModelSession(day(n), sector, recipe, name, refused, *figures, *(graded or (None,) * 4))


def test_the_best_pair_is_first_and_equal_ones_share_a_rank():
    rows = [pair("C/D", 0, 5), pair("A/B", 0, 7), pair("A/B", 1, -2), pair("E/F", 1, -9)]
    ranks = rank_pairs(rows, [day(0), day(1)])
    assert [(each.rank, each.pair, each.net) for each in ranks] == [(1, "A/B", 5), (1, "C/D", 5), (3, "E/F", -9)]
    best = ranks[0]
    assert (best.sessions, best.closed, best.gross, best.costs, best.naked_seconds) == (2, 2, 7, 2, 3.0)


@pytest.mark.parametrize(
    ("nets", "sessions", "trend"),
    [
        ([1, 2], 2, "better"),
        ([2, 1], 2, "worse"),
        ([1, 1], 2, "level"),
        ([1], 1, "new"),
        ([5], 4, "worse"),
        ([2, 1, 2], 3, "better"),  # the odd session belongs to the later half
    ],
)
def test_the_trend_is_the_later_half_of_the_periods_sessions_against_the_first(nets, sessions, trend):
    rows = [pair("A/B", n, net) for n, net in enumerate(nets)]
    (found,) = rank_pairs(rows, [day(n) for n in range(sessions)])
    assert found.trend == trend
    assert found.before + found.lately == found.net


def test_a_session_that_nobody_has_attributed_ranks_nothing():
    rows = [PairSession(FIRST, "A/B", 0, 0, None, None, None, None, None, 1, 1, 4.0)]
    assert rank_pairs(rows, [FIRST]) == []


def test_recipes_are_ranked_within_their_sector_by_the_log_loss_that_they_spare():
    rows = [
        model("v1", 0, 0.65), model("v1", 1, 0.75, refused="it rose"), model("v2", 0, 0.5),
        model("v3", 0, None), model("v1", 0, 0.6, sector="energy"),
    ]  # fmt: skip
    ranks = rank_models(rows, [day(0), day(1)])
    assert [(each.sector, each.rank, each.recipe) for each in ranks] == [
        ("energy", 1, "v1"), ("technology", 1, "v2"), ("technology", 2, "v1"), ("technology", None, "v3"),
    ]  # fmt: skip
    v1 = ranks[2]
    assert (v1.refits, v1.refused, v1.trend) == (2, 1, "worse")
    assert v1.skill == pytest.approx(0.0)
    assert ranks[1].trend == "new"


def test_graded_skill_weighs_sessions_by_their_forecasts():
    rows = [model("v1", 0, 0.6, graded=(10, 0.1, 0.6, 0.7)), model("v1", 1, 0.6, graded=(30, 0.1, 0.7, 0.66))]
    (found,) = rank_models(rows, [day(0), day(1)])
    assert found.forecasts == 40
    assert found.graded_skill == pytest.approx((10 * 0.1 - 30 * 0.04) / 40)


def test_the_baseline_is_not_graded_against_itself():
    itself = model("v1", 0, 0.6, graded=(77, 0.1, 0.66, 0.66))
    (found,) = rank_models([itself], [day(0)])
    assert (found.forecasts, found.graded_skill) == (77, None)
    (found,) = rank_models([itself, model("v1", 1, 0.6, graded=(10, 0.1, 0.6, 0.7))], [day(0), day(1)])
    assert found.graded_skill == pytest.approx(0.1)


def test_the_database_ranks_pairs_alike(store, traded, kept):
    facts = kept(traded)
    record_attribution(store, facts, Calendar().session(date(2023, 1, 26)))
    sessions = store.history.sessions(facts.world, Asked())
    (here,) = rank_pairs(store.history.rows(PairSession, facts.world, Asked()), sessions)
    with psycopg.connect(store.url.replace("+psycopg", "")) as connection:
        (there,) = connection.execute(
            "SELECT pair, rank, net, net_before, net_lately, trend FROM pair_rankings"
        ).fetchall()
    assert there == (here.pair, here.rank, here.net, here.before, here.lately, here.trend)
