"""Figures, times and tones as the templates write them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from tandem.market import NEW_YORK
from tandem.operations.run.wording import dollars, shares_text, weekday
from tandem.operations.run.wording import paid as between

NOTHING: Final = "\u2013"
Number = float | int | Decimal | None


def usd(value: Number, places: int = 2) -> str:
    """`$1,234.56`, a loss with a proper minus sign."""
    if value is None:
        return NOTHING
    amount = Decimal(str(value))
    return dollars(amount, signed=False) if places else f"{'' if amount >= 0 else _MINUS}${abs(amount):,.0f}"


def gain(value: Number) -> str:
    """`+$1,234.56`."""
    return NOTHING if value is None else dollars(Decimal(str(value)))


def paid(gross: Number, net: Number) -> str:
    """The costs between a gross and a net: the three add up to the cent."""
    return NOTHING if gross is None or net is None else between(Decimal(str(gross)), Decimal(str(net)))


def plain(value: Number, places: int = 2) -> str:
    """A number with its decimals, and a proper minus sign."""
    return NOTHING if value is None else f"{value:,.{places}f}".replace("-", _MINUS)


def signed(value: Number, places: int = 2) -> str:
    """The same with a sign."""
    return NOTHING if value is None else f"{value:+,.{places}f}".replace("-", _MINUS)


def percent(value: Number, places: int = 2) -> str:
    """A share as a percentage."""
    return NOTHING if value is None else f"{value:.{places}%}".replace("-", _MINUS)


def pvalue(value: Number) -> str:
    """A probability: three decimals, or that it is smaller."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def shares(value: Number) -> str:
    """Signed shares, with a proper minus sign."""
    return NOTHING if value is None else shares_text(Decimal(str(value))).replace("-", _MINUS)


def tone(value: Number) -> str:
    """The class of a gain, a loss or neither."""
    cents = 0 if value is None else round(float(value), 2)
    return "gain" if cents > 0 else "loss" if cents < 0 else ""


def clock(moment: datetime | None, form: str = "minute") -> Markup:
    """A moment in New York, with UTC on hover: as `minute` 09:35, `second` 09:35:10, `day` Wed 25 Jan 09:35, `date` or
    `whole` 2023-01-25 09:35."""
    if moment is None:
        return Markup(NOTHING)  # noqa: S704
    local = moment.astimezone(NEW_YORK)
    words = {
        "minute": f"{local:%H:%M}",
        "second": f"{local:%H:%M:%S}",
        "day": f"{weekday(local.date())} {local:%H:%M}",
        "date": weekday(local.date()),
        "whole": f"{local:%Y-%m-%d %H:%M}",
    }[form]
    utc = moment.astimezone(UTC)
    title = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", title, words)


def day(value: date | None, *, year: bool = False) -> str:
    """`Wed 25 Jan`."""
    return NOTHING if value is None else weekday(value) + (f" {value.year}" if year else "")


def lasting(value: timedelta | float | None) -> str:
    """A length of time: `45 s`, `12 min`, `3 h 5 min`, `2 d`."""
    if value is None:
        return NOTHING
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d"


def action(value: str) -> str:
    """`enter_long` as a trader says it."""
    return value.replace("_", " ")


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "usd": usd,
    "gain": gain,
    "paid": paid,
    "plain": plain,
    "signed": signed,
    "percent": percent,
    "pvalue": pvalue,
    "shares": shares,
    "tone": tone,
    "clock": clock,
    "day": day,
    "lasting": lasting,
    "action": action,
}
_MINUS: Final = "\u2212"
