import json
from datetime import UTC, datetime

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import Bar
from tandem.recycler.wire import Encoding, InvalidSyntax, bar_message, batches, error, success

BAR = Bar(
    "AAPL", datetime(2023, 1, 4, 14, 30, tzinfo=UTC), 136.0, 136.5, 135.0, 136.25, 205, trade_count=16, vwap=133.7
)
JSON, PACKED = Encoding(False), Encoding(True)


def test_a_bar_in_json_is_spelled_as_alpaca_spells_it() -> None:
    assert JSON.encode([bar_message(BAR)]) == (
        '[{"T":"b","S":"AAPL","o":136,"h":136.5,"l":135,"c":136.25,"v":205,"t":"2023-01-04T14:30:00Z","n":16,"vw":133.7}]'
    )


def test_a_bar_in_messagepack_begins_with_its_type_and_has_a_timestamp_of_extension_minus_one() -> None:
    (message,) = msgpack.unpackb(PACKED.encode([bar_message(BAR)]))
    assert list(message) == ["T", "S", "o", "h", "l", "c", "v", "t", "n", "vw"]
    assert isinstance(message["t"], msgpack.Timestamp)
    assert message["t"].to_datetime() == BAR.start
    assert isinstance(message["v"], int)
    assert isinstance(message["n"], int)


def test_what_a_bar_does_not_know_is_there_and_null() -> None:
    message = bar_message(Bar("A", BAR.start, 1.5, 1.5, 1.5, 1.5, 0))
    assert message["n"] is None
    assert message["vw"] is None


def test_control_messages_come_alone_in_their_array() -> None:
    assert success("connected") == [{"T": "success", "msg": "connected"}]
    assert error(402) == [{"T": "error", "code": 402, "msg": "auth failed"}]


@settings(deadline=None)
@given(st.integers(0, 7_000))
def test_batches_hold_every_bar_once_and_stay_far_below_a_mebibyte(count: int) -> None:
    frames = list(batches([BAR] * count))
    assert sum(map(len, frames)) == count
    assert all(0 < len(PACKED.encode(frame)) < 500_000 for frame in frames)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.lists(st.text(max_size=5)), max_size=4))
def test_a_message_is_read_in_the_encoding_of_its_connection(message: dict[str, object]) -> None:
    assert JSON.decode(json.dumps(message)) == message
    assert JSON.decode(json.dumps(message).encode()) == message
    if all(map(_fits, message.values())):
        assert PACKED.decode(msgspec.msgpack.encode(message)) == message


def _fits(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**64


@pytest.mark.parametrize("frame", [b"", b"\xc1", "not json", "[]", '"text"', b"\xff\xfe"])
def test_a_frame_that_is_no_map_is_invalid_syntax(frame: bytes | str) -> None:
    with pytest.raises(InvalidSyntax):
        JSON.decode(frame)
    with pytest.raises(InvalidSyntax):
        PACKED.decode(frame)
