"""What a process says of itself: one JSON object a line, with the session and the pair, and without any secret."""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import structlog
from pydantic import BaseModel, SecretStr
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN: Final = "****"
# Shorter ones would take ordinary words with them.
SHORTEST: Final = 4
LOOPBACK: Final = ("localhost", "127.0.0.1")
FIRST: Final = ("time", "level", "process", "event", "world", "session", "pair")

NAMES: Final = r"(?:\w*(?:password|passwd|pwd|secret|token|api_?key|access_key|key_id|credential|authorization)\w*)"
NAME: Final = re.compile(rf"(?i)^{NAMES}$")
URL_PASSWORD: Final = re.compile(r"(://[^\s/@:\"']*:)[^\s/@\"']+@")
ASSIGNED: Final = re.compile(rf"(?i)\b({NAMES}[\"']?\s*[=:]\s*[\"']?)(?!\*\*\*\*)[^\s&;,\"'\\)}}\]]+")
BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
TALKATIVE: Final = ("alembic", "alpaca", "apprise", "distributed", "httpx", "mlflow", "prefect")


class Redactor:
    """Takes secrets out of whatever is to be shown.

    Args:
        secrets: as they are; their forms in JSON and in URLs are found too.
    """

    def __init__(self, secrets: Iterable[str | SecretStr] = ()) -> None:
        plain = {each.get_secret_value() if isinstance(each, SecretStr) else each for each in secrets}
        forms = {form for each in plain for form in _forms(each)}
        longest = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest))) if longest else None

    def text(self, text: str) -> str:
        """The text without any known secret, nor what a URL, an assignment or a header holds as one."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = URL_PASSWORD.sub(rf"\1{HIDDEN}@", text)
        return ASSIGNED.sub(rf"\1{HIDDEN}", BEARER.sub(rf"\1 {HIDDEN}", text))

    def plain(self, value: Any) -> Any:
        """Plain data without secrets: in texts, and under names such as `password` or `token`."""
        if isinstance(value, Mapping):
            return {
                self.text(str(name)): HIDDEN if NAME.match(str(name)) and held else self.plain(held)
                for name, held in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(value if isinstance(value, str) else str(value))


def secrets_of(settings: BaseModel, environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Every secret that the settings hold, whole and in its parts, and those that a recycler asks for.

    Args:
        environ: the environment.
    """
    held = [part for _, value in settings for part in _secrets_in(value)]
    asked = [value for name, value in (environ or {}).items() if name.startswith("TANDEM_") and NAME.match(name)]
    return frozenset(held) | frozenset(asked)


def parts_of(address: str) -> frozenset[str]:
    """What may be secret in a URL: all but scheme and port; of a database the password and the options alone."""
    try:
        parts = urlsplit(address)
        options = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return frozenset([address])
    if parts.scheme.startswith("postgres"):
        found = {parts.password, *options} - set(LOOPBACK)
    else:
        names = (parts.username, parts.password, parts.hostname, parts.netloc, *parts.path.split("/"))
        found = {address, *names, *options} - set(LOOPBACK)
    return frozenset(form for each in found if each for form in (each, unquote(each)))


def about(**names: object) -> AbstractContextManager[None]:
    """Within the block every line says what it is about: `session`, `pair`, `world` and the like."""
    return bound_contextvars(**{name: str(value) for name, value in names.items() if value is not None})


def configure_logs(process: str, secrets: Iterable[str | SecretStr] = (), out: TextIO | None = None) -> None:
    """From here on everything that is logged is one JSON object a line on stderr; that of libraries too.

    Args:
        process: the name of this one, on every line.
        secrets: are on no line.
        out: instead of stderr.
    """
    redactor, formatter = Redactor(secrets), structlog.stdlib.ProcessorFormatter

    def named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        named,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.PositionalArgumentsFormatter(), formatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(
        formatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                formatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                lambda _, __, event: json.dumps(_ordered(redactor.plain(event))),
            ],
        )
    )
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _forms(secret: str) -> tuple[str, ...]:
    as_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    as_python = (repr(secret)[1:-1], repr(secret.encode())[2:-1])
    return (secret, *as_json, *as_python, quote(secret), quote(secret, safe=""))


def _ordered(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in FIRST if name in event} | event


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for _, inner in value:
            yield from _secrets_in(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets_in(inner)
    elif isinstance(value, SecretStr):
        secret = value.get_secret_value()
        yield secret
        for address in re.findall(r"[A-Za-z][\w+.-]*://[^\s,]+", secret):
            yield from parts_of(address)
