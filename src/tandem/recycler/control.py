"""The control API: desks that must be done before the replay's clock moves on.

`POST /control/desks` is answered with one line of JSON, the barrier where the clock stands and the number of the
`hold`, and then with nothing more: the desk is registered as long as the connection is open. The kernel closes it when
the desk's process dies, whatever it dies of, and the clock waits for that desk no more; for one that enrolled as
`lasting` it waits until the desk is back or is dismissed. A desk that enrols again takes over from its older
connection, which ends; `POST /control/ready` with the older `hold` is refused.

People pause the clock, let it go on, step one mark, wind it to a date and change its speed; each is answered with the
new status.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from hmac import compare_digest
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tandem.market import NEW_YORK, DataError
from tandem.matching import Rejected
from tandem.recycler.faults import Panel
from tandem.recycler.metronome import Hold, LetGo, Metronome, UnknownDesk
from tandem.recycler.options import FASTEST, SLOWEST
from tandem.recycler.rest.answer import reply

STEP_SECONDS: Final = 5.0


class Desk(msgspec.Struct):
    """The body of `POST /control/desks`."""

    desk: str
    symbols: list[str] = []
    lasting: bool = False


class Ready(msgspec.Struct):
    """The body of `POST /control/ready`: `desk` is done with everything up to and including `through`."""

    desk: str
    through: datetime
    hold: int | None = None


class Step(msgspec.Struct):
    """The body of `POST /control/step`, which may be empty."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Seek(msgspec.Struct):
    """The body of `POST /control/seek`, one of the two.

    Attributes:
        to: a date, or a moment, in replay time: New York's unless it has a zone.
        day: a date of the stored bars: the next time that this loop plays it.
    """

    to: str | None = None
    day: date | None = None


class Speed(msgspec.Struct):
    """The body of `POST /control/speed`."""

    speed: float | Literal["max"]


