"""The day's identification on the bars that ship with Tandem: what goes on record, and when it changes."""

from datetime import date, timedelta
from typing import Any

import pytest

from tandem.book import Mark
from tandem.config import Settings
from tandem.desk import (
    Identification,
    configuration_of,
    copy_plan,
    formation,
    identify_day,
    on_record,
    plan_of,
    prepare,
    refusal_of,
)
from tandem.desk.identification import symbols_of
from tandem.market import Calendar, DataError, Pair, Refusal, Session, Timeframe, WorldKind, resample
from tandem.screening import Funnel, PairLife, PairState, PairTable, Passport
from tandem.sources import samples
from tandem.store import MemoryFacts, Panel, Record, Store, Tracking

SYMBOLS = ["AAPL", "IBM", "MSFT", "NVDA"]
CHOSEN = Pair("AAPL", "NVDA")


def settings_of(**screen: Any) -> Settings:
    model = {"timeframe": "5Min", "min_data_points": 400, "epochs": 1}
    return Settings.model_validate({"screen": {"formation_days": 7, **screen}, "model": model})


SETTINGS = settings_of()


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


# AAPL/NVDA passes on the 25th and on the 27th, and fails on the 26th.
WEDNESDAY, THURSDAY, FRIDAY = (session_of(date(2023, 1, day)) for day in (25, 26, 27))

FIRST = Calendar().before(WEDNESDAY.day, 7)[0]


@pytest.fixture(scope="module")
def january(module_store: Store) -> Store:
    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    module_store.bars.load(bars, timeframe=Timeframe.MIN_5, source="sample")
    sectors = samples.sectors()
    module_store.sectors.load(sectors[sectors["symbol"].isin(SYMBOLS)].assign(source="sample"))
    return module_store


@pytest.fixture
def facts(january: Store) -> MemoryFacts:
    return MemoryFacts(january.new_world(WorldKind.BACKTEST))


def state_of(found: Identification, pair: Pair = CHOSEN) -> PairState | None:
    configured = found.configuration.of(pair)
    return configured.life.state if configured else None


def test_everything_is_on_record_and_read_again_as_it_was(january: Store, facts: MemoryFacts) -> None:
    found = identify_day(january, facts, WEDNESDAY, SETTINGS)
    assert [str(passport.pair) for passport in found.passports] == ["AAPL/NVDA"]
    assert [record.body for record in facts.read(Passport)] == list(found.passports)
    assert [record.body for record in facts.read(Funnel)] == [found.funnel]
    assert configuration_of(facts, WEDNESDAY.day) == found.configuration
    assert PairTable.from_bytes(january.blobs.get(found.configuration.screen)) == found.table
    assert facts.read(Refusal) == []  # 4.5 million of them would not be facts


def test_a_bar_before_the_open_of_that_morning_changes_nothing(store: Store) -> None:
    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    early = bars[bars["symbol"] == "AAPL"].head(1)
    early = early.assign(start=early["start"] + (WEDNESDAY.morning - early["start"].iloc[0]) - timedelta(hours=1))
    for some in (bars, early):
        store.bars.load(some, timeframe=Timeframe.MIN_5, source="sample")
    window = bars[(bars["start"] >= FIRST.open) & (bars["start"] < WEDNESDAY.morning)]
    assert formation(store, SYMBOLS, WEDNESDAY, SETTINGS).version == Panel.of(window, Timeframe.MIN_5).version


def test_the_same_bars_and_settings_change_nothing(january: Store, facts: MemoryFacts) -> None:
    first = identify_day(january, facts, WEDNESDAY, SETTINGS)
    again = identify_day(january, facts, WEDNESDAY, settings_of(threads=1))  # how it is done does not decide
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.configuration, again.passports, again.funnel) == (
        first.configuration,
        first.passports,
        first.funnel,
    )
    assert len(facts.read(Funnel)) == 1


def test_other_settings_make_the_next_version_and_leave_the_first_alone(january: Store, facts: MemoryFacts) -> None:
    first = identify_day(january, facts, WEDNESDAY, SETTINGS)
    other = identify_day(january, facts, WEDNESDAY, settings_of(min_correlation=0.99))
    assert other.is_new
    assert (first.configuration.version, other.configuration.version) == (1, 2)
    assert configuration_of(facts, WEDNESDAY.day) == other.configuration
    assert configuration_of(facts, WEDNESDAY.day, 1) == first.configuration


