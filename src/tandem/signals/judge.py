"""Bars of a pair in, a Signal or a Refusal out."""

from dataclasses import dataclass
from datetime import datetime

from tandem.config import RuleSettings
from tandem.forecast import Forecast
from tandem.market import Refusal, Session
from tandem.rules import Observation, Stance, decide, inside_band
from tandem.screening import Passport
from tandem.signals.signal import Signal
from tandem.signals.watch import PairWatch


@dataclass(frozen=True, slots=True)
class Entered:
    """How an open trade began: what its GARCH band starts from, log units."""

    spread: float
    residual: float
    variance: float


def judge(
    watch: PairWatch, moment: datetime, session: Session, stance: Stance, entered: Entered | None, rule: RuleSettings
) -> Signal | Refusal:
    """Apply the model and the rule to what is known of a pair at `moment` (STATISTICS 7).

    Refused where a leg has no bar for the last minute, or, without a trade, where the features are outside
    what the model was trained on: leaving a trade takes no forecast.
    """
    prices = watch.prices(moment)
    if isinstance(prices, Refusal):
        return prices
    passport, garch = watch.passport, watch.passport.garch
    spreads = passport.spread(*watch.closes(moment, session.close))
    path = garch.filter(spreads)
    newest = float(path.residuals[-1]), float(path.variances[-1])
    spread = float(passport.spread(*prices))
    z = float(passport.z(spread))
    forecast = watch.model.forecast(spreads, path, z)
    if isinstance(forecast, Refusal):
        if not stance.direction:
            return forecast
        forecast = Forecast(watch.model.baseline_probability(z), 0.5, 0.0, 1.0, "baseline")
    edge, inside = _band(passport, stance, entered, spread, rule)
    decision = decide(stance, Observation(z, forecast.probability, inside), passport.half_life, rule)
    return Signal(
        passport.pair,
        decision.action,
        decision.why,
        z,
        spread,
        forecast.probability,
        forecast.confidence,
        *newest,
        garch.change_deviation(*newest, passport.timeframe.per_session),
        edge,
        forecast.model,
        *prices,
    )


def _band(
    passport: Passport, stance: Stance, entered: Entered | None, spread: float, rule: RuleSettings
) -> tuple[float | None, bool]:
    if entered is None or not stance.bars_held:
        return None, True
    band = passport.garch.band(entered.spread, passport.mean, entered.residual, entered.variance, stance.bars_held)
    edge = band.centre - stance.direction * rule.band_deviations * band.deviation
    return float(passport.z(edge)), inside_band(stance.direction, spread, band, rule)
