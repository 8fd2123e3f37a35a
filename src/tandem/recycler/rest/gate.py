"""What every REST request passes on its way in and out."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tandem.matching import Rejected
from tandem.recycler.keys import Keys
from tandem.recycler.rest.answer import UNAUTHORIZED, refusal, reply
from tandem.recycler.rest.rate import Rate

Answer = Callable[[Request], Awaitable[Response]]
Through = Callable[[Request, Answer], Awaitable[Response]]

TOO_MANY = {"code": 42910000, "message": "rate limit exceeded"}


async def straight(request: Request, answer: Answer) -> Response:
    """Nothing stands between a request and its endpoint."""
    return await answer(request)


class Gate:
    """Keys are looked at, requests counted, refusals put into Alpaca's words.

    Args:
        keys: who is let in.
        rate: how often; one for trading, one for history.
        unauthorized: body of a 401.
        through: what stands between a request that was let in and its endpoint.
        settled: returns when everything that an answer may show is durable.
    """

    def __init__(
        self,
        keys: Keys,
        rate: Rate,
        unauthorized: object = UNAUTHORIZED,
        through: Through = straight,
        settled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._keys = keys
        self._rate = rate
        self._unauthorized = unauthorized
        self._through = through
        self._settled = settled

    def opened(self, answer: Answer) -> Answer:
        """The same endpoint behind this gate: 401, 429, its refusals, and the headers of every answer."""

        async def behind(request: Request) -> Response:
            response = await self._answered(request, answer)
            response.headers.update({"X-Request-ID": uuid4().hex, **self._rate.headers()})
            return response

        return behind

    async def _answered(self, request: Request, answer: Answer) -> Response:
        if not self._keys.accept_headers(request.headers):
            return reply(self._unauthorized, 401)
        if not self._rate.take():
            return reply(TOO_MANY, 429)
        return await self._through(request, lambda let_in: self._durable(let_in, answer))

    async def _durable(self, request: Request, answer: Answer) -> Response:
        response = await _obeyed(request, answer)
        if self._settled is not None:
            await self._settled()
        return response


async def _obeyed(request: Request, answer: Answer) -> Response:
    try:
        return await answer(request)
    except Rejected as rejected:
        return refusal(rejected)
    except ClientDisconnect:
        return reply({"code": 40010000, "message": "the request ended before its body"}, 400)