def test_a_trial_leaves_no_trace(january: Store, facts: MemoryFacts) -> None:
    found = identify_day(january, facts, WEDNESDAY, SETTINGS, record=False)
    assert found.passports
    assert configuration_of(facts, WEDNESDAY.day) is None
    assert facts.read(Passport) == []


def test_a_pair_that_fails_is_on_probation_and_one_that_passes_again_is_active(
    january: Store, facts: MemoryFacts
) -> None:
    states = [state_of(identify_day(january, facts, each, SETTINGS)) for each in (WEDNESDAY, THURSDAY, FRIDAY)]
    assert states == [PairState.ACTIVE, PairState.PROBATION, PairState.ACTIVE]
    lives = [record.body for record in facts.read(PairLife)]
    assert [(life.before, life.state) for life in lives] == [
        (None, PairState.ACTIVE),
        (PairState.ACTIVE, PairState.PROBATION),
        (PairState.PROBATION, PairState.ACTIVE),
    ]
    configured = configuration_of(facts, THURSDAY.day)
    assert configured is not None
    assert configured.pairs[0].exits_only is not None
    assert lives[1].why in configured.pairs[0].exits_only.why


def test_a_second_version_of_a_morning_is_no_second_morning(january: Store, facts: MemoryFacts) -> None:
    settings = settings_of(life={"candidate_mornings": 1})
    assert state_of(identify_day(january, facts, WEDNESDAY, settings)) is PairState.CANDIDATE
    other = settings_of(life={"candidate_mornings": 1}, min_score=0.71)
    assert state_of(identify_day(january, facts, WEDNESDAY, other)) is PairState.CANDIDATE


def test_a_candidate_is_not_traded(january: Store, facts: MemoryFacts) -> None:
    morning = prepare(january, facts, WEDNESDAY, settings_of(life={"candidate_mornings": 1}), None)
    assert morning is not None
    assert morning.identification.passports
    assert morning.plan.models == {}


def test_the_plan_follows_what_was_identified_by_hand(january: Store, facts: MemoryFacts) -> None:
    by_hand = identify_day(january, facts, WEDNESDAY, settings_of(min_correlation=0.999999))
    morning = prepare(january, facts, WEDNESDAY, SETTINGS, None)
    assert morning is not None
    assert morning.identification.configuration == by_hand.configuration
    assert morning.plan.models == {}


def test_a_later_version_counts_until_the_session_has_begun(january: Store, facts: MemoryFacts) -> None:
    assert prepare(january, facts, WEDNESDAY, SETTINGS, None) is not None
    identify_day(january, facts, WEDNESDAY, settings_of(min_score=0.71))
    second = prepare(january, facts, WEDNESDAY, SETTINGS, None)
    assert second is not None
    assert second.plan.version == 2
    facts.append(Record(Mark(*[0] * 5), WEDNESDAY.day, WEDNESDAY.open, "mark.1"))  # type: ignore[arg-type]
    identify_day(january, facts, WEDNESDAY, settings_of(min_score=0.72))
    assert prepare(january, facts, WEDNESDAY, SETTINGS, None) is None
    assert plan_of(facts, WEDNESDAY.day) == second.plan


def test_another_world_can_go_on_by_the_same_identification(january: Store, facts: MemoryFacts) -> None:
    found = identify_day(january, facts, WEDNESDAY, SETTINGS)
    other = MemoryFacts(january.new_world(WorldKind.SHADOW))
    copy_plan(facts, other, WEDNESDAY)
    morning = prepare(january, other, WEDNESDAY, SETTINGS, None)
    assert morning is not None
    assert morning.identification.configuration == found.configuration


def test_mlflow_that_is_away_is_on_record_and_the_identification_counts(january: Store, facts: MemoryFacts) -> None:
    from pathlib import Path

    away = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", Path())
    found = identify_day(january, facts, WEDNESDAY, SETTINGS, tracking=away)
    assert found.untracked is not None
    assert found.runs == {}
    assert [record.body for record in facts.read(Refusal)] == [found.untracked]
    assert configuration_of(facts, WEDNESDAY.day) == found.configuration


