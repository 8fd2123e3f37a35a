"""Logs: one JSON object a line, what it is about, and no planted secret."""

import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from pydantic import SecretStr

from tandem.config import Settings
from tandem.operations.logs import Redactor, about, configure_logs, parts_of, secrets_of

PLANTED = {
    "TANDEM_ALPACA__SECRET_KEY": 'pl"nted\\ 1',
    "TANDEM_DATABASE_URL": "postgresql://me:planted%402@db.example/tandem?options=planted3",
    "TANDEM_ALERTS__TARGETS": "chat=tgram://planted4:AA/planted5, mail=mailto://me:planted6@example.org?to=planted7",
    "TANDEM_RECYCLER_TOKEN": "planted8",
    "TANDEM_SERVE__TOKEN": "planted9 ünd länger",
}
MARKS = ['pl"nted', 'pl\\\\\\"nted', "planted", "l\\u00e4nger", "länger"]
TELL = """
import logging, os, structlog
from tandem.config import load
from tandem.operations.logs import about, configure_logs, secrets_of
settings = load()
configure_logs("session", secrets_of(settings, os.environ))
secrets = [settings.alpaca.secret_key.get_secret_value(), settings.database_url.get_secret_value()]
secrets += [settings.serve.token.get_secret_value(), os.environ["TANDEM_RECYCLER_TOKEN"]]
secrets += settings.alerts.targets.get_secret_value().split(", ") + ["planted@2", "planted4:AA", "planted6", "planted7"]
log = structlog.get_logger()
for secret in secrets:
    log.info(f"in the event {secret}", value=secret, nested={"list": [{"deep": secret}, (secret,)], secret: 1})
    log.info("in a URL", url=f"https://example.org/x?y={secret}", settings=settings, raw=secret.encode())
    logging.getLogger("library").warning("of a library %s", secret)
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise RuntimeError(f"because of {secret}") from error
    except RuntimeError:
        log.exception("in an exception")
        logging.getLogger("library").exception("in a library's")
"""


@pytest.fixture
def out() -> Iterator[StringIO]:
    """Where the log goes; everything is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = StringIO()
    yield written
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(out: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_no_planted_secret_is_in_any_line_of_a_run(tmp_path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        check=False,
        cwd=tmp_path,
        env={**clean, **PLANTED},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) > 40
    assert all(json.loads(line)["process"] == "session" for line in done.stderr.splitlines())
    assert [mark for mark in MARKS if mark in done.stderr] == []


def test_every_line_says_when_how_grave_by_whom_and_what_it_is_about(out: StringIO) -> None:
    configure_logs("session", (), out)
    log = structlog.get_logger()
    with about(world="paper-3", session="2023-01-25"):
        with about(pair="A/B"):
            log.warning("filled", qty=3)
        logging.getLogger("library").error("refused %s times", 2)
    log.info("alone")
    first, second, third = lines(out)
    assert list(first)[:7] == ["time", "level", "process", "event", "world", "session", "pair"]
    assert str(first.pop("time")).endswith("Z")
    assert first == {
        "level": "warning", "process": "session", "event": "filled", "world": "paper-3", "session": "2023-01-25",
        "pair": "A/B", "qty": 3,
    }  # fmt: skip
    assert (second["event"], second["level"], second["session"]) == ("refused 2 times", "error", "2023-01-25")
    assert "pair" not in second
    assert "session" not in third


def test_what_is_not_known_is_not_on_the_line(out: StringIO) -> None:
    configure_logs("session", (), out)
    with about(session=None, pair="A/B"):
        structlog.get_logger().info("said")
    assert "session" not in lines(out)[0]


def test_exceptions_and_warnings_are_one_line_each(out: StringIO) -> None:
    configure_logs("flows", (), out)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        structlog.get_logger().exception("failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old\nways", UserWarning, stacklevel=1)
    failed, warned = lines(out)
    assert "ValueError: first\nsecond" in str(failed["exception"])
    assert (warned["level"], warned["process"]) == ("warning", "flows")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:swordfish@host/db", "postgresql://me:****@host/db"),
        ("https://h/x?token=abc&n=1", "https://h/x?token=****&n=1"),
        ("https://h/x?n=1&api_key=abc", "https://h/x?n=1&api_key=****"),
        ("Authorization: Bearer abcdefgh12", "Authorization: **** ****"),
        ("password=abc; user=me", "password=****; user=me"),
        ("{'secret': 'abc'}", "{'secret': '****'}"),
        ("the token was refused", "the token was refused"),
        ("AAA/BBB at 10:35: 3 shares", "AAA/BBB at 10:35: 3 shares"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_ordinary_words_are_not(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_values_under_names_of_secrets_are_hidden_at_any_depth() -> None:
    given = {"figures": [{"api_key": "abc", "n": 1.5}], "token": "abc", "token_count": 0, "n": None}
    assert Redactor().plain(given) == {
        "figures": [{"api_key": "****", "n": 1.5}],
        "token": "****",
        "token_count": 0,
        "n": None,
    }


def test_a_short_secret_does_not_take_ordinary_words_with_it() -> None:
    assert Redactor(["abc", SecretStr("abcd")]).text("abc abcd") == "abc ****"


def test_the_secrets_of_settings_are_whole_and_in_their_parts() -> None:
    settings = Settings.model_validate(
        {"database_url": "postgresql://me:swordfish@db/tandem", "alerts": {"targets": "a=slack://AAAA/BBBB/CCCC"}}
    )
    found = secrets_of(settings, {"TANDEM_RECYCLER_TOKEN": "from-outside", "HOME": "/root"})
    assert {"swordfish", "AAAA", "BBBB", "CCCC", "from-outside"} <= found
    assert found.isdisjoint({"db", "tandem", "/root", "me"})
    assert parts_of("json://localhost:80/path") == {"json://localhost:80/path", "localhost:80", "path"}
