import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tandem.recycler import Launched

KEYS = {"APCA-API-KEY-ID": "any", "APCA-API-SECRET-KEY": "any"}
ELSEWHERE = [
    {"Origin": "https://example.com"},
    {"Origin": "null"},
    {"Origin": "http://localhost.example.com"},
    {"Host": "example.com"},
    {"Host": "example.com:8765"},
    {"Host": "localhost.example.com:8765"},
    {"Host": "[::1"},
]
HERE = [
    {},
    {"Host": "localhost"},
    {"Host": "LOCALHOST:1"},
    {"Host": "[::1]:8765"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1:3000"},
]


@pytest.mark.parametrize("path", ["/v2/account", "/v2/stocks/bars/latest?symbols=AAPL", "/control/status"])
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_pages_of_elsewhere_are_refused(standing: Launched, path: str, headers: dict[str, str]) -> None:
    answer = requests.get(standing.http + path, headers=KEYS | headers, timeout=5)
    assert answer.status_code == 403
    assert "recycler answers" in answer.json()["message"]


@pytest.mark.parametrize("headers", HERE)
def test_programs_and_pages_of_this_machine_are_answered(standing: Launched, headers: dict[str, str]) -> None:
    assert requests.get(standing.http + "/v2/account", headers=KEYS | headers, timeout=5).ok


@pytest.mark.parametrize("path", ["/v2/iex", "/stream"])
def test_pages_of_elsewhere_get_no_socket(standing: Launched, path: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), connect(standing.ws + path, origin="https://example.com"):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("path", ["/v2/iex", "/stream"])
@pytest.mark.parametrize("origin", [None, "http://localhost:3000"])
def test_sockets_of_this_machine_are_taken(standing: Launched, path: str, origin: str | None) -> None:
    with connect(standing.ws + path, origin=origin):  # type: ignore[arg-type]
        pass
