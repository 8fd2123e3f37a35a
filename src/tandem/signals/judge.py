"""Bars of pairs in, a Signal or a Refusal out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import sqrt

from tandem.config import RuleSettings
from tandem.forecast import Forecast, PairModel, Question, forecast_all
from tandem.market import Calendar, Refusal, Session
from tandem.rules import FLAT, Observation, Stance, decide, inside_band
from tandem.screening import Passport
from tandem.signals.course import Course
from tandem.signals.signal import Signal
from tandem.signals.watch import PairWatch


@dataclass(frozen=True, slots=True)
class Entered:
    """How an open trade began: what its GARCH band starts from, log units."""

    spread: float
    residual: float
    variance: float


@dataclass(frozen=True, slots=True)
class Case:
    """A pair to be judged.

    Attributes:
        watch: what is known of it.
        stance: where the rule stands with it.
        entered: how its open trade began; None without one.
    """

    watch: PairWatch
    stance: Stance = FLAT
    entered: Entered | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is known of a case before anything is expected of it."""

    case: Case
    prices: tuple[float, float]
    spread: float
    question: Question
    residual: float
    variance: float
    one_step: float
    expired: Refusal | None


def judge(
    watch: PairWatch,
    moment: datetime,
    session: Session,
    stance: Stance,
    entered: Entered | None,
    rule: RuleSettings,
    halted: Collection[str] = (),
) -> Signal | Refusal:
    """`judge_all` of one pair."""
    return judge_all([Case(watch, stance, entered)], moment, session, rule, halted)[0]


def judge_all(
    cases: Sequence[Case], moment: datetime, session: Session, rule: RuleSettings, halted: Collection[str] = ()
) -> list[Signal | Refusal]:
    """Apply models and rule to what is known of pairs at `moment` (STATISTICS 7): each as if it were judged alone.

    Refused where a leg is halted, split, or has no bar for the last minute. Without a trade also where the spread's
    volatility is outside its band, the features are outside what the model was trained on, or model and passport
    are past their time: leaving a trade takes no forecast. Where only the model is past its time the
    passport's baseline answers instead.

    Args:
        cases: the pairs.
        moment: of the decision.
        session: it belongs to.
        rule: thresholds.
        halted: symbols in which nobody may trade now.
    """
    found = [_look(case, moment, session, rule, halted) for case in cases]
    said = iter(forecast_all([each.question for each in found if isinstance(each, _Seen) and each.expired is None]))
    return [
        each if isinstance(each, Refusal) else _verdict(each, each.expired or next(said), session, rule)
        for each in found
    ]


def _look(
    case: Case, moment: datetime, session: Session, rule: RuleSettings, halted: Collection[str]
) -> _Seen | Refusal:
    watch, passport = case.watch, case.watch.passport
    prices = watch.prices(moment, halted)
    if isinstance(prices, Refusal):
        return prices
    course = watch.course(moment, session.close)
    values, path = course.newest(watch.model.reach)
    residual, variance = float(path.residuals[-1]), float(path.variances[-1])
    one_step = sqrt(passport.garch.forecast(residual, variance, 1)[0])
    if not case.stance.direction and (wild := _wild(one_step, course, rule)):
        return wild
    spread = float(passport.spread(*prices))
    question = Question(watch.model, values, path, float(passport.z(spread)))
    return _Seen(case, prices, spread, question, residual, variance, one_step, _expired(watch.model, session))


def _wild(one_step: float, course: Course, rule: RuleSettings) -> Refusal | None:
    ratio = rule.max_volatility_ratio
    if course.calmest / ratio <= one_step <= course.wildest * ratio:
        return None
    seen = f"{course.calmest:.3g} to {course.wildest:.3g} in the formation window"
    ahead = f"the spread's volatility one bar ahead is {one_step:.3g}, it was {seen}"
    return Refusal("volatility", f"{ahead}; rule.max_volatility_ratio is {ratio:g}", "signals")


def _expired(model: PairModel, session: Session) -> Refusal | None:
    age, longest = _sessions_since(model.session, session), model.settings.expires_sessions
    if age <= longest:
        return None
    why = f"the model of {model.session} is {age} sessions old, model.expires_sessions is {longest}"
    return Refusal("model expired", why, "signals")


def _sessions_since(day: date, session: Session) -> int:
    return len(Calendar().sessions(day, session.day)) - 1


def _stand_in(seen: _Seen, refusal: Refusal, session: Session) -> Forecast | Refusal:
    """The passport's baseline, where a trade is open or only the model is past its time."""
    passport = seen.case.watch.passport
    is_fresh = _sessions_since(passport.session, session) <= seen.question.model.settings.expires_sessions
    if seen.case.stance.direction or (seen.expired is not None and is_fresh):
        return Forecast.unrecorded(passport.phi, passport.half_life, seen.question.z_now)
    return replace(refusal, by="signals")  # no forecast of the morning: it is this decision's own


def _verdict(seen: _Seen, said: Forecast | Refusal, session: Session, rule: RuleSettings) -> Signal | Refusal:
    forecast = _stand_in(seen, said, session) if isinstance(said, Refusal) else said
    if isinstance(forecast, Refusal):
        return forecast
    case, passport, z = seen.case, seen.case.watch.passport, seen.question.z_now
    edge, inside = _band(passport, case.stance, case.entered, seen.spread, rule)
    decision = decide(case.stance, Observation(z, forecast.probability, inside), passport.half_life, rule)
    return Signal(
        pair=passport.pair,
        action=decision.action,
        why=decision.why,
        z=z,
        spread=seen.spread,
        probability=forecast.probability,
        confidence=forecast.confidence,
        residual=seen.residual,
        variance=seen.variance,
        volatility=passport.garch.change_deviation(seen.residual, seen.variance, passport.timeframe.per_session),
        band=edge,
        model=forecast.model,
        price_a=seen.prices[0],
        price_b=seen.prices[1],
        calibrated=forecast.calibrated,
        one_step=seen.one_step,
        instead=said.why if isinstance(said, Refusal) else "",
    )


def _band(
    passport: Passport, stance: Stance, entered: Entered | None, spread: float, rule: RuleSettings
) -> tuple[float | None, bool]:
    if entered is None or not stance.bars_held:
        return None, True
    band = passport.garch.band(entered.spread, passport.mean, entered.residual, entered.variance, stance.bars_held)
    edge = band.centre - stance.direction * rule.band_deviations * band.deviation
    return float(passport.z(edge)), inside_band(stance.direction, spread, band, rule)
