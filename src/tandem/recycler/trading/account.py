"""`/v2/account` and its configuration."""

from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import NEW_YORK
from tandem.recycler.rest.answer import reply, text
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.broker import Broker

INITIAL: Final = Decimal("0.5")
MAINTENANCE: Final = Decimal("0.3")
NOTHING: Final = Decimal(0)


class AccountPage:
    """Cash, equity, buying power, and what the owner has forbidden."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/account/configurations", self.configuration),
            ("PATCH", "/v2/account/configurations", self.configure),
        ]

    async def account(self, _: Request) -> Response:
        """The account at the last closes."""
        return reply(self._told())

    async def configuration(self, _: Request) -> Response:
        """What is forbidden and allowed."""
        return reply(self._broker.configuration.shown())

    async def configure(self, request: Request) -> Response:
        """Forbid or allow; what is not named stays."""
        changed = self._broker.configuration.changed(await Asked.body(request))
        await self._broker.configure(changed)
        return reply(changed.shown())

    def _told(self) -> dict[str, Any]:
        broker, engine = self._broker, self._broker.replay.engine
        account, configuration = engine.account(), broker.configuration
        long, short = self._sides()
        exposure = long - short
        evening = self._evening_exposure()
        return {
            "id": broker.account_id,
            "account_number": f"TANDEM-{engine.world}",
            "status": "ACTIVE",
            "crypto_status": "INACTIVE",
            "currency": "USD",
            "cash": text(account.cash),
            "equity": text(account.equity),
            "last_equity": text(broker.evening.equity),
            "portfolio_value": text(account.equity),
            "buying_power": text(account.buying_power),
            "regt_buying_power": text(account.buying_power),
            "effective_buying_power": text(account.buying_power),
            "non_marginable_buying_power": text(max(min(account.cash + short, account.buying_power), NOTHING)),
            "options_buying_power": "0",
            "options_approved_level": 0,
            "options_trading_level": 0,
            "multiplier": configuration.max_margin_multiplier,
            "initial_margin": text(exposure * INITIAL),
            "maintenance_margin": text(exposure * MAINTENANCE),
            "last_maintenance_margin": text(evening * MAINTENANCE),
            "long_market_value": text(long),
            "short_market_value": text(short),
            "position_market_value": text(exposure),
            "sma": "0",
            "accrued_fees": "0",
            "pending_transfer_in": "0",
            "pending_transfer_out": "0",
            "shorting_enabled": account.shorting_enabled and not configuration.no_shorting,
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": configuration.suspend_trade,
            "created_at": broker.opened,
            "balance_asof": broker.replay.time.astimezone(NEW_YORK).date().isoformat(),
        }

    def _sides(self) -> tuple[Decimal, Decimal]:
        positions = self._broker.replay.engine.positions().values()
        values = [held.qty * (self._broker.close(held.symbol) or held.average_price) for held in positions]
        long = sum((value for value in values if value > 0), NOTHING)
        return long, sum(values, NOTHING) - long

    def _evening_exposure(self) -> Decimal:
        evening = self._broker.evening
        values = (abs(qty) * evening.closes.get(symbol, NOTHING) for symbol, qty in evening.shares.items())
        return sum(values, NOTHING)
