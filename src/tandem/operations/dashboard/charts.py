"""What the charts draw, as plain data; times are seconds since 1970 UTC."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import numpy as np

from tandem.book import Trade
from tandem.market import Pair, World
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Page
from tandem.operations.run.wording import dollars
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.store import Store

Chart = dict[str, Any]
BAND: Final = 2.0
LATE_SECONDS: Final = 900


def equity(_: Page, followed: Followed, asked: Asked) -> Chart:
    """Equity in dollars and drawdown in percent at each decision, later than `after` where that is asked."""
    after = int(asked.get("after") or 0)
    points = [point for point in followed.curve.points if point.at.timestamp() > after]
    return {
        "equity": [{"time": int(p.at.timestamp()), "value": round(float(p.equity), 2)} for p in points],
        "drawdown": [{"time": int(p.at.timestamp()), "value": round(-100 * p.drawdown, 4) or 0.0} for p in points],
        "capital": float(followed.capital.cash) if followed.capital else None,
    }


def spread(page: Page, followed: Followed, asked: Asked) -> Chart:
    """z of a pair: the formation window with its GARCH band, then the session's decisions and trades.

    `day` says which session, or `all` for the decisions of every one in memory. Prices are in percent since the left
    end. The band at a decision is what was expected at the one before.
    """
    pair, day = Pair(asked["a"], asked["b"]), asked.get("day", "")
    signals = [each for each in followed.decisions.signals_of(pair) if day in ("all", str(each[1]))]
    passport = None if day in ("", "all") else _passport(page.reading, followed.world, pair, date.fromisoformat(day))
    before = _formation(passport) if passport is not None else _Drawn()
    return (before + _session(followed, pair, signals)).chart(followed, pair, page)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Columns of equal length over times; None is nothing."""

    at: list[int] = field(default_factory=list)
    z: list[float] = field(default_factory=list)
    low: list[float | None] = field(default_factory=list)
    high: list[float | None] = field(default_factory=list)
    stop: list[float | None] = field(default_factory=list)
    a: list[float] = field(default_factory=list)
    b: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def __add__(self, later: "_Drawn") -> "_Drawn":
        last = self.at[-1] if self.at else 0
        kept = [place for place, at in enumerate(later.at) if at > last]
        columns = {
            name: getattr(self, name) + [getattr(later, name)[place] for place in kept]
            for name in ("at", "z", "low", "high", "stop", "a", "b")
        }
        return _Drawn(**columns, starts=later.starts)

    def chart(self, followed: Followed, pair: Pair, page: Page) -> Chart:
        rule = page.settings.rule
        rows = zip(self.at, self.low, self.high, strict=True)
        return {
            "z": _points(self.at, self.z),
            "band": [{"time": at} | ({"low": low, "high": high} if low is not None else {}) for at, low, high in rows],
            "stop": _points(self.at, self.stop),
            "a": _points(self.at, [100 * (value / self.a[0] - 1) for value in self.a]),
            "b": _points(self.at, [100 * (value / self.b[0] - 1) for value in self.b]),
            "names": [pair.a, pair.b],
            "levels": {"enter": rule.enter_z, "exit": rule.exit_z, "stop": rule.stop_z},
            "marks": _marks(followed, pair, self.at),
            "starts": self.starts,
        }


def _formation(passport: Passport) -> _Drawn:
    values = passport.formation_spread
    path = passport.garch.filter(values)
    expected = passport.z(values - path.residuals)
    width = BAND * np.sqrt(path.variances) / passport.deviation
    known = np.isfinite(expected)
    low = [float(each) if fine else None for each, fine in zip(expected - width, known, strict=True)]
    high = [float(each) if fine else None for each, fine in zip(expected + width, known, strict=True)]
    times = [int(start.timestamp()) for start in passport.starts]
    return _Drawn(times, passport.z(values).tolist(), low, high, [None] * len(times),
                  list(passport.closes_a), list(passport.closes_b))  # fmt: skip


def _session(followed: Followed, pair: Pair, signals: Sequence[tuple[datetime, date, Signal]]) -> _Drawn:
    drawn, before = _Drawn(), None
    for at, session, signal in signals:
        passport = followed.mornings.passport(pair, session)
        new = before is None or before[0] != session
        if new:
            drawn.starts.append(int(at.timestamp()))
        low = high = None
        if before is not None and not new and passport is not None and before[1].one_step:
            centre, width = passport.phi * before[1].z, BAND * before[1].one_step / passport.deviation
            low, high = centre - width, centre + width
        for column, value in zip(
            (drawn.at, drawn.z, drawn.low, drawn.high, drawn.stop, drawn.a, drawn.b),
            (int(at.timestamp()), signal.z, low, high, signal.band, signal.price_a, signal.price_b),
            strict=True,
        ):
            column.append(value)  # type: ignore[attr-defined]
        before = session, signal
    return drawn


def _marks(followed: Followed, pair: Pair, times: Sequence[int]) -> list[Chart]:
    """Entries and exits within the picture, each at a point of it."""
    marks = []
    for at, mark in sorted(_moments(followed.money.trades_of(pair)), key=lambda found: found[0]):
        seconds = int(at.timestamp())
        place = bisect_right(times, seconds) - 1
        if place >= 0 and seconds <= times[-1] + LATE_SECONDS:
            marks.append({"time": times[place], **mark})
    return marks


def _moments(trades: Iterable[Trade]) -> Iterator[tuple[datetime, Chart]]:
    for trade in trades:
        side = "long" if trade.entry.direction > 0 else "short"
        yield trade.opened_at, {"kind": side, "text": side}
        if trade.closed_at is not None:
            kind = "stop" if trade.exit is not None and trade.exit.stopped else "exit"
            net = dollars(trade.net)
            yield trade.closed_at, {"kind": kind, "text": net, "up": side == "long", "won": trade.net >= 0}


def _points(times: Sequence[int], values: Sequence[float | None]) -> list[Chart]:
    return [{"time": at} if value is None else {"time": at, "value": round(value, 5)}
            for at, value in zip(times, values, strict=True)]  # fmt: skip


def _passport(store: Store, world: World | None, pair: Pair, day: date) -> Passport | None:
    """The newest one of a morning, with its bars."""
    found = store.facts(world).read(Passport, session=day, pair=str(pair)) if world else []
    return found[-1].body if found else None


CHARTS: Final[dict[str, Callable[[Page, Followed, Asked], Chart]]] = {"equity": equity, "spread": spread}
