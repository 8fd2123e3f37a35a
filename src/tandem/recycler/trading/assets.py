"""`/v2/assets`: everything that can be traded here."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tandem.matching import unknown
from tandem.recycler.rest.answer import reply
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import asset_id


class Assets:
    """The symbols on the reel, each of which may be traded, split and borrowed, and the others that have bars."""

    def __init__(self, broker: Broker) -> None:
        reel = broker.replay.reel
        self._proxies = dict(reel.proxies)
        self._listing = broker.listing
        self._by_symbol = {symbol: asset(symbol) for symbol in reel.symbols}
        self._by_id = {one["id"]: one for one in self._by_symbol.values()}
        self._whole = False

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        table = [("GET", "/v2/assets", self.assets), ("GET", "/v2/assets/{name:path}", self.asset)]
        return [(method, path, self._listing.before(answer)) for method, path, answer in table]

    async def assets(self, request: Request) -> Response:
        """Every asset, or those that are asked for."""
        asked = Asked.query(request)
        wanted = {name: asked.text(name) for name in ("status", "asset_class", "exchange")}
        attributes = set(asked.names("attributes") or ())
        self._complete()
        found = [one for one in self._by_symbol.values() if _fits(one, wanted) and attributes <= set(one["attributes"])]
        return reply(found, headers=self.proxies(one["symbol"] for one in found))

    async def asset(self, request: Request) -> Response:
        """One asset, by its symbol or id."""
        name = request.path_params["name"]
        found = self.find(name)
        if found is None:
            raise unknown(f"asset not found for {name[:100]}")
        return reply(found, headers=self.proxies([found["symbol"]]))

    def find(self, name: str) -> dict[str, Any] | None:
        """The asset of that symbol or id."""
        self._complete()
        return self._by_symbol.get(name) or self._by_id.get(name)

    def proxies(self, symbols: Iterable[str]) -> dict[str, str]:
        """The header that says which of these symbols play another one's bars: `PDFS=AAPL`."""
        found = sorted(f"{symbol}={self._proxies[symbol]}" for symbol in symbols if symbol in self._proxies)
        return {"X-Tandem-Proxy": ",".join(found)} if found else {}

    def _complete(self) -> None:
        if self._whole or not self._listing.symbols:
            return
        others = {symbol: asset(symbol, is_played=False) for symbol in self._listing.symbols - self._by_symbol.keys()}
        self._by_symbol = dict(sorted({**self._by_symbol, **others}.items()))
        self._by_id |= {one["id"]: one for one in others.values()}
        self._whole = True


def asset(symbol: str, *, is_played: bool = True) -> dict[str, Any]:
    """A symbol as Alpaca shows it; only one that is played can be traded."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": is_played,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": is_played,
        "easy_to_borrow": is_played,
        "borrow_status": "easy_to_borrow" if is_played else "not_borrowable",
        "fractionable": is_played,
        "attributes": ["fractional_eh_enabled"] if is_played else [],
    }


def _fits(one: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    has = {"status": one["status"], "asset_class": one["class"], "exchange": one["exchange"]}
    return all(asked is None or asked.lower() == has[name].lower() for name, asked in wanted.items())
