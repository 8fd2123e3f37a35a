"""All that is known of a pair during a session: its passport, its model and its bars so far."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tandem.forecast import PairModel
from tandem.market import Bar, Leg, Refusal
from tandem.screening import Passport

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
        self._newest: dict[Leg, Bar] = {}
        self._legs = {passport.pair.a: Leg.A, passport.pair.b: Leg.B}
        self.learn(history)

    def learn(self, bars: Iterable[Bar]) -> None:
        """Take minute bars of either leg, in any order and again if need be; others are passed over."""
        for bar in bars:
            leg = self._legs.get(bar.symbol)
            start = self.passport.timeframe.start_of(bar.start)
            if leg is not None and start > self.passport.window_last:
                self._last[leg][start] = _later(self._last[leg].get(start), bar)
                self._newest[leg] = _later(self._newest.get(leg), bar)

    def prices(self, moment: datetime) -> tuple[float, float] | Refusal:
        """Closes of both legs over the minute that ends at `moment`, or why there are none to trade on.

        A price that is far from the formation's last, as after a split, fits neither hedge nor equilibrium.
        """
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

    def closes(self, moment: datetime, session_close: datetime) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Closes of all completed model bars, formation window first: two arrays `[n_bars]`."""
        a, b = self._last[Leg.A], self._last[Leg.B]
        common = sorted(a.keys() & b.keys())
        length = self.passport.timeframe.length
        last = moment if moment >= session_close else moment - length
        done = common[: bisect_right(common, last)]
        return (
            np.array([*self.passport.closes_a, *(a[start].close for start in done)]),
            np.array([*self.passport.closes_b, *(b[start].close for start in done)]),
        )


def _later(known: Bar | None, bar: Bar) -> Bar:
    return bar if known is None or bar.start >= known.start else known
