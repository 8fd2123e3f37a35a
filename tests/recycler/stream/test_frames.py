import json
import zlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import Calendar, Timeframe
from tandem.matching import Columns, MinuteBars
from tandem.recycler.stream.daily import DailyBars
from tandem.recycler.stream.frames import BARS_PER_FRAME, Edition, Frame

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
SYMBOLS = ("AAPL", "IBM", "MSFT")


def columns(*rows: tuple[str, int, float], symbols: tuple[str, ...] = SYMBOLS, **changes: Any) -> Columns:
    """Bars of a symbol, so many minutes after the open, that close at a price."""
    close = np.array([price for *_, price in rows], dtype=float)
    starts = [int((OPEN + timedelta(minutes=minute)).timestamp()) * 1_000_000 for _, minute, _ in rows]
    columns: dict[str, Any] = {
        "open": close - 0.25,
        "high": close + 0.5,
        "low": close - 0.5,
        "close": close,
        "volume": np.full(len(rows), 100, np.int64),
        "trade_count": np.full(len(rows), 7, np.int64),
        "vwap": close + 0.125,
    }
    codes = np.array([symbols.index(symbol) for symbol, *_ in rows], np.int32)
    return Columns(symbols, codes, np.array(starts, np.int64), **columns | changes)


def minute(of: Columns) -> MinuteBars:
    return MinuteBars(of, 0, len(of))


def read(frames: list[Frame]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for frame in frames:
        messages += msgpack.unpackb(frame.payload) if frame.binary else json.loads(frame.payload)
    return messages


def test_a_bar_in_json_is_spelled_as_alpaca_spells_it() -> None:
    (frame,) = Edition(minute(columns(("AAPL", 0, 136.25)))).frames(False, "bars", None)
    assert frame.payload == (
        b'[{"T":"b","S":"AAPL","o":136,"h":136.75,"l":135.75,"c":136.25,"v":100,'
        b'"t":"2023-01-04T14:30:00Z","n":7,"vw":136.375}]'
    )


def test_a_bar_in_messagepack_begins_with_its_type_and_has_a_timestamp_of_extension_minus_one() -> None:
    (message,) = read(Edition(minute(columns(("AAPL", 0, 136.25)))).frames(True, "bars", None))
    assert list(message) == ["T", "S", "o", "h", "l", "c", "v", "t", "n", "vw"]
    assert isinstance(message["t"], msgpack.Timestamp)
    assert message["t"].to_datetime() == OPEN
    assert isinstance(message["v"], int)
    assert isinstance(message["n"], int)


@pytest.mark.parametrize("binary", [False, True])
def test_what_a_bar_does_not_know_is_there_and_null(binary: bool) -> None:
    bars = columns(("AAPL", 0, 1.5), ("IBM", 0, 2.5), trade_count=np.array([-1, 3]), vwap=np.array([2.25, np.nan]))
    one, other = read(Edition(minute(bars)).frames(binary, "bars", None))
    assert (one["n"], one["vw"]) == (None, 2.25)
    assert (other["n"], other["vw"]) == (3, None)


@pytest.mark.parametrize("binary", [False, True])
def test_a_spoilt_price_is_sent_as_it_is(binary: bool) -> None:
    bars = columns(("AAPL", 0, 1.5), high=np.array([np.inf]), low=np.array([-3.0]), open=np.array([np.nan]))
    (message,) = read(Edition(minute(bars)).frames(binary, "bars", None))
    assert message["l"] == -3
    assert message["h"] == (float("inf") if binary else None)


def test_what_several_clients_want_is_encoded_once() -> None:
    edition = Edition(minute(columns(("AAPL", 0, 1.5), ("IBM", 0, 2.5))))
    first = edition.frames(True, "bars", frozenset({"IBM"}))
    assert edition.frames(True, "bars", frozenset(["IBM"])) is first
    assert [message["S"] for message in read(first)] == ["IBM"]
    assert edition.printed == 1
    edition.frames(False, "bars", frozenset({"IBM"}))
    assert edition.printed == 2


def test_a_channel_without_news_has_no_frames() -> None:
    edition = Edition(minute(columns(("AAPL", 0, 1.5))))
    for channel in ("updatedBars", "dailyBars", "trades", "quotes"):
        assert edition.frames(True, channel, None) == []
    assert edition.frames(True, "bars", frozenset({"ZZZ"})) == []


def test_the_placeholder_plays_the_bars_of_another_symbol() -> None:
    edition = Edition(minute(columns(("AAPL", 0, 1.5), ("IBM", 0, 2.5))), placeholder="AAPL")
    (message,) = read(edition.frames(False, "bars", frozenset({"FAKEPACA"})))
    assert (message["S"], message["c"]) == ("FAKEPACA", 1.5)
    both = read(edition.frames(False, "bars", frozenset({"FAKEPACA", "*"})))
    assert [message["S"] for message in both] == ["AAPL", "IBM", "FAKEPACA"]
    assert [message["S"] for message in read(edition.frames(False, "bars", None))] == ["AAPL", "IBM"]


def test_revised_bars_have_their_own_times() -> None:
    revised = columns(("IBM", 1, 2.5), ("AAPL", 3, 1.5))
    edition = Edition(minute(columns(("AAPL", 4, 1.0))), revised=minute(revised))
    messages = read(edition.frames(False, "updatedBars", None))
    assert [(m["T"], m["S"], m["t"]) for m in messages] == [
        ("u", "IBM", "2023-01-04T14:31:00Z"),
        ("u", "AAPL", "2023-01-04T14:33:00Z"),
    ]


def test_made_up_trades_and_quotes_say_so_and_lie_within_their_bar() -> None:
    edition = Edition(minute(columns(("AAPL", 0, 100.0))), spread=0.0002)
    (trade,) = read(edition.frames(False, "trades", None))
    assert list(trade) == ["T", "S", "i", "x", "p", "s", "c", "t", "z"]
    assert (trade["T"], trade["p"], trade["s"], trade["c"]) == ("t", 100, 100, ["DERIVED"])
    assert trade["t"] == "2023-01-04T14:30:59.999999Z"
    (quote,) = read(edition.frames(True, "quotes", None))
    assert list(quote) == ["T", "S", "bx", "bp", "bs", "ax", "ap", "as", "c", "t", "z"]
    assert (quote["bp"], quote["ap"], quote["c"]) == (99.99, 100.01, ["DERIVED"])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 3 * BARS_PER_FRAME), st.booleans())
