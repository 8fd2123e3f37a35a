"""The site: what each address answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from hmac import compare_digest
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tandem.market import TandemError
from tandem.operations.dashboard.access import COOKIE, LASTS_SECONDS, Door, Guard, Visit
from tandem.operations.dashboard.acts import Acts
from tandem.operations.dashboard.charts import CHARTS
from tandem.operations.dashboard.orders_to_recycler import order_of, told
from tandem.operations.dashboard.page import Context, Page, View
from tandem.operations.dashboard.views import VIEWS

STATIC: Final = Path(__file__).with_name("static")
LARGEST_FORM: Final = 16 << 10
MOST_STREAMS: Final = 64
TICK_SECONDS: Final = 1.0
SIGNS_OF_LIFE: Final = 10
FRAME: Final = ("standing", "clock", "bell")

Answer = Callable[[Request], Awaitable[Response]]


def application(page: Page, acts: Acts, door: Door, *, is_local: bool, further: Iterable[BaseRoute] = ()) -> Starlette:
    """The site over a page.

    Args:
        acts: writes what persons do.
        door: lets browsers in.
        is_local: it listens on loopback alone.
        further: routes of others, behind the same door, such as `/metrics`.
    """
    site = Site(page, acts, door)
    return Starlette(
        routes=[*site.routes(), *(site.behind_door(route) for route in further)],
        middleware=[Middleware(Guard, is_local=is_local)],
        exception_handlers={HTTPException: site.refused, TandemError: site.troubled},
    )


class Site:
    """Answers requests."""

    def __init__(self, page: Page, acts: Acts, door: Door) -> None:
        self._page = page
        self._acts = acts
        self._door = door
        self._streams = 0

    def routes(self) -> list[BaseRoute]:
        """Every address."""
        return [
            Route("/health", _alive),
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/logout", self._inside(self.logout), methods=["POST"]),
            Route("/", self._inside(self.shown("desk"))),
            Route("/pairs/{a}/{b}", self._inside(self.shown("pair"))),
            Route("/orders/{order:path}", self._inside(self.shown("order"))),
            Route("/events/{view}", self._inside(self.events)),
            Route("/charts/{chart}", self._inside(self.chart)),
            Route("/switch/{what}", self._inside(self.ask), methods=["GET"]),
            Route("/switch/{what}", self._inside(self.switch), methods=["POST"]),
            Route("/recycler/tell", self._inside(self.tell), methods=["POST"]),
            *(Route(f"/{view.name}", self._inside(self.shown(view.name))) for view in VIEWS.values() if view.in_menu),
            Mount("/static", _Static(directory=STATIC)),
        ]  # fmt: skip

    def behind_door(self, route: BaseRoute) -> BaseRoute:
        """Another's route for who is let in."""
        assert isinstance(route, Route)

        async def answer(request: Request) -> Response:
            found = await run_in_threadpool(route.endpoint, request)
            told: Response = await found if isawaitable(found) else found
            return told

        return Route(route.path, self._inside(answer), methods=list(route.methods or ["GET"]))

    def shown(self, name: str) -> Answer:
        """A page."""

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._shown, VIEWS[name], request)

        return answer

    async def events(self, request: Request) -> Response:
        """Parts of a page as they change, as server-sent events."""
        view = VIEWS.get(request.path_params["view"])
        if view is None:
            raise HTTPException(404)
        if self._streams >= MOST_STREAMS:
            raise HTTPException(503, "too many pages are open")
        return StreamingResponse(
            self._changes(view, dict(request.query_params)), media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )  # fmt: skip

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

    async def login(self, request: Request) -> Response:
        """Show the token once."""
        if not self._door.is_locked:
            return RedirectResponse("/", 303)
        wrong = False
        if request.method == "POST":
            form = await _form(request)
            if self._door.opens_to(form.get("token", "")):
                return self._let_in(RedirectResponse("/", 303), request)[0]
            wrong = True
        return HTMLResponse(self._page.render("login.html", {"wrong": wrong}), 403 if wrong else 200)

    async def logout(self, request: Request) -> Response:
        """Leave."""
        await self._checked(request)
        self._door.leave(request)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def ask(self, request: Request) -> Response:
        """The question whether somebody means it, for browsers without scripts."""
        return await run_in_threadpool(self._asked, request)

    async def switch(self, request: Request) -> Response:
        """Halt, resume or flatten."""
        form, visit = await self._checked(request)
        world = self._world_of(form)
        visit.person = form.get("by", "")
        said = await run_in_threadpool(
            self._acts.switch, world, request.path_params["what"], form.get("why", ""), visit.person
        )
        visit.said.append(("good", said))
        await run_in_threadpool(self._page.watching.followed(world).catch_up)
        return RedirectResponse(_back(form), 303)

    async def tell(self, request: Request) -> Response:
        """Tell the recycler something."""
        form, visit = await self._checked(request)
        visit.person = form.get("by", "")
        remote = self._page.remote
        try:
            method, path, details = order_of(form, remote.status)
            world = self._world_of({"world": str((remote.status or {}).get("world", ""))} if remote.status else form)
            await run_in_threadpool(self._acts.tell, remote, world, method, path, details, visit.person)
            await run_in_threadpool(remote.look)
        except TandemError as error:
            visit.said.append(("bad", str(error)))
        else:
            visit.said.append(("good", f"The recycler was told: {told(path, details)}."))
        return RedirectResponse(_back(form), 303)

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

    def _inside(self, answer: Answer) -> Answer:
        async def inside(request: Request) -> Response:
            visit = self._door.visit(request)
            if visit is None and self._door.is_locked:
                if not self._door.knows(request):
                    return self._stranger(request)
                visit = Visit()
            if visit is not None:
                request.state.visit = visit
                return await answer(request)
            name, request.state.visit = self._door.admit()
            return self._with_cookie(await answer(request), request, name)

        return inside

    def _stranger(self, request: Request) -> Response:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Log in first.\n", 401)

    def _let_in(self, answer: Response, request: Request) -> tuple[Response, Visit]:
        name, visit = self._door.admit()
        return self._with_cookie(answer, request, name), visit

    def _with_cookie(self, answer: Response, request: Request, name: str) -> Response:
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, name, LASTS_SECONDS, path="/", secure=secure, httponly=True, samesite="strict")
        return answer

    def _shown(self, view: View, request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        visit: Visit = request.state.visit
        followed = self._page.watching.followed(self._page.world(asked))
        with followed.lock:
            context = self._context(view, followed, asked)
            context |= {
                "visit": visit,
                "said": visit.said[:],
                "here": _address(request),
            }
            body = self._page.render(f"{view.name}.html", context)
        visit.said.clear()
        return HTMLResponse(body, 404 if context.get("is_missing") else 200)

    def _context(self, view: View, followed: Any, asked: Mapping[str, str]) -> Context:
        query = {name: value for name, value in asked.items() if name != "world"}
        context = self._page.frame(followed, asked) | {"view": view, "views": VIEWS, "asked": asked}
        context["is_locked"] = self._door.is_locked
        pinned = {"world": context["pinned"]} if context["pinned"] else {}
        context["suffix"] = f"?{urlencode(pinned)}" if pinned else ""
        context["stream"] = f"/events/{view.name}?{urlencode(query | pinned)}"
        return context | view.make(self._page, followed, asked)

    def _asked(self, request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        if asked["what"] not in ("halt", "resume", "flatten"):
            raise HTTPException(404)
        followed = self._page.watching.followed(self._page.world(asked))
        with followed.lock:
            context = self._context(VIEWS["desk"], followed, asked)
            context |= {
                "visit": request.state.visit,
                "said": [],
                "here": "/",
                "what": asked["what"],
            }
            return HTMLResponse(self._page.render("ask.html", context))

    async def _changes(self, view: View, asked: Mapping[str, str]) -> AsyncIterator[bytes]:
        sent: dict[str, int] = {}
        world, heard, quiet = self._page.world(asked), self._page.bell.rung, 0
        self._streams += 1
        try:
            yield b"retry: 1000\n\n"
            while not self._page.bell.ended:
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

    async def _checked(self, request: Request) -> tuple[dict[str, str], Visit]:
        form, visit = await _form(request), self._door.visit(request)
        if visit is None or not compare_digest(form.get("csrf", "").encode(), visit.csrf.encode()):
            raise HTTPException(403, "The form is too old. Load the page again and repeat what you did.")
        return form, visit

    def _world_of(self, form: Mapping[str, str]) -> Any:
        world = self._page.watching.world(form.get("world", ""))
        if world is None:
            raise HTTPException(400, "There is no such world.")
        return world


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = "no-cache"
        return answer


async def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413, "That is more than a form holds.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise HTTPException(400, "That is no form.") from None


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _back(form: Mapping[str, str]) -> str:
    back = form.get("back", "/")
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
