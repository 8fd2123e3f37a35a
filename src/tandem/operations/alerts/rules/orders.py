"""Orders that went wrong: one leg without the other, and refusals of the broker."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tandem.execution import Outcome
from tandem.market import NEW_YORK
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.run.wording import clock_time, dollars, percent

FEWEST_ORDERS: Final = 5


def naked_leg(known: Known, moment: datetime, times: float) -> Iterator[Finding]:
    """One leg stands further than the other beyond the budget of seconds or dollars, or a pair order is stuck."""
    budget = known.settings.execution
    for legs in known.under_way.values():
        ahead = legs.naked_dollars
        if legs.since is None or not ahead:
            continue
        seconds = (moment - legs.since).total_seconds()
        if seconds > times * budget.naked_seconds or float(ahead) > times * float(budget.naked_dollars):
            pair, since = str(legs.intent.pair), clock_time(legs.since)
            text = f"{dollars(ahead, signed=False)} on one leg since {since}, {seconds:.0f} s; the budget is "
            text += f"{dollars(budget.naked_dollars, signed=False)} and {budget.naked_seconds} s."
            yield Finding(pair, f"{pair} stands on one leg", text, pair)
    working = {str(legs.intent.pair) for legs in known.under_way.values()}
    for pair, record in known.ended.items():
        if record.body.outcome is Outcome.STUCK and pair not in working:
            text = f"The order to {record.body.purpose} of {clock_time(record.at)} could not be brought to an end in "
            text += f"{record.body.orders} orders; the next decision closes what is left of the trade."
            yield Finding(pair, f"The order of {pair} is stuck", text, pair)


def reject_rate(known: Known, moment: datetime, share: float) -> Iterator[Finding]:
    """The broker refused such a share of the orders sent today."""
    if known.mark is None or known.orders < FEWEST_ORDERS or known.refused < share * known.orders or not known.refused:
        return
    day = known.mark.session
    if moment.astimezone(NEW_YORK).date() <= day:
        rate = percent(known.refused / known.orders, 0)
        text = f"The broker refused {known.refused} of the {known.orders} orders sent today; the refusals say why."
        yield Finding(str(day), f"{rate} of today's orders were refused", text)
