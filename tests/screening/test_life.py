"""Candidate, active, probation, retired: a table of mornings, and what holds whatever the mornings bring."""

import pytest
from hypothesis import settings as tries
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tandem.config import LifeSettings
from tandem.market import Pair, Refusal
from tandem.screening import PairLife, PairState, next_morning, not_looked_at

PAIR = Pair("AAA", "BBB")
FAILED = Refusal("cointegration", "p 0.2000 is not below 0.05", "screening")
STATES = {"c": PairState.CANDIDATE, "a": PairState.ACTIVE, "p": PairState.PROBATION, "r": PairState.RETIRED, ".": None}


def lived(mornings: str, candidate: int = 0, probation: int = 3, held: str = "") -> str:
    """Letters of the states after mornings of `+` (passed) and `-` (failed); `held` marks mornings with a position."""
    life: PairLife | None = None
    letters = {state: letter for letter, state in STATES.items()}
    states = ""
    for place, outcome in enumerate(mornings):
        settings = LifeSettings(candidate_mornings=candidate, probation_mornings=probation)
        refusal = None if outcome == "+" else FAILED
        life = next_morning(PAIR, life, refusal, settings, held=held[place : place + 1] == "h")
        states += letters[life.state if life else None]
    return states


@pytest.mark.parametrize(
    ("mornings", "states"),
    [
        ("+", "a"),
        ("-", "."),
        ("++", "aa"),
        ("+-", "ap"),
        ("+-+", "apa"),
        ("+---", "appp"),
        ("+----", "apppr"),
        ("+--+--", "appapp"),
        ("+----+", "apppra"),
    ],
)
def test_a_pair_that_fails_has_three_mornings_to_recover(mornings: str, states: str) -> None:
    assert lived(mornings) == states


@pytest.mark.parametrize(
    ("mornings", "states"), [("+", "c"), ("+++", "cca"), ("++-", "ccr"), ("++-+++", "ccrcca"), ("+++-+", "ccapa")]
)
def test_a_candidate_has_to_pass_in_a_row(mornings: str, states: str) -> None:
    assert lived(mornings, candidate=2) == states


def test_without_probation_the_first_failure_retires() -> None:
    assert lived("+-+", probation=0) == "ara"


@pytest.mark.parametrize(
    ("mornings", "held", "states"),
    [("+-----", " hhhh ", "appppr"), ("+--", " h ", "apr"), ("-", "h", "p"), ("--", "h ", "pr"), ("+-", " h", "ap")],
)
def test_a_pair_that_is_held_is_not_retired_before_it_is_closed(mornings: str, held: str, states: str) -> None:
    assert lived(mornings, probation=1, held=held) == states


def test_the_reason_is_the_gates_and_says_how_long() -> None:
    settings = LifeSettings(candidate_mornings=1, probation_mornings=1)
    first = next_morning(PAIR, None, None, settings)
    assert first is not None
    assert first.why == "passed every gate; 1 morning to go"
    active = next_morning(PAIR, first, None, settings)
    assert active is not None
    assert active.why == "passed every gate 2 mornings in a row"
    probation = next_morning(PAIR, active, FAILED, settings)
    assert probation is not None
    assert probation.why == "refused at cointegration: p 0.2000 is not below 0.05"
    held = next_morning(PAIR, probation, FAILED, settings, held=True)
    assert held is not None
    assert held.why.endswith("; held, so not retired yet")
    retired = next_morning(PAIR, probation, FAILED, settings)
    assert retired is not None
    assert retired.why.endswith("; 1 morning on probation before")


@pytest.mark.parametrize("mornings", ["+", "++", "-+"])
def test_a_pair_that_better_ones_crowd_out_is_a_candidate_until_there_is_room(mornings: str) -> None:
    settings = LifeSettings(candidate_mornings=2)
    life: PairLife | None = PairLife(PAIR, PairState.ACTIVE, None, 0, "")
    for outcome in mornings:
        life = next_morning(PAIR, life, None if outcome == "+" else FAILED, settings, crowded_out="ranked 51st")
    assert life is not None
    assert (life.state, life.why) == (PairState.CANDIDATE, "passed, but ranked 51st")
    room = next_morning(PAIR, life, None, settings)
    assert room is not None
    assert room.state is PairState.ACTIVE


@pytest.mark.parametrize("state", list(PairState))
def test_a_morning_that_does_not_look_changes_nothing(state: PairState) -> None:
    before = PairLife(PAIR, state, PairState.CANDIDATE, 2, "as it was")
    after = not_looked_at(PAIR, before, "energy was screened")
    assert (after.state, after.mornings, after.has_changed, after.why) == (state, 2, False, "energy was screened")
    assert not_looked_at(PAIR, None, "").state is PairState.PROBATION


class AnyMornings(RuleBasedStateMachine):
    """Mornings in any order, with and without a position, under any settings."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = LifeSettings()
        self.life: PairLife | None = None
        self.passes = self.failures = 0
        self.held = False

    @initialize(candidate=st.integers(0, 3), probation=st.integers(0, 3))
    def begin(self, candidate: int, probation: int) -> None:
        self.settings = LifeSettings(candidate_mornings=candidate, probation_mornings=probation)

    @rule(passed=st.booleans(), held=st.booleans())
    def morning(self, passed: bool, held: bool) -> None:
        self.held = held
        before, refusal = self.life, None if passed else FAILED
        self.life = next_morning(PAIR, before, refusal, self.settings, held=held)
        self.passes = self.passes + 1 if passed else 0
        standing = self.life is not None and self.life.state is not PairState.RETIRED
        self.failures = self.failures + 1 if standing and not passed else 0
        if self.life is not None:
            assert self.life.before is (before.state if before else None)

    @invariant()
    def only_an_active_pair_may_be_entered(self) -> None:
        if self.life is not None:
            assert self.life.may_enter == (self.life.state is PairState.ACTIVE)
            assert not (self.life.may_enter and self.failures)

    @invariant()
    def a_held_pair_is_never_dropped(self) -> None:
        if self.held:
            assert self.life is not None
            assert self.life.state is not PairState.RETIRED

    @invariant()
    def enough_passes_make_it_active_and_enough_failures_end_it(self) -> None:
        if self.passes > self.settings.candidate_mornings:
            assert self.life is not None
            assert self.life.state is PairState.ACTIVE
        if self.failures > self.settings.probation_mornings + 1:
            assert self.held


TestAnyMornings = AnyMornings.TestCase
TestAnyMornings.settings = tries(max_examples=60, stateful_step_count=20, deadline=None)
