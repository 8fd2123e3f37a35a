"""Which symbols there are beside those that are replayed."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Thread

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import StoreError
from tandem.recycler.rest.gate import Answer

Ask = Callable[[], Iterable[str]]


class Listing:
    """Every symbol that has bars where a recycler reads them: asked once, beside the event loop.

    Args:
        ask: blocks until the symbols are known; None where there are no others.
    """

    def __init__(self, ask: Ask | None = None) -> None:
        self._found: Future[frozenset[str]] = Future()
        self._found.set_running_or_notify_cancel()  # a client that goes away while it waits takes nothing with it
        if ask is None:
            self._found.set_result(frozenset())
        else:
            Thread(target=self._look, args=(ask,), daemon=True).start()

    @property
    def symbols(self) -> frozenset[str]:
        """What has been found so far: nothing, then everything."""
        return self._found.result() if self._found.done() else frozenset()

    async def known(self) -> None:
        """Return when it is known."""
        if not self._found.done():
            await asyncio.wrap_future(self._found)

    def before(self, answer: Answer) -> Answer:
        """An endpoint that answers when it is known."""

        async def behind(request: Request) -> Response:
            await self.known()
            return await answer(request)

        return behind

    def _look(self, ask: Ask) -> None:
        found: frozenset[str] = frozenset()
        try:
            found = frozenset(ask())
        except StoreError:
            pass  # What cannot be read cannot be traded either, and what is replayed is known.
        finally:
            self._found.set_result(found)
