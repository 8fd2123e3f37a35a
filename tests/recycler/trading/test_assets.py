"""Assets."""

import pytest
from alpaca.trading.enums import AssetClass, AssetStatus, OrderSide, TimeInForce
from alpaca.trading.requests import GetAssetsRequest, MarketOrderRequest

from tandem.market import Timeframe


def test_every_symbol_on_the_reel_can_be_traded_split_and_borrowed(trader):
    assets = trader.client.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY))
    assert [asset.symbol for asset in assets] == ["AAPL", "MSFT"]
    assert all(one.tradable and one.shortable and one.fractionable and one.easy_to_borrow for one in assets)
    assert trader.client.get_asset("MSFT") == trader.client.get_asset(assets[1].id) == assets[1]


@pytest.mark.parametrize(
    "query", ["status=inactive", "asset_class=crypto", "exchange=NYSE", "attributes=ptp_no_exception"]
)
def test_what_is_filtered_out_is_not_shown(trader, query):
    assert trader.get(f"/v2/assets?{query}") == []


@pytest.mark.parametrize("name", ["QQQ", "BTC/USD", "%F0%9F%A6%99", "aapl"])
def test_an_asset_that_is_none_is_not_found(trader, name):
    status, said = trader.ask("GET", f"/v2/assets/{name}")
    assert (status, said["code"]) == (404, 40410000)


def test_no_company_ever_acts(trader):
    assert trader.get("/v2/corporate_actions/announcements?ca_types=dividend&since=2023-01-01&until=2023-01-31") == []


def test_answers_about_a_symbol_that_plays_anothers_bars_say_so(run):
    with run("2023-01-04T14:34:00Z", symbols=("AAPL", "MSFT", "PDFS"), proxies={"PDFS": "AAPL"}) as proxied:
        proxied.client.submit_order(
            MarketOrderRequest(symbol="PDFS", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        )
        proxied.minutes_on()
        for path in ("/v2/assets", "/v2/assets/PDFS", "/v2/positions", "/v2/positions/PDFS", "/v2/orders?status=all"):
            assert proxied.headers(path)["X-Tandem-Proxy"] == "PDFS=AAPL"
        assert "X-Tandem-Proxy" not in proxied.headers("/v2/assets/AAPL")
        assert "X-Tandem-Proxy" not in proxied.headers("/v2/orders")


@pytest.fixture
def listed(store, days, monkeypatch, run):
    """A recycler that plays AAPL and MSFT of a store which has bars of IBM and, by the day, of ZION too."""
    monkeypatch.setenv("TANDEM_DATABASE_URL", store.url)
    store.bars.load(days, timeframe=Timeframe.MIN_1, source="sample")
    one = days[days["symbol"] == "AAPL"]
    store.bars.load(one.assign(symbol="IBM"), timeframe=Timeframe.MIN_1, source="sample")
    store.bars.load(one.iloc[:1].assign(symbol="ZION"), timeframe=Timeframe.DAY_1, source="sample")
    with run(bars=None) as trader:
        yield trader


def test_symbols_of_the_store_that_are_not_played_are_assets_that_cannot_be_traded(listed):
    assets = listed.client.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))
    played = {"AAPL": True, "IBM": False, "MSFT": True, "ZION": False}
    assert [asset.symbol for asset in assets] == list(played)
    for attribute in ("tradable", "shortable", "fractionable", "easy_to_borrow"):
        assert {asset.symbol: getattr(asset, attribute) for asset in assets} == played
    assert listed.client.get_asset("IBM") == listed.client.get_asset(assets[1].id) == assets[1]
    assert [one["symbol"] for one in listed.get("/v2/assets?attributes=fractional_eh_enabled")] == ["AAPL", "MSFT"]
    assert listed.ask("GET", "/v2/assets/TSLA")[0] == 404


def test_an_order_in_an_asset_that_is_not_played_says_so(listed):
    order = {"qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    for symbol, why in (("ZION", "is not tradable"), ("TSLA", "not found")):
        status, said = listed.ask("POST", "/v2/orders", {**order, "symbol": symbol})
        assert (status, said) == (422, {"code": 42210000, "message": f'asset "{symbol}" {why}'})


def test_an_asset_that_is_not_played_may_be_watched(listed):
    status, made = listed.ask("POST", "/v2/watchlists", {"name": "later", "symbols": ["IBM", "AAPL"]})
    assert status == 200
    assert [(one["symbol"], one["tradable"]) for one in made["assets"]] == [("IBM", False), ("AAPL", True)]
