"""Addresses, the file, and what becomes of a message at a target."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tandem.config import Settings
from tandem.market import ConfigError, World, WorldKind
from tandem.operations.alerts import target as module
from tandem.operations.alerts.message import Wishes, trial_message
from tandem.operations.alerts.target import Target, alert_targets, to_file

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it

WORLD = World(WorldKind.PAPER, 3)
MESSAGE = trial_message(datetime(2023, 1, 25, 17, tzinfo=UTC))


def targets(given: str, **alerts: object) -> dict[str, Target]:
    settings = Settings.model_validate({"home": "/nowhere", "alerts": {"targets": given, **alerts}})
    return {target.name: target for target in alert_targets(settings, lambda: WORLD)}


def test_the_file_is_always_a_target_and_is_told_everything_at_any_hour() -> None:
    (only,) = alert_targets(Settings(), lambda: WORLD)
    assert only.wishes == Wishes("file", "info", escalates=False, sleeps=False)


def test_a_comma_within_an_address_is_the_address_own() -> None:
    found = targets("a=mailto://u:p@example.org?to=x@example.org,y@example.org, b=json://localhost\nc=json://localhost")
    assert list(found) == ["file", "a", "b", "c"]


def test_a_target_is_told_from_warnings_on_unless_it_is_named_otherwise_or_for_escalation_alone() -> None:
    given = "a=json://localhost,b=json://localhost,c=json://localhost,d=json://localhost"
    found = targets(given, severities={"b": "info", "d": "critical"}, escalation=["c", "d"])
    wishes = {name: (each.wishes.at_least, each.wishes.escalates) for name, each in found.items() if name != "file"}
    assert wishes == {"a": ("warning", False), "b": ("info", False), "c": (None, True), "d": ("critical", True)}


def test_the_name_of_the_file_is_taken() -> None:
    with pytest.raises(ConfigError, match="file stands twice or is Tandem's own file"):
        targets("file=json://localhost")


def test_the_file_has_a_line_for_each_alert_and_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "new" / "alerts.jsonl"
    send = to_file(path, lambda: WORLD)
    assert [send(MESSAGE), send(MESSAGE)] == ["", ""]
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == second
    assert (first["time"], first["world"], first["rule"]) == ("2023-01-25T12:00:00-05:00", "paper-3", "test")


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").mkdir()
    assert to_file(tmp_path / "alerts.jsonl", lambda: WORLD)(MESSAGE).endswith("cannot be written: Is a directory")


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_target_that_never_answers_is_given_up_after_a_while(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    why = targets(f"slow=json://127.0.0.1:{silent}/swordfish")["slow"].send(MESSAGE)
    assert why
    assert "swordfish" not in why


def test_what_one_target_complains_of_is_not_said_of_another(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.3)
    found = targets(f"slow=json://127.0.0.1:{silent}/, shut=xml://127.0.0.1:1/")
    said: dict[str, str] = {}

    def tell(name: str) -> None:
        said[name] = found[name].send(MESSAGE)

    threads = [threading.Thread(target=tell, args=[name]) for name in ("slow", "shut")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert "JSON" in said["slow"]
    assert "XML" not in said["slow"]
    assert "XML" in said["shut"]


@pytest.fixture
def heard() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server's host and port, and what it was sent."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", bodies
        server.shutdown()


def test_a_text_is_text_to_every_target_and_never_tags(heard: tuple[str, list[dict[str, Any]]]) -> None:
    text, (host, bodies) = "<class 'int'> & None", heard
    for target in targets(f"plain=json://{host}/, page=json://{host}/?format=html").values():
        if target.name != "file":
            assert target.send(replace(MESSAGE, text=text)) == ""
    plain, page = (body["message"] for body in bodies)
    assert plain == text
    assert "<class" not in page
    assert unescape(page).replace("\xa0", " ") == text
