"""Who may speak to the recycler: programs and pages of this machine, who call it by its name."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tandem.recycler.rest.answer import reply

NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Loopback:
    """Refuses, with 403, what web pages of elsewhere send from this machine's browser.

    A browser names the page in `Origin`; a page whose own name was pointed at this machine says that name in `Host`.

    Args:
        app: what answers everybody else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] not in {"http", "websocket"} or not (why := _refusal(Headers(scope=scope))):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            await reply({"code": 40310000, "message": why}, 403)(scope, receive, send)


def _refusal(headers: Headers) -> str:
    host, origin = headers.get("host"), headers.get("origin")
    if host is not None and _name(f"//{host}") not in NAMES:
        return "the recycler answers to localhost and 127.0.0.1 only"
    if origin is not None and _name(origin) not in NAMES:
        return "the recycler answers no web pages of elsewhere"
    return ""


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
