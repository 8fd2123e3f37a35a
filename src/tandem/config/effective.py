"""The settings in force, fit to be shown."""

from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, SecretStr

from tandem.config.settings import Settings

MASK: Final = "****"


def effective(settings: Settings) -> dict[str, Any]:
    """Every key and its value as plain data, secrets masked (of a database's address only the password)."""
    return {name: _plain(name, value) for name, value in settings}


def as_yaml(settings: Settings) -> str:
    """The same as a YAML document that `load` takes, but for the masked secrets."""
    return yaml.safe_dump(effective(settings), sort_keys=False, allow_unicode=True)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {inner: _plain(inner, held) for inner, held in value}
    if isinstance(value, dict):
        return {inner: _plain(name, held) for inner, held in value.items()}
    if isinstance(value, SecretStr):
        return _address(value.get_secret_value()) if name == "database_url" else MASK
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(name, item) for item in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _address(url: str) -> str:
    """A database's address without its password; hidden entirely where it cannot be taken apart safely."""
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return MASK
    if not host or parts.query:
        return MASK
    return f"{parts.scheme}://{f'{user}:{MASK}@' if user else ''}{host}{port}{parts.path}"
