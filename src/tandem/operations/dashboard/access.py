"""Who is let in: sessions, the token, host names, and the headers of every answer."""

import secrets
import sys
import traceback
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.market import Stopwatch

COOKIE: Final = "tandem_page"
LASTS_SECONDS: Final = 12 * 3600
MOST_SESSIONS: Final = 500
MOST_FAILURES: Final = 10
MOST_ADDRESSES: Final = 1000
FAILURES_SECONDS: Final = 60.0
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

Answer = Callable[[Request], Awaitable[Response]]


@dataclass
class Visit:
    """One browser that was let in.

    Attributes:
        csrf: what its forms must carry.
        person: who acts, as last told.
        said: what is still to be told on its next page: tone and words.
    """

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    person: str = ""
    said: list[tuple[str, str]] = field(default_factory=list)
    since: Stopwatch = field(default_factory=Stopwatch)


class Guesses:
    """Wrong tokens by the address that they came from; those of the last addresses."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[Stopwatch]] = OrderedDict()

    def add(self, address: str) -> None:
        """One more."""
        self._of.setdefault(address, deque(maxlen=MOST_FAILURES)).append(Stopwatch())
        self._of.move_to_end(address)
        while len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)

    def are_many(self, address: str) -> bool:
        """Whether there were `MOST_FAILURES` within `FAILURES_SECONDS`."""
        last = self._of.get(address, deque())
        return len(last) == MOST_FAILURES and last[0].seconds < FAILURES_SECONDS


class Door:
    """Lets browsers in: everybody where there is no token, else who has shown it; each for half a day.

    The cookie is a random name that means something in this process alone.

    Args:
        token: None for none.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._guesses = Guesses()

    @property
    def is_locked(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def inside(self, answer: Answer) -> Answer:
        """The same answer for who is let in; strangers are shown the way or refused."""

        async def inside(request: Request) -> Response:
            if self.visit(request) is None and self.is_locked and not self.knows(request):
                return self._turned_away(request)
            return await answer(request)

        return inside

    def page(self, answer: Answer) -> Answer:
        """The same page for who is let in, its visit at hand; a browser that comes without one is given one."""

        async def page(request: Request) -> Response:
            visit = self.visit(request)
            if visit is not None or self.is_locked or not _is_browser(request):
                request.state.visit = visit or Visit()
                return await answer(request)
            name, request.state.visit = self._admitted()
            return _with_cookie(await answer(request), request, name)

        return self.inside(page)

    def let_in(self, answer: Response, request: Request) -> Response:
        """The answer with the cookie of a new visit."""
        name, _ = self._admitted()
        return _with_cookie(answer, request, name)

    def visit(self, request: Request) -> Visit | None:
        """The visit that a request belongs to, which is then the last one to be forgotten; None for a stranger."""
        name = request.cookies.get(COOKIE, "")
        found = self._visits.get(name)
        if found is None or found.since.seconds >= LASTS_SECONDS:
            return None
        self._visits.move_to_end(name)
        return found

    def see_off(self, answer: Response, request: Request) -> Response:
        """The answer, after which the visit is over."""
        self._visits.pop(request.cookies.get(COOKIE, ""), None)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def opens_to(self, given: str, request: Request) -> bool:
        """Whether this is the token; the right one always is, whatever came before it."""
        if self._token is not None and compare_digest(given.encode(), self._token.encode()):
            return True
        self._guesses.add(_address(request))
        return False

    def has_had_enough(self, request: Request) -> bool:
        """Whether more wrong tokens came from there within a minute than a person mistypes."""
        return self._guesses.are_many(_address(request))

    def knows(self, request: Request) -> bool:
        """Whether a program shows the token in a header, as Prometheus does."""
        given = request.headers.get("authorization", "")
        return given.startswith("Bearer ") and self.opens_to(given.removeprefix("Bearer "), request)

    def _turned_away(self, request: Request) -> Response:
        if _is_browser(request):
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Log in first.\n", 429 if self.has_had_enough(request) else 401)

    def _admitted(self) -> tuple[str, Visit]:
        name, visit = secrets.token_urlsafe(32), Visit()
        self._visits[name] = visit
        while len(self._visits) > MOST_SESSIONS:
            self._visits.popitem(last=False)
        return name, visit


class Guard:
    """Around the whole application: no foreign host name on loopback, strict headers on every answer, bugs' too.

    Args:
        is_local: it listens on loopback alone, so that any other host name is another site's trick.
    """

    def __init__(self, app: ASGIApp, is_local: bool) -> None:
        self._app = app
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun: list[bool] = []

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(True)
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if self._is_local and _host(Headers(scope=scope)) not in LOCAL:
            refusal = PlainTextResponse("This page answers to localhost alone.\n", 421)
            await refusal(scope, receive, strict)
            return
        try:
            await self._app(scope, receive, strict)
        except Exception as error:
            print("".join(traceback.format_exception(error)), file=sys.stderr)
            if not begun:
                await PlainTextResponse("This is a bug in Tandem; its own output says more.\n", 500)(
                    scope, receive, strict
                )


def _is_browser(request: Request) -> bool:
    """Whether it wants a page to look at."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _with_cookie(answer: Response, request: Request, name: str) -> Response:
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, name, LASTS_SECONDS, path="/", secure=secure, httponly=True, samesite="strict")
    return answer


def _host(headers: Headers) -> str:
    host = headers.get("host", "").lower()
    return host[: host.index("]") + 1] if "]" in host else host.partition(":")[0]