def test_a_pair_without_bars_has_a_reason_too(january: Store, facts: MemoryFacts) -> None:
    table = identify_day(january, facts, WEDNESDAY, SETTINGS).table
    assert refusal_of(table, CHOSEN) is None
    refused = refusal_of(table, Pair("AAPL", "IBM"))
    assert refused is not None
    assert refused.reason == "correlation"
    gone = refusal_of(table, Pair("AAPL", "ZZZ"))
    assert gone is not None
    assert (gone.reason, gone.why) == ("data quality", "a leg has no bars in the window")


@pytest.fixture
def other_bars(january: Store) -> Settings:
    """Settings of a screen on 15-minute bars, that nothing passes."""
    bars = resample(samples.minute_bars(), Timeframe.MIN_15)
    january.bars.load(bars, timeframe=Timeframe.MIN_15, source="sample")
    made = settings_of(min_correlation=0.999999, min_bars=50)
    return made.model_copy(update={"model": made.model.model_copy(update={"timeframe": Timeframe.MIN_15})})


def test_a_screen_of_other_bars_leaves_a_pair_as_it_is_and_does_not_let_it_be_entered(
    january: Store, facts: MemoryFacts, other_bars: Settings
) -> None:
    first = identify_day(january, facts, WEDNESDAY, SETTINGS).configuration.of(CHOSEN)
    second = identify_day(january, facts, THURSDAY, other_bars)
    left = second.configuration.of(CHOSEN)
    assert first is not None
    assert left is not None
    assert (left.life.state, left.life.has_changed, left.entries) == (PairState.ACTIVE, False, False)
    assert (left.passport, left.timeframe) == (first.passport, Timeframe.MIN_5)
    assert left.life.why == "not looked at this morning: it was found on 5Min bars, the screen was of 15Min"
    assert second.configuration.changes == ()
    assert on_record(january, facts, second.configuration).passports == ()
    third = identify_day(january, facts, FRIDAY, SETTINGS).configuration.of(CHOSEN)
    assert third is not None
    assert third.entries


def test_a_screen_of_another_sector_leaves_a_pair_as_it_is(january: Store, facts: MemoryFacts) -> None:
    identify_day(january, facts, WEDNESDAY, SETTINGS)
    sectors = january.sectors.all()
    others = sectors.assign(
        sector=["technology" if symbol in ("AAPL", "IBM") else "energy" for symbol in sectors["symbol"]]
    )
    january.sectors.load(others)
    try:
        left = identify_day(january, facts, THURSDAY, SETTINGS).configuration.of(CHOSEN)
    finally:
        january.sectors.load(sectors)
    assert left is not None
    assert (left.life.state, left.life.why) == (PairState.ACTIVE, "not looked at this morning: energy was not screened")


def test_a_pair_beyond_the_most_is_a_candidate(january: Store, facts: MemoryFacts) -> None:
    wide = {
        "min_correlation": -1,
        "max_pvalue": 0.9999,
        "min_score": 0,
        "max_half_life_share": 1,
        "min_diagnostic_p": 0,
    }
    loose = settings_of(min_hedge_ratio=-100, max_hedge_ratio=100, max_pairs=1, **wide)
    found = identify_day(january, facts, WEDNESDAY, loose)
    assert len(found.passports) > 1
    first, second = found.configuration.pairs[:2]
    assert (first.entries, second.entries) == (True, False)
    assert (second.life.state, second.life.why) == (
        PairState.CANDIDATE,
        "passed, but ranked 2nd, screen.max_pairs is 1",
    )
    unlimited = identify_day(
        january,
        facts,
        WEDNESDAY,
        loose.model_copy(update={"screen": loose.screen.model_copy(update={"max_pairs": None})}),
    )
    assert all(each.entries for each in unlimited.configuration.pairs)


def test_a_length_of_which_nothing_is_stored_names_those_there_are(january):
    settings = Settings.model_validate({"model": {"timeframe": "1Hour"}})
    with pytest.raises(DataError, match=r"no 1Hour bars are stored\. Load some, or take --timeframe: (1|5|15)Min"):
        symbols_of(january, settings)


def test_where_nothing_is_stored_at_all_it_is_said_what_brings_some(store):
    settings = Settings.model_validate({"model": {"timeframe": "15Min"}})
    with pytest.raises(DataError, match=r"no 15Min bars are stored\. `tandem data load samples` brings a month"):
        symbols_of(store, settings)
