"""Each rule on facts by hand: it raises, it does not, it is over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.book import Capital
from tandem.config import ALERT_RULES, AlertSettings
from tandem.desk import Plan
from tandem.desk.plan import Refit
from tandem.execution import Outcome, PairOrderEnded, name_of
from tandem.forecast import ModelRegistered, Registration, Verdict
from tandem.market import Pair, Side, World, WorldKind
from tandem.operations.alerts.rules.table import RULES, alert_rules
from tandem.operations.facts.alert import AlertRaised
from tandem.operations.facts.flow_done import FlowName
from tandem.risk import Baseline, Intent, Standing, Switch
from tandem.store import Move, Stage, StageChanged

WORLD, PAIR = World(WorldKind.PAPER, 7), Pair("AAA", "BBB")
DAY, NEXT, SATURDAY = date(2023, 1, 25), date(2023, 1, 26), date(2023, 1, 28)
GOOD_FRIDAY, HALF_DAY = date(2023, 4, 7), date(2023, 11, 24)


def entry(qty="10"):
    return Intent(
        PAIR, "enter", 1, Side.BUY, Decimal(qty), Side.SELL, Decimal(qty), "why", False, -2.5, 0.01, 0.001, 1e-6,
        Decimal(2000), 0.0, DAY,
    )  # fmt: skip


def test_the_table_has_the_rules_that_the_settings_know_in_their_order():
    assert tuple(rule.name for rule in RULES) == ALERT_RULES


def test_settings_change_severity_threshold_and_switch_off_one_by_one():
    given = {"drawdown": {"threshold": 0.2}, "drift": {"on": False}, "halt": {"severity": "info"}}
    changed = {rule.name: rule for rule in alert_rules(AlertSettings.model_validate({"rules": given}))}
    usual = {rule.name: rule for rule in RULES}
    assert changed["drawdown"] == replace(usual["drawdown"], threshold=0.2)
    assert changed["drift"] == replace(usual["drift"], on=False)
    assert changed["halt"] == replace(usual["halt"], severity="info")
    assert changed["naked_leg"] == usual["naked_leg"]


def test_a_rule_that_is_off_finds_nothing(diary_with):
    diary = diary_with(alerts={"rules": {"halt": {"on": False}}})
    diary.note(Switch(Standing.HALTED, "lost 2%", "risk"), "10:00")
    assert diary.found("halt", "10:00") == []


def test_a_drawdown_is_found_from_its_threshold_on_and_stands_until_it_has_eased(diary):
    diary.note(Capital(Decimal(100_000)), "6:00").mark("9:35", "110000").mark("9:40", "104501")
    assert diary.found("drawdown", "9:40") == []
    diary.mark("9:45", "104500")
    assert diary.said("drawdown", "9:45") == [
        "Drawdown of 5.00%. Equity is $104,500.00, its best mark $110,000.00; entries halt at 10.00%."
    ]
    diary.mark("9:50", "105000")
    assert diary.found("drawdown", "9:50") == []
    assert diary.found("drawdown", "9:50", standing=["equity"]) == ["equity"]
    diary.mark("9:55", "105700")
    assert diary.found("drawdown", "9:55", standing=["equity"]) == []


def test_a_drawdown_counts_from_where_entries_were_armed_again(diary):
    diary.mark("9:35", "110000").mark("9:40", "90000").note(Baseline(Decimal(90_000)), "9:40")
    assert diary.found("drawdown", "9:40") == []


def test_the_loss_of_the_day_counts_from_the_last_mark_of_the_day_before(diary):
    diary.note(Capital(Decimal(100_000)), "6:00").mark("15:55", "102000").mark("9:35", "101100", NEXT)
    assert diary.found("daily_loss", "9:35", NEXT) == []
    diary.mark("9:40", "100980", NEXT)
    assert diary.said("daily_loss", "9:40", NEXT) == [
        "1.00% lost today. Equity is $100,980.00, \u2212$1,020.00 since the session before ended; "
        "entries halt at 2.00%."
    ]
    assert diary.found("daily_loss", "6:00", date(2023, 1, 27)) == []


def test_one_leg_beyond_the_budget_of_seconds_is_found_and_over_when_the_other_follows(diary):
    diary.note(entry(), "9:35", pair=str(PAIR)).fill("9:36", "AAA", "10")
    assert diary.found("naked_leg", "9:39") == []
    assert diary.said("naked_leg", "9:39:01") == [
        "AAA/BBB stands on one leg. $1,000.00 on one leg since 09:36, 181 s; the budget is $30,000.00 and 180 s."
    ]
    diary.fill("9:39", "BBB", "10")
    assert diary.found("naked_leg", "10:39") == []


def test_one_leg_beyond_the_budget_of_dollars_is_found_at_once(diary):
    diary.note(entry("400"), "9:35", pair=str(PAIR)).fill("9:36", "AAA", "300")
    assert diary.found("naked_leg", "9:36") == []
    diary.fill("9:36", "AAA", "100")
    assert diary.found("naked_leg", "9:36") == ["AAA/BBB"]


def test_a_stuck_order_stands_until_a_later_one_of_its_pair_has_ended_well(diary):
    def ended(outcome, clock, day):
        name = name_of(WORLD, PAIR, diary.records[-1].at)
        diary.note(PairOrderEnded(name, "exit", outcome, 60.0, 4), clock, day, str(PAIR))

    diary.mark("15:55")
    ended(Outcome.STUCK, "15:58", DAY)
    assert diary.found("naked_leg", "15:58") == ["AAA/BBB"]
    diary.mark("9:35", day=NEXT)
    assert diary.found("naked_leg", "9:35", NEXT) == ["AAA/BBB"]
    ended(Outcome.FILLED, "9:37", NEXT)
    assert diary.found("naked_leg", "9:37", NEXT) == []


def test_no_decision_for_so_long_is_found_while_the_session_is_open(diary):
    diary.mark("9:35")
    assert diary.found("stale_feed", "9:45") == []
    assert diary.found("stale_feed", "9:46") == ["decisions"]
    diary.mark("9:47")
    assert diary.found("stale_feed", "9:48") == []
    assert diary.found("stale_feed", "15:59") == ["decisions"]
    assert diary.found("stale_feed", "16:00") == []


def test_a_half_day_closes_early_and_is_not_stale_after_that(diary):
    diary.mark("12:50", day=HALF_DAY)
    assert diary.found("stale_feed", "12:59", HALF_DAY) == []
    assert diary.found("stale_feed", "13:01", HALF_DAY) == []


def test_a_leg_that_is_stale_at_every_decision_is_found_and_over_with_the_next_good_one(diary):
    for clock in ("9:35", "9:40", "9:45"):
        diary.mark(clock).refuse("stale leg", clock)
        assert diary.found("stale_feed", clock) == (["AAA/BBB"] if clock == "9:45" else [])
    diary.mark("9:50")
    assert diary.found("stale_feed", "9:50") == []
    for clock in ("9:55", "10:00"):
        diary.mark(clock).refuse("stale leg", clock)
    assert diary.found("stale_feed", "10:00") == []


def test_a_morning_without_pairs_is_missed_from_the_deadline_on(diary):
    assert diary.found("missed_run", "6:19") == []
    assert diary.found("missed_run", "6:20") == [f"identification {DAY}"]
    diary.done(FlowName.IDENTIFICATION, "6:25")
    assert diary.found("missed_run", "6:25") == []
    assert f"identification {NEXT}" in diary.found("missed_run", "6:20", NEXT)


def test_a_replay_has_no_morning_and_misses_its_pairs_when_its_clock_goes_on_without_them(diary):
    diary.known.world = World(WorldKind.RECYCLER, 7)
    assert diary.found("missed_run", "9:44") == []
    assert diary.found("missed_run", "9:45") == [f"identification {DAY}", f"session {DAY}"]


@pytest.mark.parametrize("day", [SATURDAY, GOOD_FRIDAY])
def test_nothing_is_missed_on_a_day_without_trading(diary, day):
    assert diary.found("missed_run", "12:00", day) == []


@pytest.mark.parametrize(("day", "deadline"), [(date(2023, 3, 10), 11), (date(2023, 3, 13), 10)])
def test_the_deadline_is_a_time_of_new_york_on_both_sides_of_a_change_of_the_clocks(diary, day, deadline):
    rule = next(each for each in RULES if each.name == "missed_run")
    before, due = (datetime(day.year, day.month, day.day, deadline, minute, tzinfo=UTC) for minute in (19, 20))
    assert list(rule.findings(diary.known, before)) == []
    assert [found.subject for found in rule.findings(diary.known, due)] == [f"identification {day}"]


def test_a_session_that_has_not_begun_is_missed_and_over_with_its_first_decision(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05").note(Plan(3, {}), "6:00")
    assert diary.found("missed_run", "9:44") == []
    assert diary.found("missed_run", "9:45") == [f"session {DAY}"]
    diary.mark("9:45")
    assert diary.found("missed_run", "9:45") == []


def test_a_session_that_was_not_monitored_is_missed_until_it_is_or_the_next_one_was_due(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05").note(Plan(3, {}), "6:00").mark("9:35")
    assert diary.found("missed_run", "16:54") == []
    assert diary.found("missed_run", "16:55") == [f"monitoring {DAY}"]
    assert diary.found("missed_run", "5:59", NEXT) == [f"monitoring {DAY}"]
    diary.done(FlowName.MONITORING, "5:59")
    assert diary.found("missed_run", "5:59", NEXT) == []


def test_a_half_day_is_monitored_as_late_as_any_other(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05", HALF_DAY).note(Plan(3, {}), "6:00", HALF_DAY).mark("9:35", day=HALF_DAY)
    assert diary.found("missed_run", "16:54", HALF_DAY) == []
    assert diary.found("missed_run", "16:55", HALF_DAY) == [f"monitoring {HALF_DAY}"]


@pytest.mark.parametrize(("day", "close"), [(DAY, "16:15"), (HALF_DAY, "13:15")])
def test_a_replay_is_monitored_at_its_close_whatever_the_day(diary, day, close):
    diary.known.world = World(WorldKind.RECYCLER, 7)
    diary.done(FlowName.IDENTIFICATION, "6:05", day).note(Plan(3, {}), "6:00", day).mark("9:35", day=day)
    assert diary.found("missed_run", close[:-1] + "4", day) == []
    assert diary.found("missed_run", close, day) == [f"monitoring {day}"]


def test_a_morning_without_a_plan_is_missed_when_the_session_gets_ready(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05")
    assert diary.found("missed_run", "9:14") == []
    assert diary.found("missed_run", "9:15") == [f"training {DAY}"]
    diary.note(Plan(3, {}), "6:00")
    assert diary.found("missed_run", "9:15") == []
    assert f"training {NEXT}" in diary.found("missed_run", "9:15", NEXT)


def test_a_night_that_was_not_done_is_missed_the_next_morning_until_it_is(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05").done(FlowName.MONITORING, "16:20")
    assert diary.found("missed_run", "5:59", NEXT) == []
    assert diary.found("missed_run", "6:00", NEXT) == [f"housekeeping {DAY}"]
    diary.done(FlowName.HOUSEKEEPING, "6:01")
    assert diary.found("missed_run", "6:01", NEXT) == []


def test_the_night_of_a_friday_is_missed_on_monday(diary):
    friday, monday = date(2023, 1, 27), date(2023, 1, 30)
    diary.done(FlowName.MONITORING, "16:20", friday)
    assert diary.found("missed_run", "12:00", SATURDAY) == []
    assert diary.found("missed_run", "6:00", monday) == [f"housekeeping {friday}"]


def test_who_trades_by_hand_hears_of_no_training_and_no_night(diary):
    diary.mark("9:35").mark("9:35", day=NEXT)
    missed = [*diary.found("missed_run", "9:36"), *diary.found("missed_run", "12:00", NEXT)]
    assert not [subject for subject in missed if subject.startswith(("training", "housekeeping"))]


def test_a_replay_misses_its_plan_and_the_night_before_when_its_clock_goes_on_without_them(diary):
    diary.known.world = World(WorldKind.RECYCLER, 7)
    diary.done(FlowName.IDENTIFICATION, "6:00", NEXT).done(FlowName.MONITORING, "16:00").mark("9:35", day=NEXT)
    assert diary.found("missed_run", "9:44", NEXT) == []
    assert diary.found("missed_run", "9:45", NEXT) == [f"training {NEXT}", f"housekeeping {DAY}"]


def test_a_world_that_began_today_has_missed_nothing_of_yesterday(diary):
    diary.done(FlowName.IDENTIFICATION, "6:05", NEXT)
    assert diary.found("missed_run", "6:30", NEXT) == []


def test_a_drift_stands_until_the_next_session_decides(diary):
    diary.mark("9:35").refuse("drift", "9:35", "risk").refuse("spread", "9:35", "risk")
    assert diary.said("drift", "9:35") == ["AAA/BBB has drifted. No entries: drift it is."]
    diary.note(AlertRaised("drift", "warning", "AAA/BBB", "", ""), "9:36")
    assert diary.found("drift", "20:00") == ["AAA/BBB"]
    diary.mark("9:35", day=NEXT)
    assert diary.found("drift", "9:35", NEXT) == []


def test_a_verdict_to_demote_is_a_drift_and_one_to_keep_is_none(diary):
    diary.mark("9:35").note(Verdict("technology", "v1", "keep", "as it was", {}), "16:20")
    assert diary.found("drift", "16:20") == []
    diary.note(Verdict("technology", "v1", "demote", "CUSUM crossed", {}), "16:20")
    assert diary.found("drift", "16:20") == ["technology v1"]


def test_what_happened_while_nobody_watched_is_told_once(diary):
    diary.mark("9:35").refuse("drift", "9:35", "risk").mark("9:35", day=NEXT)
    assert diary.found("drift", "9:35", NEXT) == ["AAA/BBB"]
    diary.note(AlertRaised("drift", "warning", "AAA/BBB", "", ""), "9:36", NEXT)
    assert diary.found("drift", "9:36", NEXT) == []


def test_only_steps_down_are_demotions(diary):
    diary.mark("9:35")
    for move, after in ((Move.PROMOTED, Stage.PRODUCTION), (Move.DEMOTED, Stage.ARCHIVED)):
        changed = StageChanged("technology", "v1", Stage.PRODUCTION, after, move, "its record", "trial")
        diary.note(changed, "16:20")
        assert diary.found("demotion", "16:20") == ([] if move is Move.PROMOTED else ["technology v1"])
    diary.note(AlertRaised("demotion", "warning", "technology v1", "", ""), "16:21").mark("9:35", day=NEXT)
    assert diary.found("demotion", "9:35", NEXT) == []


def test_a_halt_of_a_limit_and_one_of_a_person_are_different_alerts_and_over_when_armed(diary):
    assert diary.found("halt", "9:35") == diary.found("halted_by_person", "9:35") == []
    diary.note(Switch(Standing.HALTED, "lost 2.10% of equity today", "risk"), "10:00")
    assert diary.said("halt", "10:00") == [
        "New entries are halted. lost 2.10% of equity today (risk). `tandem resume` allows entries again."
    ]
    assert diary.found("halted_by_person", "10:00") == []
    diary.note(Switch(Standing.FLATTEN, "lunch", "ann"), "10:05")
    assert diary.found("halt", "10:05") == []
    assert diary.found("halted_by_person", "10:05") == ["entries"]
    diary.note(Switch(Standing.ARMED, "back", "ann"), "10:10")
    assert diary.found("halt", "10:10") == diary.found("halted_by_person", "10:10") == []


def test_the_store_is_away_after_two_looks_in_a_row(diary):
    for looks, found in ((0, []), (1, []), (2, ["store"]), (0, [])):
        diary.known.store_away = (looks, "PostgreSQL does not answer")
        assert diary.found("store_away", "10:00") == found


def test_what_a_killed_supervisor_left_is_told_until_there_is_one_again(diary):
    for killed, found in ((False, []), (True, ["tandem up"]), (False, [])):
        diary.known.unsupervised = killed
        assert diary.found("unsupervised", "10:00") == found


def test_a_rate_of_rejected_orders_is_found_of_today_alone_and_of_some_orders_at_least(diary):
    diary.mark("9:35")
    for _ in range(4):
        diary.order("9:35")
    diary.refuse("order refused", "9:35", "execution")
    assert diary.found("reject_rate", "9:36") == []
    diary.order("9:40")
    assert diary.said("reject_rate", "9:40") == [
        "20% of today's orders were refused. The broker refused 1 of the 5 orders sent today; the refusals say why."
    ]
    diary.order("9:45")
    assert diary.found("reject_rate", "9:45") == []
    assert diary.found("reject_rate", "9:45", standing=[str(DAY)]) == [str(DAY)]
    diary.mark("9:35", day=NEXT)
    assert diary.found("reject_rate", "9:35", NEXT, standing=[str(DAY)]) == []


def test_a_process_that_died_is_told_even_where_it_runs_again(diary):
    subject = "session 2023-01-25 10:00:00 (start 1)"
    diary.mark("9:35").process("session", "died", "10:00").process("session", "started", "10:00")
    assert diary.said("process_died", "10:30") == ["session died. At 10:00:00: signal 9."]
    diary.note(AlertRaised("process_died", "warning", subject, "", ""), "10:30")
    assert diary.found("process_died", "10:30") == []


def test_a_process_that_is_down_stands_until_it_is_started(diary):
    subject = "mlflow 2023-01-25 10:00:00 (start 1)"
    diary.process("mlflow", "unwell", "10:00").note(AlertRaised("process_died", "warning", subject, "", ""), "10:00")
    assert diary.found("process_died", "12:00") == [subject]
    diary.process("mlflow", "started", "12:00")
    assert diary.found("process_died", "12:00") == []


def test_more_deaths_within_an_hour_than_allowed_are_found(diary):
    for minute in ("10:00", "10:20", "10:40", "10:59"):
        assert diary.found("process_restarts", minute) == []
        diary.process("flows", "died", minute)
    diary.process("prefect", "died", "10:59")
    assert diary.found("process_restarts", "10:59") == ["flows"]
    assert diary.found("process_restarts", "11:00") == []


def test_a_refit_that_must_not_trade_stands_as_long_as_its_plan_is_the_newest(diary):
    bad = Refit("technology", "v1", "model", {}, None, "the loss rose by 40%")
    diary.note(Plan(3, {}, 1, (bad, replace(bad, recipe="v2", refused=""))), "6:00")
    assert diary.said("refit_refused", "6:10") == [
        "The refit of v1 in technology must not trade. the loss rose by 40%. The baseline trades in its place."
    ]
    diary.note(Plan(3, {}, 1, (replace(bad, refused=""),)), "6:00", NEXT)
    assert diary.found("refit_refused", "6:10", NEXT) == []


def test_a_refit_that_mlflow_was_not_told_of_is_found_after_a_while_and_over_when_it_was(diary):
    diary.note(Registration("model_v1", "technology", "v1", "abc", {}, ""), "6:00")
    assert diary.found("not_registered", "6:29") == []
    assert diary.found("not_registered", "6:30") == ["model_v1"]
    diary.note(ModelRegistered("model_v1", "1", "run", (), refit="abc"), "6:00")
    assert diary.found("not_registered", "6:30") == []


def test_what_is_known_is_bounded_whatever_happened(diary):
    for number in range(500):
        diary.process("flows", "died", "10:00").refuse("drift", "10:00").done(
            FlowName.TRAINING, "6:00", DAY + timedelta(number)
        )
    assert len(diary.known.happened) <= 200
    assert len(diary.known.done) <= 50
