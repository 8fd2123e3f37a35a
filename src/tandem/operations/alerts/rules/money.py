"""Losses: of the day, and since the best mark."""

from collections.abc import Iterator
from datetime import datetime

from tandem.market import NEW_YORK
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.run.wording import dollars, percent


def drawdown(known: Known, moment: datetime, share: float) -> Iterator[Finding]:
    """Equity is so far below its best mark since entries were last re-armed."""
    equity = known.equity
    if equity is not None and equity.drawdown >= share > 0:
        figures = f"Equity is {dollars(equity.now, signed=False)}, its best mark {dollars(equity.peak, signed=False)}"
        halts = f"entries halt at {percent(known.settings.risk.max_drawdown_share)}."
        yield Finding("equity", f"Drawdown of {percent(equity.drawdown)}", f"{figures}; {halts}")


def daily_loss(known: Known, moment: datetime, share: float) -> Iterator[Finding]:
    """Equity is so far below where the session before the newest ended, on that day."""
    equity, mark = known.equity, known.mark
    if equity is None or mark is None or moment.astimezone(NEW_YORK).date() > mark.session:
        return
    if equity.loss_today >= share > 0:
        lost = dollars(equity.now - equity.at_open)
        figures = f"Equity is {dollars(equity.now, signed=False)}, {lost} since the session before ended"
        halts = f"entries halt at {percent(known.settings.risk.max_daily_loss_share)}."
        yield Finding(str(mark.session), f"{percent(equity.loss_today)} lost today", f"{figures}; {halts}")
