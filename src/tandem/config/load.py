"""`config.yaml`, `.env` and the environment become settings, or one clear line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tandem.config.document import read
from tandem.config.keys import PREFIX, Key, is_block, keys_of, meant
from tandem.config.settings import Settings
from tandem.market import ConfigError

CONFIG_VARIABLE: Final = "TANDEM_CONFIG"
DEFAULT_FILE: Final = Path("config.yaml")
SECRETS_FILE: Final = Path(".env")
# Not settings: what a recycler asks of its clients, and a switch for tracebacks.
OTHERS: Final = ("TANDEM_RECYCLER_KEY_ID", "TANDEM_RECYCLER_SECRET_KEY", "TANDEM_RECYCLER_TOKEN", "TANDEM_DEBUG")

KEYS: Final = {str(key): key for key in keys_of(Settings)}
VARIABLES: Final = {key.variable: key for key in KEYS.values()}

A_DATE: Final = "a date such as 2023-01-05"
FORMS: Final = {
    "websocket.recycler.replay_speed": "a number above 0 such as 60, or max",
    "websocket.recycler.server_url": "an address such as ws://localhost:8765",
    "alerts.quiet_hours": "a span of New York time such as 22:00-07:00",
}

Given = dict[Key, tuple[Any, str]]


def load(
    path: Path | None = None, environ: Mapping[str, str] | None = None, options: Mapping[str, object] | None = None
) -> Settings:
    """The settings in force: defaults, then the file, then `.env`, then the environment, then a command's options.

    Args:
        path: the file; without it `TANDEM_CONFIG`, else `config.yaml` here where there is one.
        environ: the environment; the process's own where None.
        options: what a command was given beside them, by key, as `screen.min_bars`; None where it was not given.

    Raises:
        ConfigError: a file that is missing or malformed, an unknown key, a value of the wrong kind, or
            a secret in the file; one line, naming the file or variable and the key.
    """
    variables = {**_secrets_file(), **_ours(os.environ if environ is None else environ)}
    named = variables.pop(CONFIG_VARIABLE, ("", ""))[0]
    given = _from_file(path or (Path(named).expanduser() if named else None))
    given.update(_from_variables(variables))
    given.update({KEYS[key]: (value, key) for key, value in (options or {}).items() if value is not None})
    return _settings(given)


def _from_file(path: Path | None) -> Given:
    if path is None and not DEFAULT_FILE.exists():
        return {}
    file = path or DEFAULT_FILE
    given: Given = {}
    _walk(read(file), Settings, (), str(file), given)
    return given


def _walk(tree: Any, block: type[BaseModel], above: tuple[str, ...], origin: str, given: Given) -> None:
    if not isinstance(tree, dict):
        name = ".".join(above) or "the top"
        raise ConfigError(f"{origin}: {name} holds {_shown(tree)}, expected a block of `key: value` lines")
    for raw, value in tree.items():
        path = (*above, str(raw))
        field = block.model_fields.get(str(raw))
        if field is None:
            raise ConfigError(f"{origin}: unknown key {'.'.join(path)}", meant(".".join(path), list(KEYS)))
        if is_block(field.annotation):
            if value is not None:
                _walk(value, field.annotation, path, origin, given)
        else:
            given[_allowed(KEYS[".".join(path)], value, origin)] = (value, origin)


def _allowed(key: Key, value: Any, origin: str) -> Key:
    """Secrets stay out of files; a database's address without a password is none."""
    if key.secret and value is not None and (str(key) != "database_url" or _has_password(str(value))):
        raise ConfigError(f"{origin}: {key} is a secret", f"Put it into the environment or .env as {key.variable}=...")
    return key


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return parts.password is not None or "password" in parts.query


def _secrets_file() -> dict[str, tuple[str, str]]:
    from dotenv import dotenv_values

    if not SECRETS_FILE.is_file():
        return {}
    try:
        values = dotenv_values(SECRETS_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env cannot be read: {error}", "Write it as lines of NAME=value in UTF-8.") from error
    if broken := [name for name, value in values.items() if value is None and name.startswith(PREFIX)]:
        raise ConfigError(f".env: {broken[0]} has no value", f"Write {broken[0]}=value.")
    return {name: (value, f".env: {name}") for name, (value, _) in _ours(values).items()}


def _ours(environ: Mapping[str, str | None]) -> dict[str, tuple[str, str]]:
    named = ((name.upper(), value) for name, value in environ.items() if name.upper().startswith(PREFIX))
    return {name: (value, name) for name, value in named if value and name not in OTHERS}


def _from_variables(variables: dict[str, tuple[str, str]]) -> Given:
    given: Given = {}
    for name, (text, origin) in variables.items():
        if name not in VARIABLES:
            raise ConfigError(f"{origin} is not a setting", meant(name, list(VARIABLES)))
        key = VARIABLES[name]
        given[key] = (_value(key, text, origin), origin)
    return given


def _value(key: Key, text: str, origin: str) -> Any:
    """Text as the environment gives it: lists as `A,B` or `[A, B]`, tables as `A=B`, nothing as `none` or `null`."""
    if key.optional and text.strip().lower() in ("none", "null"):
        return None
    if not (key.many or key.mapping):
        return text
    if not text.lstrip().startswith(("[", "{")):
        items = [item.strip() for item in text.split(",") if item.strip()]
        return items if key.many else dict(_pair(key, item, origin) for item in items)
    try:
        return yaml.load(text, yaml.BaseLoader)  # noqa: S506  (plain text only, no objects)
    except yaml.YAMLError as error:
        form = "a list such as A,B or [A, B]" if key.many else "a table such as A=B,C=D or {A: B}"
        raise ConfigError(f"{origin}: {key} is {_shown(text)}, expected {form}") from error


def _pair(key: Key, item: str, origin: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not sign:
        raise ConfigError(f"{origin}: {key} is {_shown(item)}, expected a table such as A=B,C=D or {{A: B}}")
    return name.strip(), value.strip()


def _settings(given: Given) -> Settings:
    tree: dict[str, Any] = {}
    for key, (value, _) in given.items():
        block = tree
        for name in key.path[:-1]:
            block = block.setdefault(name, {})
        block[key.path[-1]] = value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_line(error.errors(), given)) from None


def _line(errors: list[ErrorDetails], given: Given) -> str:
    first = errors[0]
    path = _path(first)
    others = {_path(error) for error in errors} - {path}
    more = f" (and {len(others)} more)" if others else ""
    origins = [origin for key, (_, origin) in given.items() if _overlap(key.path, path)]
    origin = origins[-1] if origins else "settings"
    expected = FORMS.get(".".join(path)) or (A_DATE if first["type"].startswith("date_") else _expected(first))
    value = "" if isinstance(first["input"], BaseModel | dict) else f" is {_given(path, first['input'])},"
    return f"{origin}: {'.'.join(path)}{value} expected {expected}{more}"


def _path(error: ErrorDetails) -> tuple[str, ...]:
    """Down to the key: which of its forms a value does not have is nobody's concern."""
    path = tuple(str(part) for part in error["loc"])
    return next((path[:end] for end in range(1, len(path)) if ".".join(path[:end]) in FORMS), path)


def _expected(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _given(path: tuple[str, ...], value: Any) -> str:
    key = KEYS.get(".".join(path))
    return "****" if key and key.secret else _shown(value)


def _overlap(key: tuple[str, ...], path: tuple[str, ...]) -> bool:
    shared = min(len(key), len(path))
    return key[:shared] == path[:shared]


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
