"""Limits that stop new entries, checked before every one."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from tandem.config import RiskSettings
from tandem.market import Refusal
from tandem.risk.halt import Standing, Switch


@dataclass(frozen=True, slots=True)
class Equity:
    """Dollars now, at the session's start, and at the best mark so far."""

    now: Decimal
    at_open: Decimal
    peak: Decimal


@dataclass(frozen=True, slots=True)
class Baseline:
    """Equity when a person re-armed entries, in dollars: loss limits count from there."""

    kind: ClassVar = "baseline"

    equity: Decimal


def breached(equity: Equity, risk: RiskSettings) -> Switch | None:
    """The halt that a loss calls for: it survives restarts until a person re-arms."""
    day = 1 - equity.now / equity.at_open
    if day >= Decimal(str(risk.max_daily_loss_share)):
        why = f"lost {day:.2%} of equity today, the limit is {risk.max_daily_loss_share:.2%}"
        return Switch(Standing.HALTED, why, "risk")
    drawdown = 1 - equity.now / equity.peak
    if drawdown >= Decimal(str(risk.max_drawdown_share)):
        why = f"drawdown of {drawdown:.2%}, the limit is {risk.max_drawdown_share:.2%}"
        return Switch(Standing.HALTED, why, "risk")
    return None


def too_many_orders(sent_last_minute: int, risk: RiskSettings) -> Refusal | None:
    """Refuses an entry whose two orders would pass the limit of a minute."""
    if sent_last_minute + 2 <= risk.max_orders_per_minute:
        return None
    why = f"{sent_last_minute} orders within a minute, the limit is {risk.max_orders_per_minute}"
    return Refusal("order rate", why, "risk")
