"""Figures, times and counts as people read them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from tandem.market import NEW_YORK, Timeframe, cents, costs_in_cents
from tandem.operations.run.measure import Measure


def dollars(value: Decimal, *, signed: bool = True) -> str:
    """`+$1,234.56`; a loss is `-$1,234.56`, with a proper minus sign."""
    rounded = cents(value)
    sign = "\u2212" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}${abs(rounded):,.2f}"


def paid(gross: Decimal, net: Decimal) -> str:
    """The costs between a gross and a net that are shown beside them, `$17.82`."""
    return dollars(costs_in_cents(gross, net), signed=False)


def forecaster(model: str) -> str:
    """Who forecast, by the name that a signal has: a recipe's own, or the baseline's."""
    return "the AR(1) baseline" if model == "baseline" else model


def percent(share: float, places: int = 2) -> str:
    """A share as a percentage."""
    return f"{share:.{places}%}".replace("-", "\u2212")


def plain(value: float | None, places: int = 2) -> str:
    """A number, or `n/a`."""
    return "n/a" if value is None else f"{value:,.{places}f}".replace("-", "\u2212")


def of_measure(measure: Measure) -> str:
    """The value of a metric in its unit, or `n/a`."""
    if measure.value is None:
        return "n/a"
    if measure.unit == "share":
        return percent(measure.value)
    if measure.unit == "count":
        return plain(measure.value, 0)
    unit = {"bars": " bars", "bps": " bps"}.get(measure.unit, "")
    return plain(measure.value) + unit


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 trade`, `2 trades`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def weekday(day: date) -> str:
    """`Mon 23 Jan`."""
    return f"{day:%a} {day.day} {day:%b}"


def period(days: Sequence[date]) -> str:
    """`Mon 23 to Mon 30 Jan 2023`."""
    if not days:
        return "no session"
    first, last = days[0], days[-1]
    if first == last:
        return f"{weekday(first)} {first.year}"
    if first.year != last.year:
        return f"{weekday(first)} {first.year} to {weekday(last)} {last.year}"
    short = f"{first:%a} {first.day}" if first.month == last.month else weekday(first)
    return f"{short} to {weekday(last)} {last.year}"


def span(first: date, last: date) -> str:
    """`Mon 23 Jan`, or `Mon 23 Jan to Tue 24 Jan`."""
    return weekday(first) if first == last else f"{weekday(first)} to {weekday(last)}"


def bar_length(timeframe: Timeframe) -> str:
    """`5 minutes`."""
    number = timeframe.rstrip("MinHourDay")
    return counted(int(number), {"Min": "minute", "Hour": "hour", "Day": "day"}[timeframe.removeprefix(number)])


def clock_time(moment: datetime | None) -> str:
    """`09:35` in New York."""
    return "" if moment is None else f"{moment.astimezone(NEW_YORK):%H:%M}"


def moment_text(moment: datetime | None) -> str:
    """`Wed 25 Jan 09:35` in New York."""
    return "" if moment is None else f"{weekday(moment.astimezone(NEW_YORK).date())} {clock_time(moment)}"


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    found = list(parts)
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)


def shares_text(qty: Decimal) -> str:
    """`12` or `12.35` shares."""
    return f"{qty:,.2f}".rstrip("0").rstrip(".")


def price_text(value: Decimal | None) -> str:
    """Dollars per share, or a dash where nothing filled."""
    return "\u2013" if value is None else f"{value:,.2f}"
