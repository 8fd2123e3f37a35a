"""What an account's owner has forbidden or allowed: `/v2/account/configurations`."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from tandem.recycler.rest.asked import Asked


class Email(StrEnum):
    """When Alpaca writes letters; here it never does."""

    ALL = "all"
    NONE = "none"


MULTIPLIERS: Final = ("1", "2", "4")
FLAGS: Final = (
    "fractional_trading",
    "no_shorting",
    "suspend_trade",
    "ptp_no_exception_entry",
    "disable_overnight_trading",
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The account's settings.

    Attributes:
        no_shorting: long positions only.
        suspend_trade: no new orders.
        fractional_trading: parts of shares, and orders in dollars.
        max_margin_multiplier: how many times its equity the account may hold: 1, 2 or 4.
        trade_confirm_email, ptp_no_exception_entry, max_options_trading_level, disable_overnight_trading:
            kept and shown, without effect.
    """

    no_shorting: bool = False
    suspend_trade: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: str = "2"
    trade_confirm_email: Email = Email.ALL
    ptp_no_exception_entry: bool = False
    max_options_trading_level: int | None = None
    disable_overnight_trading: bool = False

    def changed(self, asked: Asked) -> "Configuration":
        """The configuration after a PATCH; what is not named, or null, stays.

        Raises:
            Rejected: a value that makes no sense.
        """
        changes: dict[str, Any] = {name: asked.flag(name) for name in FLAGS}
        changes["trade_confirm_email"] = asked.word("trade_confirm_email", Email)
        changes["max_margin_multiplier"] = asked.one_of(
            "max_margin_multiplier", MULTIPLIERS, self.max_margin_multiplier
        )
        if asked.has("max_options_trading_level"):
            changes["max_options_trading_level"] = asked.whole("max_options_trading_level", 0, 3, least=0)
        return replace(self, **{name: value for name, value in changes.items() if value is not None})

    def shown(self) -> dict[str, Any]:
        """As Alpaca shows it; the checks of pattern day trading are gone there."""
        return {**asdict(self), "dtbp_check": None, "pdt_check": None}
