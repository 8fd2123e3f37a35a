"""Every page of the site: its template, and the parts of it that are refreshed."""

from typing import Final

from tandem.operations.dashboard.page import View
from tandem.operations.dashboard.pages.desk import desk
from tandem.operations.dashboard.pages.models import models
from tandem.operations.dashboard.pages.others import alerts, order, orders, recycler, runs
from tandem.operations.dashboard.pages.pair import pair
from tandem.operations.dashboard.pages.pairs import pairs

VIEWS: Final = {
    view.name: view
    for view in (
        View("desk", "/", "Desk", ("strip", "positions", "earned", "decisions", "health"), desk),
        View("pairs", "/pairs", "Pairs", ("funnel", "pairs"), pairs),
        View("pair", "/pairs/{a}/{b}", "Pair", ("pairnow", "trades", "refusals"), pair, within="pairs"),
        View("models", "/models", "Models", ("registry", "scores", "evolution", "verdicts"), models),
        View("orders", "/orders", "Orders", ("orders",), orders),
        View("order", "/orders/{order:path}", "Order", ("life",), order, within="orders"),
        View("recycler", "/recycler", "Recycler", ("playing", "faults"), recycler),
        View("runs", "/runs", "Runs", ("flows", "prefect", "processes"), runs),
        View("alerts", "/alerts", "Alerts", ("active", "past"), alerts),
    )
}
