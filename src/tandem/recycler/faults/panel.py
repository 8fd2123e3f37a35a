"""Faults at run time: the endpoints under `/control/faults` and `/control/scenarios`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.config import FaultSettings
from tandem.market import RecyclerError
from tandem.recycler.faults.armed import Faults
from tandem.recycler.faults.fault import Fault
from tandem.recycler.faults.scenario import SCENARIOS, scenario

Answer = Callable[[Request], Awaitable[Response]]


class Asked(msgspec.Struct):
    """The body of `POST /control/scenarios/{name}`."""

    symbol: str | None = None
    seed: int | None = None


class Panel:
    """What a person may do to the faults of a running recycler.

    Args:
        faults: those in force.
        symbols: on the reel, in the order in which they were configured.
    """

    def __init__(self, faults: Faults, symbols: Sequence[str]) -> None:
        self._faults = faults
        self._symbols = symbols

    def routes(self, guarded: Callable[[Answer], Answer]) -> list[Route]:
        """Every endpoint, each behind the guard of the control API."""
        table: list[tuple[str, str, Answer]] = [
            ("GET", "/control/faults", self.listed),
            ("POST", "/control/faults", self.arm),
            ("DELETE", "/control/faults", self.clear),
            ("DELETE", "/control/faults/{number:int}", self.disarm),
            ("GET", "/control/scenarios", self.scenarios),
            ("POST", "/control/scenarios/{name}", self.play),
        ]
        return [Route(path, guarded(_in_words(answer)), methods=[method]) for method, path, answer in table]

    async def listed(self, _: Request) -> Response:
        """Every fault in force, with how often it struck."""
        return _reply([one.shown() for one in self._faults])

    async def arm(self, request: Request) -> Response:
        """Put one fault in force."""
        return self._armed([Fault.of(FaultSettings.model_validate_json(await request.body()))])

    async def clear(self, _: Request) -> Response:
        """Take all of them back."""
        self._faults.clear()
        return Response(status_code=204)

    async def disarm(self, request: Request) -> Response:
        """Take one back."""
        number = request.path_params["number"]
        if self._faults.disarm(number):
            return Response(status_code=204)
        return _reply({"message": f"no fault {number} is in force"}, 404)

    async def scenarios(self, _: Request) -> Response:
        """Every scenario, what it means and what a client should do."""
        return _reply([{"name": name, "meaning": s.meaning, "client": s.client} for name, s in SCENARIOS.items()])

    async def play(self, request: Request) -> Response:
        """Put the faults of a scenario in force."""
        asked = msgspec.json.decode(await request.body() or b"{}", type=Asked)
        told = scenario(request.path_params["name"])
        return self._armed(told.told(asked.symbol or self._symbols[0], asked.seed))

    def _armed(self, faults: Sequence[Fault]) -> Response:
        if strange := {fault.symbol for fault in faults if fault.symbol} - set(self._symbols):
            raise RecyclerError(f"not on the reel: {', '.join(sorted(strange))}")
        return _reply([one.shown() for one in self._faults.arm(*faults)], 201)


def _in_words(answer: Answer) -> Answer:
    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except RecyclerError as error:
            return _reply({"message": str(error)}, 404 if "no scenario" in error.what else 422)

        except ValidationError as error:
            return _reply({"message": "; ".join(map(_flaw, error.errors()))}, 422)

    return told


def _flaw(found: Any) -> str:
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}" if found["loc"] else str(found["msg"])


def _reply(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
