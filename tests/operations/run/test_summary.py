"""A summary is a fold over facts."""

import json
from decimal import Decimal

import pytest

from tandem.book import Capital
from tandem.market import Refusal, Side
from tandem.operations import summarise, write_summary
from tandem.rules import Action

KEYS = {
    "bars_replayed": int,
    "decisions": int,
    "pairs_tested": int,
    "pairs_selected": int,
    "signals": int,
    "refusals": int,
    "orders": int,
    "fills": int,
    "gross_pnl": float,
    "net_pnl": float,
    "costs": float,
    "max_drawdown": float,
    "models_registered": int,
    "seconds": float,
    "parity": bool,
}


@pytest.fixture
def summary(traded):
    return summarise(traded.store, traded.facts, bars_replayed=780, seconds=3.5, parity=True)


def test_net_is_gross_less_costs_and_the_sum_of_the_trades(summary):
    assert (summary.gross_pnl, summary.costs, summary.net_pnl) == (Decimal(-10), Decimal(8), Decimal(-18))
    assert sum(trade.net for trade in summary.trades) == summary.net_pnl
    assert sum(trade.costs for trade in summary.trades) == summary.costs


def test_counts_are_those_of_the_facts(summary):
    assert (summary.decisions, summary.signals, summary.orders, summary.fills) == (6, 5, 8, 8)
    assert (summary.pairs_tested, summary.pairs_selected, summary.models_registered) == (6, 1, 1)
    assert summary.actions == {"enter_long": 1, "enter_short": 1, "exit": 1, "stop": 1, "hold": 1}


def test_refusals_are_counted_by_room_and_reason_most_frequent_first(summary):
    assert list(summary.refusals_by_reason.items()) == [
        (("screening", "correlation"), 4),
        (("screening", "cointegration"), 1),
    ]


def test_drawdown_is_from_the_best_decision_to_the_end_of_the_session(summary):
    assert summary.max_drawdown == pytest.approx((100_050 - 99_982) / 100_050)


def test_a_fill_after_the_last_decision_counts(summary):
    assert summary.equity == Decimal(99_982)
    assert summary.days[0].equity == Decimal(99_982)


def test_a_trade_knows_both_legs_and_why_it_ended(summary):
    gain, loss = summary.trades
    assert (gain.direction, gain.stopped, gain.why_left, gain.bars) == (1, False, "|z| 0.30 is within 0.5", 2)
    assert (loss.direction, loss.stopped, loss.entry_z, loss.exit_z) == (-1, True, 2.2, 4.1)
    assert [(leg.symbol, leg.side, leg.qty) for leg in gain.legs] == [("AAA", Side.BUY, 10), ("BBB", Side.SELL, 10)]
    assert [(leg.entry_price, leg.exit_price) for leg in gain.legs] == [
        (Decimal("100.10"), Decimal("101.90")),
        (Decimal("99.90"), Decimal("100.10")),
    ]


def test_an_execution_told_twice_counts_once(traded, summary):
    repeated = [record for record in traded.facts._all() if record.kind == "fill"]
    for record in repeated:
        traded.note(record.body, "15:58")
    assert summarise(traded.store, traded.facts).net_pnl == summary.net_pnl
    assert summarise(traded.store, traded.facts).fills == summary.fills


def test_a_day_without_a_trade_says_why(summary):
    assert [day.without_trade for day in summary.days] == ["", "no pair passed every gate"]


def test_a_day_on_which_z_stayed_near_says_so(diary):
    diary.note(Capital(Decimal(1000)), "6:00", pair=None)
    diary.morning(diary.day)
    diary.decision("9:35", diary.signal(1.2, why="|z| 1.20 is below 2"))
    assert summarise(diary.store, diary.facts).days[0].without_trade == "no entry: at its widest, |z| 1.20 is below 2"


def test_a_day_of_refused_entries_names_the_reasons(diary):
    diary.note(Capital(Decimal(1000)), "6:00", pair=None)
    diary.morning(diary.day)
    diary.decision("9:35", diary.signal(2.5, Action.ENTER_SHORT))
    diary.note(Refusal("drift", "hedge ratio has moved", "risk"), "9:35")
    assert summarise(diary.store, diary.facts).days[0].without_trade == "entries refused: drift 1"


def test_an_open_trade_is_valued_at_the_newest_prices(open_position):
    summary = summarise(open_position.store, open_position.facts)
    (trade,) = summary.open_trades
    assert trade.net == summary.net_pnl == Decimal(30) - Decimal(2)
    assert (trade.exit_z, trade.closed_at, trade.why_left) == (None, None, "still open")


def test_an_entry_that_was_unwound_is_a_trade_without_an_exit(diary):
    diary.note(Capital(Decimal(100_000)), "6:00", pair=None)
    diary.morning(diary.day)
    diary.decision("9:35")
    diary.note(diary.intent("enter", 1, -2.5), "9:35")
    diary.fill("9:35", "AAA", Side.BUY, "10", "100")
    diary.fill("9:37", "AAA", Side.SELL, "10", "100")
    (trade,) = summarise(diary.store, diary.facts).trades
    assert trade.why_left == "unwound: one leg was not filled"
    assert (trade.is_open, trade.net) == (False, Decimal(-2))


def test_models_stand_beside_their_baselines(summary):
    (model,) = summary.models
    assert (model.samples, model.base_rate, model.trades_with) == (80, 0.5, "baseline")
    assert (model.f1("gru"), model.f1("ar1"), model.f1("logistic")) == (0.6, 0.6, None)


def test_a_world_without_facts_is_all_zeros(diary):
    summary = summarise(diary.store, diary.facts)
    assert (summary.net_pnl, summary.max_drawdown, summary.days) == (0, 0.0, ())


def test_the_file_holds_numbers_and_no_words(summary, tmp_path):
    write_summary(tmp_path / "deep" / "summary.json", summary)
    written = json.loads((tmp_path / "deep" / "summary.json").read_text(), parse_constant=pytest.fail)
    assert {key: type(written[key]) for key in KEYS} == KEYS
    assert written["gross_pnl"] - written["costs"] == pytest.approx(written["net_pnl"])


def test_parity_is_true_only_where_it_was_proved(traded):
    said = [summarise(traded.store, traded.facts, parity=parity).document()["parity"] for parity in (None, False, True)]
    assert said == [None, False, True]


def test_metrics_that_cannot_be_had_say_why(summary):
    document = summary.document()
    missing = {name for name, value in document["metrics"].items() if value is None}
    assert missing == set(document["not_available"])
    assert {"sharpe_ratio", "calmar_ratio"} <= missing
    assert all(document["not_available"].values())


def test_memory_and_the_store_give_the_same_summary(traded, store):
    world = store.new_world(traded.facts.world.kind)
    for content in traded.store.kept.values():
        store.blobs.put(content)
    traded.facts.flush(store.facts(world))
    ours = summarise(traded.store, traded.facts).document()
    assert summarise(store, store.facts(world)).document() == ours
