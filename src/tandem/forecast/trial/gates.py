"""What a challenger has to show besides being better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from tandem.config import ThresholdSettings, TrialSettings
from tandem.forecast.trial.track import Track
from tandem.statistics import (
    deflated_sharpe,
    expected_best_sharpe,
    max_drawdown,
    min_track_record,
    sharpe_ratio,
)


@dataclass(frozen=True, slots=True)
class Trials:
    """How many recipes were tried before this one was put forward, by the trial ledger.

    Attributes:
        count: at least 1, the losing ones included.
        variance: over the trials, of their Sharpe ratios per session.
    """

    count: int = 1
    variance: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that was asked of a record.

    Attributes:
        name: of the figure.
        passed: whether it was shown.
        why: what was asked and what was found, in words.
        figures: everything that was looked at, by name.
    """

    name: str
    passed: bool
    why: str
    figures: Mapping[str, float] = field(default_factory=dict)


def gates(track: Track, trial: TrialSettings, bars: ThresholdSettings, trials: Trials) -> tuple[Gate, ...]:
    """Every gate of a promotion on the challenger's own record."""
    return (
        long_enough(track, trial, trials),
        f1_score(track, bars),
        sharpe(track, bars, trials),
        drawdown(track, bars),
    )


def long_enough(track: Track, trial: TrialSettings, trials: Trials) -> Gate:
    """A record of `min_days`, and as long as its Sharpe ratio needs to be believed after so many trials.

    The minimum track record length of Bailey and Lopez de Prado (2012), against the ratio that the best of as many
    trials without skill is expected to have.
    """
    days, benchmark = len(track.pnl), expected_best_sharpe(trials.count, trials.variance)
    needed = min_track_record(track.returns, benchmark, trial.confidence) if days > 1 else inf
    asked = f"needs {needed:,.0f}" if isfinite(needed) else "its Sharpe ratio is not above what luck gives"
    why = f"{days} sessions on record, at least {trial.min_days}; at {trial.confidence:.0%} {asked}"
    figures = {"days": float(days), "min_days": float(trial.min_days), "min_track_record": needed}
    return Gate("track_record", days >= max(trial.min_days, needed), why, figures | {"trials": float(trials.count)})


def f1_score(track: Track, bars: ThresholdSettings) -> Gate:
    """F1 of its forecasts, with the base rate and the F1 of always saying yes beside it."""
    known = track.grades.known
    if not len(known):
        return Gate("f1_score", False, "no forecast has come to its end")
    skill, base = known.skill, float(known.labels.mean())
    always = 2 * base / (1 + base)
    why = (
        f"F1 {skill.f1_score:.3f} at a base rate of {base:.3f}, where always yes has {always:.3f}; "
        f"at least {bars.min_f1_score:g}"
    )
    figures = {"f1_score": skill.f1_score, "base_rate": base, "f1_score_always_one": always, "mcc": skill.mcc}
    return Gate("f1_score", skill.f1_score >= bars.min_f1_score, why, figures | {"forecasts": float(len(known))})


def sharpe(track: Track, bars: ThresholdSettings, trials: Trials) -> Gate:
    """The Sharpe ratio of its book, with its standard error and deflated by the number of trials."""
    if len(track.pnl) < 2:
        return Gate("sharpe_ratio", False, "fewer than two sessions")
    found = sharpe_ratio(track.returns)
    deflated = deflated_sharpe(track.returns, trials.count, trials.variance)
    spread = f"Sharpe ratio {found.ratio:.2f} (standard error {found.standard_error:.2f})"
    why = f"{spread}, at least {bars.min_sharpe_ratio:g}"
    figures = {"sharpe_ratio": found.ratio, "sharpe_standard_error": found.standard_error, "deflated_sharpe": deflated}
    return Gate("sharpe_ratio", found.ratio >= bars.min_sharpe_ratio, why, figures)


def drawdown(track: Track, bars: ThresholdSettings) -> Gate:
    """The largest fall of its book from a peak between session ends."""
    found = max_drawdown(track.equity)
    why = f"drawdown {found:.1%}, at most {bars.max_drawdown:.1%}"
    return Gate("max_drawdown", found <= bars.max_drawdown, why, {"max_drawdown": found})


def figures_of(found: Iterable[Gate]) -> dict[str, float]:
    """Every figure of some gates that is finite, by name."""
    return {name: value for gate in found for name, value in gate.figures.items() if isfinite(value)}
