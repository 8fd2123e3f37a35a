"""The HTTP face of the day's models: who is let in, and what each path answers."""

import sys
import traceback
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tandem import __version__
from tandem.forecast import DayModels
from tandem.market import DataError
from tandem.operations.serving.invocation import rows_of

LARGEST_BODY: Final = 16 << 20
JSON: Final = "application/json"

Models = Callable[[], DayModels]


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def application(models: Models, token: str) -> Starlette:
    """The paths of MLflow's scoring server: `/invocations` and `/version` for who has the token, `/ping` and `/health`.

    Args:
        models: asked at each request, for those that stand then.
        token: clients send it as `Authorization: Bearer TOKEN`.
    """

    async def invocations(request: Request) -> Response:
        _admit(request, token)
        _expect_json(request)
        body = await _body(request)
        answers = await run_in_threadpool(lambda: models().answers(rows_of(body)))
        return _reply({"predictions": answers})

    async def version(request: Request) -> Response:
        _admit(request, token)
        return PlainTextResponse(__version__)

    async def alive(request: Request) -> Response:
        return PlainTextResponse("\n")

    return Starlette(
        routes=[
            Route("/invocations", invocations, methods=["POST"]),
            Route("/version", version),
            Route("/ping", alive),
            Route("/health", alive),
        ],
        exception_handlers={
            _Refused: _told(lambda error: (error.status, error.code, error.message)),
            DataError: _told(lambda error: (400, "BAD_REQUEST", str(error))),
            ClientDisconnect: _told(lambda error: (400, "BAD_REQUEST", "the client went away")),
            HTTPException: _told(lambda error: (error.status_code, HTTPStatus(error.status_code).name, error.detail)),
            Exception: _bug,
        },
    )


def _admit(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if not compare_digest(given.encode("latin-1"), f"Bearer {token}".encode("latin-1")):
        raise _Refused(401, "UNAUTHENTICATED", "Send the server's token: Authorization: Bearer TOKEN")


def _expect_json(request: Request) -> None:
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise _Refused(415, "BAD_REQUEST", f"the body is {kind or 'of no kind'}, expected {JSON}")


async def _body(request: Request) -> bytes:
    body = bytearray()
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise _too_large()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> _Refused:
    return _Refused(413, "BAD_REQUEST", f"the body is larger than {LARGEST_BODY >> 20} MiB: ask in several requests")


def _told(words: Callable[[Any], tuple[int, str, str]]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def told(_: Request, error: Exception) -> Response:
        status, code, message = words(error)
        return _reply({"error_code": code, "message": " ".join(message.split())}, status)

    return told


async def _bug(_: Request, error: Exception) -> Response:
    print("".join(traceback.format_exception(error)), file=sys.stderr)
    return _reply({"error_code": "INTERNAL_ERROR", "message": "a bug in Tandem; its own output says more"}, 500)


def _reply(body: Any, status: int = 200) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(msgspec.json.encode(body), status, headers, JSON)
