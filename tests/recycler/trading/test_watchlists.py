"""Watchlists, by id and by name."""

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.requests import CreateWatchlistRequest, UpdateWatchlistRequest


@pytest.fixture
def watchlist(trader):
    made = trader.client.create_watchlist(CreateWatchlistRequest(name="mine", symbols=["MSFT"]))
    yield made
    for one in trader.client.get_watchlists():
        trader.client.delete_watchlist_by_id(one.id)


def symbols(watchlist):
    return [asset.symbol for asset in watchlist.assets]


def test_a_watchlist_lives_from_its_making_to_its_end(trader, watchlist):
    client = trader.client
    assert (watchlist.name, symbols(watchlist)) == ("mine", ["MSFT"])
    assert client.get_watchlist_by_id(watchlist.id) == watchlist
    assert [(one.id, one.assets) for one in client.get_watchlists()] == [(watchlist.id, None)]
    assert symbols(client.add_asset_to_watchlist_by_id(watchlist.id, "AAPL")) == ["MSFT", "AAPL"]
    assert symbols(client.remove_asset_from_watchlist_by_id(watchlist.id, "MSFT")) == ["AAPL"]
    updated = client.update_watchlist_by_id(
        watchlist.id, UpdateWatchlistRequest(name="yours", symbols=["MSFT", "AAPL"])
    )
    assert (updated.name, symbols(updated)) == ("yours", ["MSFT", "AAPL"])
    client.delete_watchlist_by_id(watchlist.id)
    assert client.get_watchlists() == []
    with pytest.raises(APIError) as gone:
        client.get_watchlist_by_id(watchlist.id)
    assert gone.value.status_code == 404


def test_a_watchlist_goes_by_its_name(trader, watchlist):
    path = "/v2/watchlists:by_name?name=mine"
    assert trader.get(path)["id"] == str(watchlist.id)
    assert [one["symbol"] for one in trader.ask("POST", path, {"symbol": "AAPL"})[1]["assets"]] == ["MSFT", "AAPL"]
    assert trader.ask("PUT", path, {"symbols": ["AAPL"]})[0] == 200
    assert trader.ask("DELETE", "/v2/watchlists:by_name/AAPL?name=mine")[1]["assets"] == []
    assert trader.ask("DELETE", path) == (204, None)
    assert trader.ask("GET", path) == (404, {"code": 40410000, "message": "watchlist not found"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "", {"name": "mine"}, 422, "watchlist name must be unique"),
        ("POST", "", {}, 422, "watchlist name is required"),
        ("POST", "", {"name": "n" * 65}, 422, "watchlist name must be no more than 64 characters"),
        ("POST", "", {"name": "a\u0000"}, 422, "invalid name: a?"),
        ("POST", "", {"name": "other", "symbols": ["QQQ"]}, 422, "asset not found for QQQ"),
        ("POST", "", {"name": "other", "symbols": [5]}, 422, "invalid symbols: [5]"),
        ("POST", "/{id}", {"symbol": "MSFT"}, 422, "duplicate symbol: MSFT"),
        ("POST", "/{id}", {"symbol": None}, 422, "asset not found for "),
        ("DELETE", "/{id}/QQQ", None, 404, "symbol not found: QQQ"),
        ("GET", "/seven", None, 422, "watchlist id is not a UUID: seven"),
        ("PUT", ":by_name?name=", {}, 404, "watchlist not found"),
    ],
)
def test_what_cannot_be_done_with_a_watchlist_is_refused(trader, watchlist, method, path, body, status, message):
    answered, said = trader.ask(method, "/v2/watchlists" + path.format(id=watchlist.id), body)
    assert (answered, said["message"]) == (status, message)
