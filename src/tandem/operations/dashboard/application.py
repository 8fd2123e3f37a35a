"""The site: what each address answers."""

from collections.abc import AsyncIterator, Iterable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tandem.market import TandemError
from tandem.operations.dashboard.access import Answer, Door, Guard, Visit
from tandem.operations.dashboard.acts import STANDINGS, Acts
from tandem.operations.dashboard.charts import CHARTS
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.forms import Forms
from tandem.operations.dashboard.page import Context, Page, View
from tandem.operations.dashboard.views import VIEWS

STATIC: Final = Path(__file__).with_name("static")
MOST_STREAMS: Final = 64
TICK_SECONDS: Final = 1.0
SIGNS_OF_LIFE: Final = 10
FRAME: Final = ("standing", "clock", "bell")


def application(page: Page, acts: Acts, door: Door, *, is_local: bool, further: Iterable[BaseRoute] = ()) -> Starlette:
    """The site over a page.

    Args:
        acts: writes what persons do.
        door: lets browsers in.
        is_local: it listens on loopback alone.
        further: routes of others, behind the same door, such as `/metrics`.
    """
    site = Site(page, door)
    return Starlette(
        routes=[*site.routes(), *Forms(page, acts, door).routes(), *(_behind(door, route) for route in further)],
        middleware=[Middleware(Guard, is_local=is_local)],
        exception_handlers={HTTPException: site.refused, TandemError: site.troubled},
    )


class Site:
    """Answers requests."""

    def __init__(self, page: Page, door: Door) -> None:
        self._page = page
        self._door = door
        self._streams = 0

    def routes(self) -> list[BaseRoute]:
        """Every address."""
        inside, page = self._door.inside, self._door.page
        return [
            *(Route(view.path, page(self.shown(view))) for view in VIEWS.values()),
            Route("/events/{view}", inside(self.events)),
            Route("/charts/{chart}", inside(self.chart)),
            Route("/switch/{what}", page(self.ask), methods=["GET"]),
            Route("/health", _alive),
            Mount("/static", _Static(directory=STATIC)),
        ]

    def shown(self, view: View) -> Answer:
        """A page."""

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._shown, view, request)

        return answer

    async def events(self, request: Request) -> Response:
        """Parts of a page as they change, as server-sent events."""
        view = VIEWS.get(request.path_params["view"])
        if view is None:
            raise HTTPException(404)
        if self._streams >= MOST_STREAMS:
            raise HTTPException(503, "too many pages are open")
        return StreamingResponse(
            self._changes(view, request), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    async def chart(self, request: Request) -> Response:
        """What a chart draws."""
        make = CHARTS.get(request.path_params["chart"])
        if make is None:
            raise HTTPException(404)

        def drawn() -> bytes:
            asked = request.query_params
            followed = self._page.watching.followed(self._page.world(asked))
            try:
                with followed.lock:
                    return msgspec.json.encode(make(self._page, followed, asked))
            except (ValueError, KeyError):
                raise HTTPException(400, "No chart is asked for like that.") from None

        return Response(await run_in_threadpool(drawn), media_type="application/json")

    async def ask(self, request: Request) -> Response:
        """The question whether somebody means it, for browsers without scripts."""
        return await run_in_threadpool(self._asked, request)

    async def refused(self, request: Request, error: Exception) -> Response:
        """An answer that says no."""
        assert isinstance(error, HTTPException)
        said = {404: "There is no such page."}.get(error.status_code, error.detail)
        return self._plain(said, error.status_code)

    async def troubled(self, request: Request, error: Exception) -> Response:
        """What a person can mend."""
        return self._plain(str(error), 400)

    def _plain(self, said: str, status: int) -> Response:
        return HTMLResponse(self._page.render("said.html", {"said": said, "status": status}), status)

    def _shown(self, view: View, request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        visit: Visit = request.state.visit
        followed = self._page.watching.followed(self._page.world(asked))
        with followed.lock:
            context = self._context(view, followed, asked)
            context |= {"visit": visit, "said": visit.said[:], "here": _address(request)}
            body = self._page.render(f"{view.name}.html", context)
        visit.said.clear()
        return HTMLResponse(body, 404 if context.get("is_missing") else 200)

    def _context(self, view: View, followed: Followed, asked: Mapping[str, str]) -> Context:
        query = {name: value for name, value in asked.items() if name != "world"}
        context = self._page.frame(followed, asked) | {"view": view, "views": VIEWS, "asked": asked}
        context["is_locked"] = self._door.is_locked
        pinned = {"world": context["pinned"]} if context["pinned"] else {}
        context["suffix"] = f"?{urlencode(pinned)}" if pinned else ""
        context["stream"] = f"/events/{view.name}?{urlencode(query | pinned)}"
        return context | view.make(self._page, followed, asked)

    def _asked(self, request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        if asked["what"] not in STANDINGS:
            raise HTTPException(404)
        followed = self._page.watching.followed(self._page.world(asked))
        with followed.lock:
            context = self._context(VIEWS["desk"], followed, asked)
            context |= {"visit": request.state.visit, "said": [], "here": "/", "what": asked["what"]}
            return HTMLResponse(self._page.render("ask.html", context))

    async def _changes(self, view: View, request: Request) -> AsyncIterator[bytes]:
        asked, sent = dict(request.query_params), dict[str, int]()
        world, heard, quiet = self._page.world(asked), self._page.bell.rung, 0
        self._streams += 1
        try:
            yield b"retry: 1000\n\n"
            while not self._page.bell.ended and not self._is_over(request):
                if self._page.world(asked) != world:
                    yield _event("world", "")
                    return
                changed = await run_in_threadpool(self._changed, view, asked, sent)
                quiet = 0 if changed else quiet + 1
                if changed:
                    yield b"".join(_event(name, data) for name, data in changed)
                if quiet >= SIGNS_OF_LIFE:
                    quiet = 0
                    yield b": here\n\n"
                heard = await self._page.bell.wait(heard, TICK_SECONDS)
        finally:
            self._streams -= 1

    def _is_over(self, request: Request) -> bool:
        """Whether who listens has left since; who has not is not forgotten while listening."""
        return self._door.visit(request) is None and self._door.is_locked

    def _changed(self, view: View, asked: Mapping[str, str], sent: dict[str, int]) -> list[tuple[str, Any]]:
        followed = self._page.watching.followed(self._page.world(asked))
        changed: list[tuple[str, Any]] = []
        with followed.lock:
            context = self._context(view, followed, asked)
            for part in (*FRAME, *view.parts):
                text = self._page.render(f"parts/{part}.html", context)
                if sent.get(part) != (digest := hash(text)):
                    sent[part] = digest
                    changed.append(("part", {"id": part, "html": text}))
            if sent.get("charts") != followed.version:
                sent["charts"] = followed.version
                changed.append(("charts", followed.version))
        return changed


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = "no-cache"
        return answer


def _behind(door: Door, route: BaseRoute) -> BaseRoute:
    """Another's route for who is let in."""
    assert isinstance(route, Route)

    async def answer(request: Request) -> Response:
        found = await run_in_threadpool(route.endpoint, request)
        told: Response = await found if isawaitable(found) else found
        return told

    return Route(route.path, door.inside(answer), methods=list(route.methods or ["GET"]))


async def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
