"""REST answers that go wrong: refused, failed, late, or lost after the deed was done."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tandem.recycler.faults.armed import Faults, Strike

REFUSALS: Final = {
    "rest-429": (429, 42910000, "too many requests."),
    "rest-500": (500, 50010000, "internal server error occurred"),
    "rest-504": (504, 50410000, "gateway timeout"),
}
REJECTION: Final = (403, 40310000, "insufficient buying power")
DEEDS: Final = ("late-504", "lost-answer")
REJECT: Final = "reject-order"
ORDERS: Final = "/v2/orders"


class Order(msgspec.Struct):
    """What is looked at of an order."""

    symbol: str | None = None
    client_order_id: str | None = None


class Cut(Response):
    """An answer that begins and never ends: the connection is closed in its middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and send none."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answered(faults: Faults, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """What a client gets instead of the answer to its request, or that answer."""
    if not faults.named(*REFUSALS, *DEEDS, REJECT):
        return await answer(request)
    what = f"{request.method} {request.url.path}"
    for name, (status, code, message) in REFUSALS.items():
        if strike := faults.strike(name, what=what):
            await _wait(strike)
            return _failed(status, code, message)
    if request.method != "POST" or request.url.path != ORDERS:
        return await answer(request)
    return await _ordered(faults, request, answer)


async def _ordered(faults: Faults, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    symbol, order = _asked(await request.body())
    if faults.strike(REJECT, symbol=symbol, what=order):
        return _failed(*REJECTION)
    done = await answer(request)
    if done.status_code >= HTTPStatus.BAD_REQUEST:
        return done
    for name in DEEDS:
        if strike := faults.strike(name, symbol=symbol, what=order):
            await _wait(strike)
            return Cut() if name == "lost-answer" else _failed(*REFUSALS["rest-504"])
    return done


async def _wait(strike: Strike) -> None:
    if strike.fault.seconds is not None:
        await asyncio.sleep(strike.fault.seconds)


def _failed(status: int, code: int, message: str) -> Response:
    body = msgspec.json.encode({"code": code, "message": message})
    return Response(body, status, _limits() if status == 429 else None, "application/json")


def _limits() -> dict[str, str]:
    return {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}


def _asked(body: bytes) -> tuple[str | None, str]:
    try:
        asked = msgspec.json.decode(body, type=Order)
    except msgspec.DecodeError:
        return None, ""
    return asked.symbol, asked.client_order_id or asked.symbol or ""
