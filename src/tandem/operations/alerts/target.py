"""Where alerts go: addresses of apprise, each under a name, and always a file."""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import msgspec

from tandem.config import Settings
from tandem.market import NEW_YORK, ConfigError, World
from tandem.operations.alerts.message import Message, Wishes
from tandem.operations.logs import Redactor, parts_of

FILE: Final = "file"
VARIABLE: Final = "TANDEM_ALERTS__TARGETS"
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
# A comma parts two targets only before another name: addresses may hold commas of their own.
PARTED: Final = re.compile(r"[,\s]+(?=[A-Za-z][\w-]*=[A-Za-z][\w+.-]*://)")
FORM: Final = re.compile(r"([A-Za-z][\w-]*)=([A-Za-z][\w+.-]*://\S+)")

# Why a message did not arrive; empty where it did.
Send = Callable[[Message], str]


@dataclass(frozen=True, slots=True)
class Target:
    """One place where alerts go.

    Attributes:
        wishes: what it wants to be told.
        send: tells it, and says why that failed; it may take as long as the time-outs.
    """

    wishes: Wishes
    send: Send

    @property
    def name(self) -> str:
        """What it is called, without its address."""
        return self.wishes.name


def alert_targets(settings: Settings, world: Callable[[], World | None]) -> tuple[Target, ...]:
    """The file, and every target that the settings name.

    Args:
        world: whose alerts they are told; None where there is none yet.

    Raises:
        ConfigError: an address cannot be used, or a name is not among the targets; never with an address.
    """
    given = settings.alerts
    addresses = _addresses(given.targets.get_secret_value()) if given.targets else {}
    for name in (*given.severities, *given.escalation):
        _check(name, addresses)
    found = [Target(Wishes(FILE, "info", sleeps=False), to_file(settings.home / "alerts.jsonl", world))]
    for name, address in addresses.items():
        escalates = name in given.escalation
        wishes = Wishes(name, given.severities.get(name, None if escalates else "warning"), escalates)
        found.append(Target(wishes, _to_address(name, address)))
    return tuple(found)


def to_file(path: Path, world: Callable[[], World | None]) -> Send:
    """Appends a line of JSON for each alert: what it is, its key, its world and its time in New York."""

    def send(message: Message) -> str:
        lines = [
            msgspec.json.encode(
                {
                    "time": alert.at.astimezone(NEW_YORK).isoformat(),
                    "world": str(of) if (of := world()) else None,
                    "key": alert.key,
                    **msgspec.to_builtins(alert.raised),
                }
            )
            for alert in message.alerts
        ]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(b"".join(line + b"\n" for line in lines))
        except OSError as error:
            return f"{path} cannot be written: {error.strerror}"
        return ""

    return send


def _addresses(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, part in enumerate(filter(None, PARTED.split(text.strip())), start=1):
        given = FORM.fullmatch(part)
        if given is None:
            raise ConfigError(f"{VARIABLE}: target {place} has no form", "Write name=address,name=address")
        name, address = given.groups()
        if name in found or name == FILE:
            raise ConfigError(f"{VARIABLE}: {name} stands twice or is Tandem's own file", "Choose another name")
        found[name] = address
    return found


def _check(name: str, known: Mapping[str, str]) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, 1)
    mend = f"Did you mean {near[0]}?" if near else f"{VARIABLE} names {', '.join(known) or 'none'}"
    raise ConfigError(f"alerts: {name} is no target", mend)


def _to_address(name: str, address: str) -> Send:
    import apprise

    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Tandem", app_desc="", async_mode=False))
    if not service.add(address):
        raise ConfigError(
            f"{VARIABLE}: the address of {name} is none that apprise knows",
            "https://appriseit.com/services has their forms",
        )
    for each in service:
        each.socket_connect_timeout, each.socket_read_timeout = CONNECT_SECONDS, ANSWER_SECONDS
    kinds = {
        "info": apprise.NotifyType.INFO,
        "warning": apprise.NotifyType.WARNING,
        "critical": apprise.NotifyType.FAILURE,
    }
    redact = Redactor(parts_of(address))

    def send(message: Message) -> str:
        try:
            with _complaints() as said:
                kind, form = kinds[message.severity], apprise.NotifyFormat.TEXT
                arrived = service.notify(message.text, message.title, kind, body_format=form)
        except Exception as error:  # A target's library may fail in any way; the others are told all the same.
            return redact.text(f"{type(error).__name__}: {error}")
        return "" if arrived else redact.text(" ".join(said) or "apprise does not say why")

    return send


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What apprise logs in this thread: it answers only that something failed."""
    log, said, thread = logging.getLogger("apprise"), list[str](), threading.get_ident()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread and record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    keep = Keep()
    log.addHandler(keep)
    try:
        yield said
    finally:
        log.removeHandler(keep)
