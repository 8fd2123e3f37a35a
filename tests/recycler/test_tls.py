import json
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect

from tandem.cli.control import ask
from tandem.execution import at_recycler
from tandem.execution import connect as connect_desk
from tandem.execution.subscription import Listener, Subscription
from tandem.market import RecyclerError
from tandem.recycler import Launched
from tandem.recycler.tls import LIFE, Certificate

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_certificate_is_made_once_and_its_key_is_nobody_elses_business(tmp_path: Path) -> None:
    first = Certificate.self_signed(tmp_path, NOW)
    made = first.file.read_bytes()
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    assert Certificate.self_signed(tmp_path, NOW + timedelta(days=400)) == first
    assert first.file.read_bytes() == made


@pytest.mark.parametrize("spoil", ["it is about to end", "its key is another's", "it is no certificate"])
def test_a_certificate_that_is_no_good_is_made_anew(tmp_path: Path, spoil: str) -> None:
    first = Certificate.self_signed(tmp_path / "home", NOW)
    made = first.file.read_bytes()
    if spoil == "its key is another's":
        first.key.write_bytes(Certificate.self_signed(tmp_path / "other", NOW).key.read_bytes())
    elif spoil == "it is no certificate":
        first.file.write_text("nonsense")
    later = NOW + LIFE if spoil == "it is about to end" else NOW
    assert Certificate.self_signed(tmp_path / "home", later) == first
    assert first.file.read_bytes() != made
    Certificate.given(first.file, first.key)


def test_files_that_are_no_certificate_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecyclerError, match="are no certificate with its key"):
        Certificate.given(tmp_path / "missing.pem", tmp_path / "missing-key.pem")


def test_with_tls_everything_on_the_port_is_encrypted_and_trusted_by_its_certificate(
    start: Callable[..., Launched], tmp_path: Path
) -> None:
    recycler = start({"TANDEM_HOME": str(tmp_path)}, tls=True)
    file = tmp_path / "tls" / "recycler.pem"
    for host in ("localhost", "127.0.0.1"):
        status = requests.get(f"https://{host}:{recycler.port}/control/status", verify=str(file), timeout=5)
        assert status.json()["symbols"] == ["AAPL", "MSFT"]
    trusting = ssl.create_default_context(cafile=str(file))
    with connect(f"wss://localhost:{recycler.port}/v2/iex", ssl=trusting, proxy=None) as socket:
        assert json.loads(socket.recv(5)) == [{"T": "success", "msg": "connected"}]
    with pytest.raises(ssl.SSLError):
        connect(f"wss://localhost:{recycler.port}/v2/iex", ssl=ssl.create_default_context(), proxy=None)


def test_tandems_own_clients_trust_its_certificate_without_a_word(
    start: Callable[..., Launched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path))
    recycler = start(tls=True)
    for host in ("localhost", "127.0.0.1"):
        assert ask(f"wss://{host}:{recycler.port}")["symbols"] == ["AAPL", "MSFT"]
    origin = at_recycler(recycler.ws)
    assert not origin.time.moment().is_open
    assert str(origin.time.world()) == "recycler-1"
    with connect_desk(recycler.ws, "d", ["AAPL", "MSFT"], key_id="any", secret_key="any") as desk:
        desk.clock.wait_until(datetime(2023, 1, 4, 14, 31, tzinfo=UTC))
        assert len(desk.feed.take(desk.clock.now())) == 2
        assert desk.broker.account().cash == 100_000
    stream = Subscription(origin.stream, ["AAPL"], *origin.keys, Listener(lambda: None, lambda _: None, print))
    stream.open(5)
    stream.close()


def test_who_speaks_plainly_to_a_recycler_with_tls_is_told_its_address(
    start: Callable[..., Launched], tmp_path: Path
) -> None:
    recycler = start({"TANDEM_HOME": str(tmp_path)}, tls=True)
    with pytest.raises(RecyclerError, match=f"speaks TLS. Its address is wss://localhost:{recycler.port}"):
        ask(f"ws://localhost:{recycler.port}")


def test_who_speaks_tls_to_a_recycler_without_is_told_so(standing: Launched) -> None:
    with pytest.raises(RecyclerError, match="one without TLS is at ws://"):
        ask(f"wss://localhost:{standing.port}")


def test_the_users_own_certificate_is_used(start: Callable[..., Launched], tmp_path: Path) -> None:
    own = Certificate.self_signed(tmp_path, NOW)
    recycler = start(tls_cert=own.file, tls_key=own.key)
    answer = requests.get(f"https://localhost:{recycler.port}/control/status", verify=str(own.file), timeout=5)
    assert answer.ok
