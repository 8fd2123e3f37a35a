from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tandem.config import RiskSettings
from tandem.market import Pair, Refusal, Side
from tandem.risk import Intent, Room, room_for, size_entry
from tandem.rules import Action
from tandem.signals import Signal

DAY = date(2023, 1, 25)
RISK = RiskSettings()
WIDE = Room(1e9, 1e9, 1e9, 1e9)
ENTRIES = st.sampled_from([Action.ENTER_LONG, Action.ENTER_SHORT])


def signal(
    action: Action = Action.ENTER_LONG,
    a: float = 140.0,
    b: float = 190.0,
    volatility: float = 0.01,
    confidence: float = 0.8,
) -> Signal:
    return Signal(
        Pair("AAPL", "NVDA"),
        action,
        "z 2.1",
        2.1,
        0.02,
        0.7,
        confidence,
        0.001,
        1e-6,
        volatility,
        None,
        "baseline",
        a,
        b,
    )


def sized(found: Intent | Refusal) -> Intent:
    assert isinstance(found, Intent), found
    return found


def test_the_dollars_of_leg_a_are_the_volatility_target_over_the_forecast_times_confidence() -> None:
    found = sized(size_entry(signal(), 0.8, WIDE, DAY, RISK))  # 200 / 0.01 * 0.8 = 16,000 dollars of a
    assert found.qty_b == 67  # 12,800 dollars at 190
    assert float(found.qty_a) * 140 * 0.8 == pytest.approx(67 * 190)
    assert (found.side_a, found.side_b, found.direction) == (Side.BUY, Side.SELL, 1)


def test_short_the_spread_sells_whole_shares_of_a_and_buys_fractions_of_b() -> None:
    found = sized(size_entry(signal(Action.ENTER_SHORT), 0.8, WIDE, DAY, RISK))
    assert found.qty_a == 114  # 16,000 dollars at 140
    assert float(found.qty_b) == pytest.approx(114 * 140 * 0.8 / 190, abs=1e-8)
    assert (found.side_a, found.side_b, found.direction) == (Side.SELL, Side.BUY, -1)


def test_twice_the_volatility_is_half_the_size_and_half_the_confidence_too() -> None:
    whole = sized(size_entry(signal(volatility=0.001), 1.0, WIDE, DAY, RISK))
    calm = sized(size_entry(signal(volatility=0.002), 1.0, WIDE, DAY, RISK))
    unsure = sized(size_entry(signal(volatility=0.001, confidence=0.4), 1.0, WIDE, DAY, RISK))
    assert whole.qty_b == 842  # 160,000 dollars at 190
    assert calm.qty_b == unsure.qty_b == 421


def test_no_confidence_is_no_trade() -> None:
    refused = size_entry(signal(confidence=0.0), 1.0, WIDE, DAY, RISK)
    assert isinstance(refused, Refusal)
    assert refused.reason == "too small"


@pytest.mark.parametrize("cap", ["pair", "sector", "gross", "buying_power"])
@pytest.mark.parametrize("left", [0.0, -5_000.0, 100.0])
def test_without_room_for_a_share_the_pair_is_refused(cap: str, left: float) -> None:
    room = replace(WIDE, **{cap: left})
    refused = size_entry(signal(), 1.0, room, DAY, RISK)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.by) == ("too small", "risk")


def test_a_hedge_that_rounding_misses_is_refused() -> None:
    strict = RISK.model_copy(update={"max_hedge_error": 0.0})
    refused = size_entry(signal(a=140.37, b=191.13), 0.777, WIDE, DAY, strict)
    assert isinstance(refused, Refusal)
    assert refused.reason == "hedge error"


def test_an_intent_carries_what_the_trade_will_live_by() -> None:
    found = sized(size_entry(signal(), 1.0, WIDE, DAY, RISK))
    assert (found.purpose, found.why, found.stopped, found.passport) == ("enter", "z 2.1", False, DAY)
    assert (found.z, found.spread, found.residual, found.variance) == (2.1, 0.02, 0.001, 1e-6)


@settings(deadline=None)
@given(
    action=ENTRIES,
    a=st.floats(1, 2_000),
    b=st.floats(1, 2_000),
    hedge=st.floats(0.1, 10),
    volatility=st.floats(1e-4, 0.1),
    confidence=st.floats(0, 1),
    room=st.builds(Room, *[st.floats(-10_000, 200_000)] * 4),
)
def test_size_stays_within_every_cap_the_hedge_within_its_error_and_the_short_leg_in_whole_shares(
    action: Action, a: float, b: float, hedge: float, volatility: float, confidence: float, room: Room
) -> None:
    found = size_entry(signal(action, a, b, volatility, confidence), hedge, room, DAY, RISK)
    if isinstance(found, Refusal):
        return
    dollars_a, dollars_b = float(found.qty_a) * a, float(found.qty_b) * b
    assert dollars_a + dollars_b <= room.dollars + 0.01
    assert abs(dollars_b / (dollars_a * hedge) - 1) <= RISK.max_hedge_error
    short = found.qty_b if action is Action.ENTER_LONG else found.qty_a
    assert short == short.to_integral_value()
    assert min(found.qty_a, found.qty_b) > 0
    wanted, share = (
        RISK.pair_volatility_target / volatility * confidence,
        b / hedge if action is Action.ENTER_LONG else a,
    )
    assert dollars_a <= wanted + share / 2 + 0.01
    assert found.gross == pytest.approx(Decimal(dollars_a + dollars_b), rel=Decimal("0.0001"))
    assert {found.side_a, found.side_b} == {Side.BUY, Side.SELL}


@settings(deadline=None)
@given(hedge=st.floats(0.1, 10), volatility=st.floats(1e-4, 0.1), more=st.floats(1, 10), action=ENTRIES)
def test_a_wilder_spread_never_gets_more(hedge: float, volatility: float, more: float, action: Action) -> None:
    calm = size_entry(signal(action, volatility=volatility), hedge, WIDE, DAY, RISK)
    wild = size_entry(signal(action, volatility=volatility * more), hedge, WIDE, DAY, RISK)
    assume(isinstance(calm, Intent) and isinstance(wild, Intent))
    assert sized(wild).gross <= sized(calm).gross


def test_room_is_what_the_caps_leave_of_equity() -> None:
    room = room_for(Decimal(100_000), Decimal(150_000), Decimal(20_000), Decimal(60_000), RISK)
    assert (room.pair, room.sector, room.gross, room.buying_power) == (25_000, 30_000, 40_000, 150_000)
    assert room.dollars == 25_000
