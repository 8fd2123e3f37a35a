"""All that is known of a pair during a session: its passport, its model and its bars so far."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from tandem.forecast import PairModel
from tandem.market import Bar, Leg, Refusal
from tandem.screening import Passport
from tandem.signals.course import Closes, Course

FRESH = timedelta(minutes=1)
SPLIT = 1.5


class PairWatch:
    """Follows both legs minute by minute and completes the model's bars from them.

    A model bar counts once both legs have one with the same start and its time is over.
    """

    def __init__(self, passport: Passport, model: PairModel, history: Iterable[Bar] = ()) -> None:
        self.passport = passport
        self.model = model
        self._last: dict[Leg, dict[datetime, Bar]] = {Leg.A: {}, Leg.B: {}}
        self._common: list[datetime] = []
        self._newest: dict[Leg, Bar] = {}
        self._legs = {passport.pair.a: Leg.A, passport.pair.b: Leg.B}
        self._course = Course(passport)
        self._changed: datetime | None = None
        self.learn(history)

    def learn(self, bars: Iterable[Bar]) -> None:
        """Take minute bars of either leg, in any order and again if need be; others are passed over."""
        for bar in bars:
            leg = self._legs.get(bar.symbol)
            if leg is not None and (start := self.passport.timeframe.start_of(bar.start)) > self.passport.window_last:
                self._take(leg, start, bar)

    def prices(self, moment: datetime, halted: Collection[str] = ()) -> tuple[float, float] | Refusal:
        """Closes of both legs over the minute that ends at `moment`, or why there are none to trade on.

        A price that is far from the formation's last, as after a split, fits neither hedge nor equilibrium.

        Args:
            moment: of the decision.
            halted: symbols in which nobody may trade now.
        """
        if stopped := [symbol for symbol in self.passport.pair.symbols if symbol in halted]:
            return Refusal("halted leg", f"trading in {' and '.join(stopped)} is halted", "signals")
        stale = [
            self.passport.pair.symbol(leg)
            for leg in Leg
            if leg not in self._newest or self._newest[leg].start != moment - FRESH
        ]
        if stale:
            return Refusal("stale leg", f"{' and '.join(stale)} without a bar for the last minute", "signals")
        prices = self._newest[Leg.A].close, self._newest[Leg.B].close
        formed = self.passport.closes_a[-1], self.passport.closes_b[-1]
        split = [
            symbol
            for symbol, now, then in zip(self.passport.pair.symbols, prices, formed, strict=True)
            if not 1 / SPLIT < now / then < SPLIT
        ]
        if split:
            why = f"{' and '.join(split)} at more than {SPLIT} or less than 1/{SPLIT} of the formation's last close"
            return Refusal("split", why, "signals")
        return prices

    def course(self, moment: datetime, session_close: datetime) -> Course:
        """The model bars that are complete at `moment`; bars that came late are put in their place first."""
        course, length = self._course, self.passport.timeframe.length
        last = moment if moment >= session_close else moment - length
        sound = bisect_right(course.starts, last)
        if self._changed is not None:
            sound = min(sound, bisect_left(course.starts, self._changed))
        course.cut(sound)
        self._changed = None
        known = bisect_right(self._common, course.starts[-1]) if course.starts else 0
        new = self._common[known : bisect_right(self._common, last)]
        a, b = self._last[Leg.A], self._last[Leg.B]
        course.add(new, [a[start].close for start in new], [b[start].close for start in new])
        return course

    def closes(self, moment: datetime, session_close: datetime) -> tuple[Closes, Closes]:
        """Closes of all completed model bars, formation window first: two arrays `[n_bars]`."""
        return self.course(moment, session_close).closes

    def _take(self, leg: Leg, start: datetime, bar: Bar) -> None:
        known, other = self._last[leg], self._last[Leg.B if leg is Leg.A else Leg.A]
        if start not in known and start in other:
            insort(self._common, start)
        known[start] = _later(known.get(start), bar)
        self._newest[leg] = _later(self._newest.get(leg), bar)
        self._changed = start if self._changed is None else min(start, self._changed)


def _later(known: Bar | None, bar: Bar) -> Bar:
    return bar if known is None or bar.start >= known.start else known
