"""Forms that are sent: letting in, and what persons change."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tandem.market import TandemError, World
from tandem.operations.dashboard.access import Door, Visit
from tandem.operations.dashboard.acts import Acts
from tandem.operations.dashboard.page import Page
from tandem.operations.dashboard.telling import order_of, told

LARGEST: Final = 16 << 10


class Forms:
    """Takes forms. One that changes something carries the mark of its visit."""

    def __init__(self, page: Page, acts: Acts, door: Door) -> None:
        self._page = page
        self._acts = acts
        self._door = door

    def routes(self) -> list[BaseRoute]:
        """Every address that takes one."""
        return [
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/logout", self._door.inside(self.logout), methods=["POST"]),
            Route("/switch/{what}", self._door.inside(self.switch), methods=["POST"]),
            Route("/recycler/tell", self._door.inside(self.tell), methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """Show the token once."""
        if not self._door.is_locked:
            return RedirectResponse("/", 303)
        status = 200
        if request.method == "POST":
            form = await _form(request)
            if self._door.opens_to(form.get("token", ""), request):
                return self._door.let_in(RedirectResponse("/", 303), request)
            status = 429 if self._door.has_had_enough(request) else 403
        return HTMLResponse(self._page.render("login.html", {"wrong": status != 200}), status)

    async def logout(self, request: Request) -> Response:
        """Leave."""
        await self._checked(request)
        return self._door.see_off(RedirectResponse("/login", 303), request)

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
            world = self._world_of(form if remote.status is None else {"world": str(remote.status["world"])})
            await run_in_threadpool(self._acts.tell, remote, world, method, path, details, visit.person)
            await run_in_threadpool(remote.look)
        except TandemError as error:
            visit.said.append(("bad", str(error)))
        else:
            visit.said.append(("good", told(method, path, details)))
        return RedirectResponse(_back(form), 303)

    async def _checked(self, request: Request) -> tuple[dict[str, str], Visit]:
        form, visit = await _form(request), self._door.visit(request)
        if visit is None or not compare_digest(form.get("csrf", "").encode(), visit.csrf.encode()):
            raise HTTPException(403, "The form is too old. Load the page again and repeat what you did.")
        return form, visit

    def _world_of(self, form: Mapping[str, str]) -> World:
        world = self._page.watching.world(form.get("world", ""))
        if world is None:
            raise HTTPException(400, "There is no such world.")
        return world


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413, "That is more than a form holds.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise HTTPException(400, "That is no form.") from None


def _back(form: Mapping[str, str]) -> str:
    back = form.get("back", "/")
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