class Control:
    """The endpoints under `/control`: from this machine only, and with the token where there is one.

    Args:
        metronome: what moves the clock.
        token: expected as `Authorization: Bearer`; empty for none.
        status: what `GET /control/status` answers.
        panels: further endpoints, behind the same guard.
    """

    def __init__(
        self, metronome: Metronome, token: str, status: Callable[[], dict[str, Any]], panels: Sequence[Panel] = ()
    ) -> None:
        self._panels = panels
        self._metronome = metronome
        self._token = token
        self._status = status

    def routes(self) -> list[Route]:
        """Every endpoint."""
        return [
            Route("/control/status", self._guarded(self.status), methods=["GET"]),
            Route("/control/desks", self._guarded(self.enrol), methods=["POST"]),
            Route("/control/desks/{desk}", self._guarded(self.dismiss), methods=["DELETE"]),
            Route("/control/ready", self._guarded(self.ready), methods=["POST"]),
            Route("/control/pause", self._guarded(self.pause), methods=["POST"]),
            Route("/control/resume", self._guarded(self.resume), methods=["POST"]),
            Route("/control/step", self._guarded(self.step), methods=["POST"]),
            Route("/control/seek", self._guarded(self.seek), methods=["POST"]),
            Route("/control/speed", self._guarded(self.speed), methods=["POST"]),
            *(route for panel in self._panels for route in panel.routes(self._guarded)),
        ]

    async def status(self, _: Request) -> Response:
        """Where the replay stands and who holds it."""
        return reply(self._status())

    async def enrol(self, request: Request) -> Response:
        """Register a desk until its connection closes; answered at once with the barrier where the clock stands."""
        desk = msgspec.json.decode(await request.body(), type=Desk)
        missing = sorted(set(desk.symbols) - set(self._metronome.replay.reel.symbols))
        if missing:
            return reply({"message": f"not on the reel: {', '.join(missing)}"}, 422)
        return Held(self._metronome, await self._metronome.enrol(desk.desk, lasting=desk.lasting))

    async def dismiss(self, request: Request) -> Response:
        """Let go of a desk that hangs; its connection ends too."""
        await self._metronome.dismiss(request.path_params["desk"])
        return Response(status_code=204)

    async def ready(self, request: Request) -> Response:
        """Release the clock; answered with the new barrier when it has moved, with 410 where the desk lost its hold."""
        done = msgspec.json.decode(await request.body(), type=Ready)
        if done.through.tzinfo is None:
            return reply({"message": "through needs a zone"}, 422)
        return reply(await self._metronome.ready(done.desk, _utc(done.through), done.hold))

    async def pause(self, _: Request) -> Response:
        """Stand still."""
        await self._metronome.pause()
        return reply(self._status())

    async def resume(self, _: Request) -> Response:
        """Go on."""
        await self._metronome.resume()
        return reply(self._status())

    async def step(self, request: Request) -> Response:
        """Pause and move one mark, or several; 409 where a desk or a slow reader does not let the clock move."""
        body = await request.body()
        asked = msgspec.json.decode(body, type=Step) if body else Step()
        try:
            async with asyncio.timeout(STEP_SECONDS):
                for _ in range(asked.count):
                    await self._metronome.step()
        except TimeoutError:
            held = ", ".join(sorted(self._metronome.desks)) or "slow clients"
            return reply({"message": f"the clock waits for {held}"}, 409)
        return reply(self._status())

    async def seek(self, request: Request) -> Response:
        """Put the clock at a moment, or at the first moment of a date in New York; until the client leaves."""
        asked = msgspec.json.decode(await request.body(), type=Seek)
        moment = self._sought(asked)
        gone = asyncio.create_task(_disconnected(request.receive))
        try:
            await self._metronome.seek(moment, lambda: not gone.done())
        finally:
            gone.cancel()
        return reply(self._status())

    async def speed(self, request: Request) -> Response:
        """Change the speed: minutes of market time per minute, or `max`."""
        asked = msgspec.json.decode(await request.body(), type=Speed)
        if asked.speed != "max" and not SLOWEST <= asked.speed <= FASTEST:
            said = f"a speed of {asked.speed:g} goes nowhere: give one from {SLOWEST:g} to {FASTEST:g}, or max"
            return reply({"message": f"{said}; a pause lets the clock stand"}, 422)
        await self._metronome.set_speed(None if asked.speed == "max" else asked.speed)
        return reply(self._status())

    def _sought(self, asked: Seek) -> datetime:
        replay = self._metronome.replay
        if (asked.day is None) == (asked.to is None):
            raise DataError("one of to and day is needed")
        if asked.day is not None:
            return replay.moment_of(asked.day)
        moment = _moment(asked.to or "")
        if _is_date(asked.to or "") and moment.date() == replay.began.astimezone(NEW_YORK).date():
            moment = max(moment, replay.began)
        return _utc(moment)

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if not self._allowed(request):
                return reply({"message": "the control API is for this machine and needs its token"}, 403)
            try:
                return await answer(request)
            except msgspec.DecodeError as error:
                return reply({"message": str(error)}, 422)
            except UnknownDesk as error:
                return reply({"message": f"no desk {error} is registered"}, 404)
            except LetGo as error:
                return reply({"message": str(error)}, 410)
            except (DataError, Rejected) as error:
                return reply({"message": str(error)}, 422)

        return guarded

    def _allowed(self, request: Request) -> bool:
        local = request.client is not None and ip_address(request.client.host).is_loopback
        given = request.headers.get("authorization", "")
        known = not self._token or compare_digest(given.encode(), f"Bearer {self._token}".encode())
        return local and known and "origin" not in request.headers


class Held(Response):
    """An answer that lasts as long as a desk holds the clock, and a hold that lasts as long as its connection."""

    media_type = "application/x-ndjson"

    def __init__(self, metronome: Metronome, hold: Hold) -> None:
        told = {**msgspec.to_builtins(hold.barrier), "hold": hold.number}
        super().__init__(msgspec.json.encode(told) + b"\n")
        del self.headers["content-length"]
        self._metronome = metronome
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the barrier, then nothing until either side lets go."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            await self._until_let_go(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._metronome.release(self._hold)

    async def _until_let_go(self, receive: Receive) -> None:
        gone = asyncio.create_task(_disconnected(receive))
        either: tuple[asyncio.Future[Any], ...] = (gone, self._hold.let_go)
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{text} is neither a date nor a moment") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def _is_date(text: str) -> bool:
    return len(text) == len("2023-01-04")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise DataError(f"{moment.isoformat()} is beyond every calendar") from None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
