"""The morning in plain words."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Capital
from tandem.config import Settings
from tandem.desk import ConfiguredPair, Plan, Refit, TradingConfiguration
from tandem.forecast import Verdict
from tandem.market import Calendar, Pair
from tandem.operations.report.brief import SCREEN, brief_of
from tandem.risk import Baseline, Standing, Switch
from tandem.screening import PairLife, PairState
from tandem.store import Move, Stage, StageChanged

DAY, NEXT = Calendar().session(date(2023, 1, 25)), Calendar().session(date(2023, 1, 26))


def told(diary, session=NEXT, **settings):
    return brief_of(diary.store, diary.facts, session, Settings().model_copy(update=settings))


def configured(diary, *lives):
    """Another configuration of the next morning, with these lives and the reason `because`."""
    made = diary.facts.read(TradingConfiguration, session=NEXT.day)[-1].body
    pairs = tuple(
        ConfiguredPair(
            Pair.parse(name), PairLife(Pair.parse(name), state, before, 0, f"because of {name}"),
            1 if state is PairState.ACTIVE else None, 0.8 if state is PairState.ACTIVE else None,
        )
        for name, state, before in lives
    )  # fmt: skip
    diary.keep(replace(made, version=2, pairs=pairs), NEXT.day, "configuration.again")


def test_pairs_are_told_by_what_the_morning_made_of_them(traded):
    active, probation = PairState.ACTIVE, PairState.PROBATION
    configured(
        traded, ("A/B", active, None), ("C/D", active, probation), ("E/F", active, active), ("G/H", probation, active),
        ("I/J", PairState.RETIRED, probation), ("K/L", PairState.CANDIDATE, active), ("M/N", PairState.CANDIDATE, None),
    )  # fmt: skip
    brief = told(traded)
    groups = {name: [each.what.split()[0] for each in own] for name, own in brief.groups.items()}
    assert groups == {
        "new": ["A/B", "C/D"], "kept": ["E/F"], "candidate": ["M/N"], "probation": ["G/H"], "dropped": ["I/J", "K/L"],
    }  # fmt: skip
    assert "dropped:\n    I/J: because of I/J\n" in brief.text
    assert "kept: E/F (score 0.80)" in brief.text


def test_a_first_morning_says_who_may_be_entered_by_which_model_and_that_nothing_stands_against_it(traded):
    brief = told(traded, DAY)
    assert brief.text.startswith(
        "Wed 25 Jan 2023, recycler-7\nAAA/BBB may be entered; nothing stands against trading.\n"
    )
    assert "3 pairs considered, 1 selected; refused 1 at correlation and 1 at\n    cointegration." in brief.text
    assert "AR(1) baseline forecasts AAA/BBB: no evidence that the GRU beats it" in brief.text


@pytest.mark.parametrize(
    ("missed", "said"),
    [("exits_only", "identified this morning, so there are exits only"), ("identify", "this morning, or not yet")],
)
def test_a_morning_without_pairs_says_what_that_means(traded, missed, said):
    day = Calendar().session(date(2023, 1, 27))
    settings = Settings()
    operations = settings.operations.model_copy(update={"missed_morning": missed})
    assert said in " ".join(told(traded, day, operations=operations).text.split())


def test_a_halt_in_force_is_the_first_thing_said_until_somebody_ends_it(traded):
    traded.note(Switch(Standing.HALTED, "drawdown of 11%, the limit is 10%", "risk"), "12:00", pair=None)
    brief = told(traded)
    assert "halted by risk: drawdown of 11%" in brief.text.splitlines()[1]
    assert "no pair passed every gate" in " ".join(brief.against)
    traded.note(Switch(Standing.ARMED, "looked at", "ada"), "15:00", pair=None)
    assert told(traded).against == ("no pair passed every gate",)


def test_the_budget_is_of_the_equity_before_the_session(traded):
    budget = told(traded).budget
    assert budget.equity == Decimal(99_990)
    assert (budget.pair, budget.sector, budget.gross) == (Decimal("24997.50"), Decimal("49995.0"), Decimal(99_990))
    assert budget.daily_loss == Decimal("1999.80")
    assert budget.drawdown == pytest.approx(1 - 99_990 / 100_050)
    assert budget.to_halt == Decimal(99_990) - Decimal("0.9") * Decimal(100_050)
    assert "halt when the day has lost $2,000 (2.0%)" in told(traded).text


def test_after_a_person_re_armed_limits_count_from_there(traded):
    traded.note(Baseline(Decimal(99_000)), "15:56", pair=None)
    budget = told(traded).budget
    assert (budget.equity, budget.drawdown) == (Decimal(99_000), 0.0)
    assert budget.to_halt == Decimal(9900)


def test_a_world_that_never_traded_starts_with_its_cash(diary):
    diary.morning(DAY.day)
    assert told(diary, DAY).budget.equity == Settings().websocket.recycler.cash
    diary.note(Capital(Decimal(5000)), "6:00", pair=None)
    assert told(diary, DAY).budget.equity == Decimal(5000)


def staged(diary, clock, recipe, before, after, move, day=DAY):
    body = StageChanged("technology", recipe, before, after, move, f"{recipe} did it", "trial", {"p": 0.01})
    diary.note(body, clock, day.day, pair=None)


def test_promotions_and_refused_ones_since_the_session_before_are_told_with_their_reason(traded):
    staged(traded, "6:00", "v1", None, Stage.PRODUCTION, Move.FIRST)
    staged(traded, "16:00", "v2", Stage.STAGING, Stage.PRODUCTION, Move.PROMOTED)
    for recipe, action, against in (("v2", "promote", "v1"), ("v3", "keep", "v2")):
        verdict = Verdict("technology", recipe, action, f"60 days of {recipe}", {}, against)
        traded.note(verdict, "16:00", DAY.day, pair=None)
    brief = told(traded)
    assert [each.what for each in brief.changes] == ["v2 of technology promoted", "v3 of technology not promoted"]
    assert brief.changes[1].why == "60 days of v3"


@pytest.mark.parametrize(
    ("fitted", "refused", "said"),
    [
        ("v1", "", "technology: v1 trades"),
        ("v1", "its loss rose", "the baseline trades, the refit of v1 must not trade: its loss rose"),
        ("v2", "", "the baseline trades, v1 was not fitted"),
    ],
)
def test_which_model_trades_a_sector_is_told_with_the_reason(traded, fitted, refused, said):
    staged(traded, "6:00", "v1", None, Stage.PRODUCTION, Move.FIRST)
    refit = Refit("technology", fitted, "name", {}, 0.6, refused)
    traded.keep(Plan(3, {}, 1, (refit,)), NEXT.day, "plan.again")
    (model,) = told(traded).models
    assert said in model.what
    assert "in Production since Wed 25 Jan (first of its sector)" in model.why


def test_without_a_recipe_in_production_the_baseline_trades_alone(traded):
    staged(traded, "6:00", "v1", None, Stage.PRODUCTION, Move.FIRST)
    staged(traded, "16:00", "v1", Stage.PRODUCTION, Stage.ARCHIVED, Move.DEMOTED)
    traded.keep(Plan(3, {}, 1, (Refit("technology", "v1", "name", {}),)), NEXT.day, "plan.again")
    assert "the baseline alone trades" in told(traded).models[0].what


def test_what_is_held_over_night_is_told(open_position):
    open_position.morning(NEXT.day, ["correlation"] * 3)
    brief = told(open_position)
    assert brief.held == ("AAA/BBB long since Wed 25 Jan",)
    assert told(open_position, DAY).held == ()


def test_much_to_say_stays_on_a_screen(traded):
    states = [PairState.ACTIVE, PairState.PROBATION, PairState.RETIRED, PairState.CANDIDATE]
    configured(traded, *((f"A{n}/B{n}", states[n % 4], PairState.ACTIVE if n % 3 else None) for n in range(400)))
    lines = told(traded).text.splitlines()
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 80


def test_the_document_is_plain(traded):
    found = told(traded, DAY).document()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["may_enter"] == ["AAA/BBB"]
    assert found["risk"]["daily_loss"] == 2000.0
