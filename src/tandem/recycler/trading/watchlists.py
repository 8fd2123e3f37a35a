"""`/v2/watchlists`: named lists of assets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from tandem.matching import malformed, unknown, unprocessable
from tandem.recycler.rest.answer import nothing, reply
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.assets import Assets
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import id_of

LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A named list of assets.

    Attributes:
        number: how many lists had been made with this one.
        created, updated: market time, UTC.
    """

    number: int
    name: str
    symbols: tuple[str, ...]
    created: datetime
    updated: datetime


class Watchlists:
    """The account's lists, by id or by name."""

    def __init__(self, broker: Broker, assets: Assets) -> None:
        self._broker = broker
        self._assets = assets
        kept = broker.journal.kept("watchlists", tuple[Watchlist, ...]) or ()
        self._lists = {watchlist.number: watchlist for watchlist in kept}
        self._made = max(self._lists, default=0)

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        one, named = "/v2/watchlists/{id}", "/v2/watchlists:by_name"
        table = [
            ("GET", "/v2/watchlists", self.watchlists),
            ("POST", "/v2/watchlists", self.create),
            *((verb, path, answer) for path in (one, named) for verb, answer in self._verbs()),
            ("DELETE", one + "/{symbol}", self.remove),
            ("DELETE", named + "/{symbol}", self.remove),
        ]
        return [(method, path, self._broker.listing.before(answer)) for method, path, answer in table]

    async def watchlists(self, _: Request) -> Response:
        """Every list, without its assets."""
        return reply([self._told(watchlist, full=False) for watchlist in self._lists.values()])

    async def create(self, request: Request) -> Response:
        """Make a list."""
        asked = await Asked.body(request)
        name, symbols, now = self._new_name(asked.text("name")), self._symbols(asked), self._broker.replay.time
        self._made += 1
        return await self._keep(Watchlist(self._made, name, symbols or (), now, now))

    async def watchlist(self, request: Request) -> Response:
        """One list with its assets."""
        return self._answer(self._asked_for(request))

    async def update(self, request: Request) -> Response:
        """Another name, or other assets in place of those that are there."""
        watchlist, asked = self._asked_for(request), await Asked.body(request)
        name, symbols = asked.text("name"), self._symbols(asked)
        if name is not None and name != watchlist.name:
            watchlist = replace(watchlist, name=self._new_name(name))
        return await self._keep(watchlist if symbols is None else replace(watchlist, symbols=symbols))

    async def add(self, request: Request) -> Response:
        """Put an asset at the end of a list."""
        watchlist = self._asked_for(request)
        symbol = self._symbol((await Asked.body(request)).text("symbol") or "")
        if symbol in watchlist.symbols:
            raise unprocessable(f"duplicate symbol: {symbol}")
        return await self._keep(replace(watchlist, symbols=(*watchlist.symbols, symbol)))

    async def remove(self, request: Request) -> Response:
        """Take an asset off a list."""
        watchlist, symbol = self._asked_for(request), request.path_params["symbol"]
        if symbol not in watchlist.symbols:
            raise unknown(f"symbol not found: {symbol[:100]}")
        return await self._keep(replace(watchlist, symbols=tuple(s for s in watchlist.symbols if s != symbol)))

    async def delete(self, request: Request) -> Response:
        """Make an end of a list."""
        del self._lists[self._asked_for(request).number]
        await self._keep_all()
        return nothing()

    def _verbs(self) -> list[tuple[str, Answer]]:
        return [("GET", self.watchlist), ("PUT", self.update), ("POST", self.add), ("DELETE", self.delete)]

    def _asked_for(self, request: Request) -> Watchlist:
        id = request.path_params.get("id")
        name = None if id else Asked.query(request).text("name")
        for watchlist in self._lists.values():
            if watchlist.name == name if id is None else self._id(watchlist) == id.lower():
                return watchlist
        if id is not None and not _is_uuid(id):
            raise unprocessable(f"watchlist id is not a UUID: {id[:100]}")
        raise unknown("watchlist not found")

    def _new_name(self, name: str | None) -> str:
        if name is None:
            raise malformed("watchlist name is required")
        if len(name) > LONGEST_NAME:
            raise malformed(f"watchlist name must be no more than {LONGEST_NAME} characters")
        if any(watchlist.name == name for watchlist in self._lists.values()):
            raise unprocessable("watchlist name must be unique")
        return name

    def _symbols(self, asked: Asked) -> tuple[str, ...] | None:
        names = asked.names("symbols")
        return None if names is None else tuple(dict.fromkeys(map(self._symbol, names)))

    def _symbol(self, name: str) -> str:
        asset = self._assets.find(name)
        if asset is None:
            raise unprocessable(f"asset not found for {name[:100]}")
        return str(asset["symbol"])

    async def _keep(self, watchlist: Watchlist) -> Response:
        kept = replace(watchlist, updated=self._broker.replay.time)
        self._lists[kept.number] = kept
        await self._keep_all()
        return self._answer(kept)

    async def _keep_all(self) -> None:
        await self._broker.keep("watchlists", tuple(self._lists.values()))

    def _answer(self, watchlist: Watchlist) -> Response:
        return reply(self._told(watchlist), headers=self._assets.proxies(watchlist.symbols))

    def _told(self, watchlist: Watchlist, *, full: bool = True) -> dict[str, Any]:
        told = {
            "id": self._id(watchlist),
            "account_id": self._broker.account_id,
            "created_at": watchlist.created,
            "updated_at": watchlist.updated,
            "name": watchlist.name,
        }
        return {**told, "assets": self._shown(watchlist.symbols)} if full else told

    def _shown(self, symbols: Sequence[str]) -> list[dict[str, Any]]:
        return [asset for symbol in symbols if (asset := self._assets.find(symbol))]

    def _id(self, watchlist: Watchlist) -> str:
        return id_of(f"{self._broker.replay.engine.world}/watchlist/{watchlist.number}")


def _is_uuid(id: str) -> bool:
    try:
        UUID(id)
    except ValueError:
        return False
    return True
