import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.recycler.stream.wire import ERRORS, Encoding, InvalidSyntax, error, success

JSON, PACKED = Encoding(False), Encoding(True)


def test_control_messages_come_alone_in_their_array() -> None:
    assert success("connected") == [{"T": "success", "msg": "connected"}]
    assert error(402) == [{"T": "error", "code": 402, "msg": "auth failed"}]


def test_every_error_has_alpacas_text() -> None:
    assert list(ERRORS) == [*range(400, 412), 500]
    assert ERRORS[405] == "symbol limit exceeded"
    assert ERRORS[406] == "connection limit exceeded"


def test_a_frame_says_the_same_as_its_encoding() -> None:
    for encoding in (JSON, PACKED):
        frame, encoded = encoding.frame(error(402)), encoding.encode(error(402))
        assert frame.binary == encoding.binary
        assert frame.payload == (encoded if isinstance(encoded, bytes) else encoded.encode())


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