def test_frames_hold_every_bar_once_and_stay_far_below_a_mebibyte(count: int, binary: bool) -> None:
    symbols = tuple(f"S{number:05d}" for number in range(count))
    bars = columns(*((symbol, 0, 100.13) for symbol in symbols), symbols=symbols)
    frames = Edition(minute(bars)).frames(binary, "bars", None)
    assert [message["S"] for message in read(frames)] == list(symbols)
    assert all(0 < len(frame) < 500_000 for frame in frames)


@given(st.binary(max_size=70_000), st.booleans())
def test_both_forms_of_a_frame_are_one_websocket_message(payload: bytes, binary: bool) -> None:
    frame = Frame(payload, binary)
    assert _payload(frame.plain, 0x80 | (2 if binary else 1)) == payload
    squeezed = _payload(frame.deflated, 0xC0 | (2 if binary else 1))
    assert zlib.decompressobj(-15).decompress(squeezed + b"\x00\x00\xff\xff") == payload


def _payload(message: bytes, head: int) -> bytes:
    assert message[0] == head
    skip = {126: 4, 127: 10}.get(message[1], 2)
    length = message[1] if skip == 2 else int.from_bytes(message[2:skip])
    assert len(message) == skip + length
    return message[skip:]


def test_daily_bars_add_up_from_the_open_and_begin_at_midnight_in_new_york() -> None:
    session = Calendar().session(date(2023, 1, 4))
    of = columns(("AAPL", -1, 900.0), ("AAPL", 0, 10.0), ("IBM", 0, 20.0), ("AAPL", 1, 12.0), ("AAPL", 2, 11.0))
    daily = DailyBars(lambda moment: session if session and session.contains(moment) else None)
    assert daily.after(MinuteBars(of, 0, 1)) is None
    daily.after(MinuteBars(of, 1, 3))
    for first, last in ((3, 4), (4, 5)):
        so_far = daily.after(MinuteBars(of, first, last))
    assert so_far is not None
    (bar,) = so_far
    assert (bar.symbol, bar.open, bar.high, bar.low, bar.close) == ("AAPL", 9.75, 12.5, 9.5, 11.0)
    assert (bar.volume, bar.trade_count, bar.vwap, bar.timeframe) == (300, 21, 11.125, Timeframe.DAY_1)
    (message,) = read(Edition(minute(of), so_far).frames(False, "dailyBars", None))
    assert (message["T"], message["t"]) == ("d", "2023-01-04T05:00:00Z")


def test_daily_bars_asked_for_late_or_after_a_seek_are_those_of_somebody_who_was_there_all_along() -> None:
    session = Calendar().session(date(2023, 1, 4))
    of = columns(*((symbol, at, 10.0 + at * 7 % 5) for at in range(9) for symbol in SYMBOLS))
    minutes = [MinuteBars(of, first, first + 3) for first in range(0, 27, 3)]
    always, late = DailyBars(lambda _: session), DailyBars(lambda _: session)
    told = [list(always.after(minute) or ()) for minute in minutes]
    assert list(late.after(minutes[5]) or ()) == told[5]
    assert list(late.after(minutes[7]) or ()) == told[7]
    assert list(late.after(minutes[2]) or ()) == told[2]
