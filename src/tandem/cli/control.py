"""What a running recycler is asked and told, over its control API."""

import os
from json import dumps, loads
from typing import Any, Final

from tandem.market import RecyclerError

FORBIDDEN: Final = 403
REFUSED: Final = 400


def ask(url: str, seconds: float = 10.0) -> dict[str, Any]:
    """What a running recycler says of itself.

    Args:
        url: its address.
        seconds: how long it may take to answer.

    Raises:
        RecyclerError: none answers there, or the token is wrong.
    """
    said: dict[str, Any] = answer("GET", url, "status", seconds=seconds)
    return said


def order(url: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Tell a running recycler's clock what to do; its new status.

    Raises:
        RecyclerError: none answers there, it refuses, or the token is wrong.
    """
    said: dict[str, Any] = answer("POST", url, what, body or {})
    return said


def answer(method: str, url: str, path: str, body: dict[str, Any] | None = None, seconds: float = 10.0) -> Any:
    """What the control API of a recycler answers; None where it answers nothing.

    Raises:
        RecyclerError: none answers there, it refuses, or the token is wrong.
    """
    from http.client import HTTPException
    from urllib.parse import urlsplit

    from tandem.config import connection, unreachable

    scheme, _, rest = url.partition("://")
    base = f"http{'s' if scheme in ('wss', 'https') else ''}://{rest.partition('/')[0]}"
    headers = {"Authorization": f"Bearer {os.environ.get('TANDEM_RECYCLER_TOKEN', '')}"}
    line = connection(base, seconds)
    try:
        line.request(method, f"/control/{path}", None if body is None else dumps(body), headers)
        got = line.getresponse()
        text = got.read()
        said = loads(text) if text else None
    except (OSError, HTTPException, ValueError) as error:
        raise RecyclerError(*unreachable(base)) from error
    finally:
        line.close()
    if got.status < REFUSED:
        return said
    why = str(said.get("message") if isinstance(said, dict) else got.status).rstrip(".")
    mend = "Set TANDEM_RECYCLER_TOKEN." if got.status == FORBIDDEN else ""
    raise RecyclerError(f"the recycler at {urlsplit(base).netloc} refuses: {why}", mend)
