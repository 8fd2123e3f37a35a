import base64
from collections.abc import Callable

import pytest

from tandem.execution import at_recycler
from tandem.market import RecyclerError
from tandem.recycler import Launched
from tandem.recycler.keys import Keys


def test_any_pair_that_is_not_empty_is_let_in_where_none_is_set() -> None:
    assert Keys().accept("anything", "at all")
    assert not Keys().accept("", "secret")
    assert not Keys().accept("key", "")
    assert not Keys().accept(None, 3)


def test_only_the_pair_that_is_set_is_let_in() -> None:
    keys = Keys("K", "S")
    assert keys.accept("K", "S")
    assert not keys.accept("K", "s")
    assert not keys.accept("k", "S")


def test_headers_carry_a_pair_in_two_ways() -> None:
    keys = Keys("K", "S")
    basic = base64.b64encode(b"K:S").decode()
    assert keys.accept_headers({"apca-api-key-id": "K", "apca-api-secret-key": "S"})
    assert keys.accept_headers({"authorization": f"Basic {basic}"})
    for headers in ({}, {"apca-api-key-id": "K"}, {"authorization": "Basic !!"}, {"authorization": f"Bearer {basic}"}):
        assert not keys.accept_headers(headers)


def test_keys_come_from_the_environment_and_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_RECYCLER_KEY_ID", "visible-key")
    monkeypatch.setenv("TANDEM_RECYCLER_SECRET_KEY", "visible-secret")
    keys = Keys.from_environment()
    assert keys.accept("visible-key", "visible-secret")
    assert "visible" not in repr(keys)


def test_who_has_the_wrong_keys_is_told_which_variables_hold_them(start: Callable[..., Launched]) -> None:
    recycler = start({"TANDEM_RECYCLER_KEY_ID": "this", "TANDEM_RECYCLER_SECRET_KEY": "one"})
    with pytest.raises(RecyclerError) as refused:
        at_recycler(recycler.ws).time.moment()
    assert str(refused.value).endswith(". Set TANDEM_RECYCLER_KEY_ID and TANDEM_RECYCLER_SECRET_KEY.")
    assert ".." not in str(refused.value)
