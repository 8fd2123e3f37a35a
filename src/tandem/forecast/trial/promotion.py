"""Whether a challenger takes the champion's place."""

from tandem.config import Settings
from tandem.forecast.trial.comparison import MEASURES, Comparison, compare
from tandem.forecast.trial.contender import BASELINE
from tandem.forecast.trial.gates import Gate, Trials, figures_of, gates
from tandem.forecast.trial.track import Track
from tandem.forecast.verdict import Verdict


def decide(
    sector: str,
    champion: Track,
    challenger: Track,
    baseline: Track | None,
    settings: Settings,
    trials: Trials | None = None,
) -> Verdict:
    """Promote a challenger that is better on the evidence and passes every gate; otherwise keep things as they are.

    Better means: on at least one of net P&L, log loss and QLIKE its losses are lower than the champion's *and* the
    baseline's (each measure held to a third of `trial.pvalue`), and on none has it left the model confidence set.

    Args:
        baseline: the book of the AR(1) forecast on the same bars, where there is one.
        settings: `trial` and `performance_thresholds` are read.
        trials: by the ledger; one where it is not known.
    """
    compared = compare(champion, challenger, baseline, settings.trial)
    return verdict_of(sector, compared, challenger, settings, trials or Trials())


def verdict_of(sector: str, compared: Comparison, challenger: Track, settings: Settings, trials: Trials) -> Verdict:
    """The same from a comparison that was made already."""
    asked = gates(challenger, settings.trial, settings.performance_thresholds, trials)
    against = _against(compared, asked, settings.trial.pvalue)
    why = (
        "; ".join(against) if against else "; ".join([*_wins(compared, settings.trial.pvalue), *(g.why for g in asked)])
    )
    evidence = compared.figures | figures_of(asked)
    return Verdict(sector, compared.challenger, "keep" if against else "promote", why, evidence, compared.champion)


def _against(compared: Comparison, asked: tuple[Gate, ...], pvalue: float) -> list[str]:
    reasons = [] if compared.won(pvalue) else [_no_evidence(compared, pvalue)]
    for lost in compared.lost(pvalue):
        found = lost.confidence_set[compared.challenger]
        reasons.append(f"another is better by {lost.name}: p {found:.3f} in the model confidence set")
    return reasons + [gate.why for gate in asked if not gate.passed]


def _no_evidence(compared: Comparison, pvalue: float) -> str:
    if compared.alike:
        return f"{compared.challenger} has done nothing otherwise than {compared.champion} on {compared.days} sessions"
    if not compared.measures:
        known = ", ".join(f"{each.name} is {each.why}" for each in compared.unmeasured)
        return f"{compared.challenger} cannot be told from {compared.champion} yet: {known}"
    share = pvalue / MEASURES
    found = ", ".join(f"{each.name} p {_largest(each.over_champion, each.over_baseline)}" for each in compared.measures)
    rivals = " and ".join(dict.fromkeys([compared.champion, BASELINE]))
    return f"no evidence that {compared.challenger} beats {rivals}: {found} (needs below {share:.3g})"


def _largest(champion: float, baseline: float | None) -> str:
    return "unknown for want of the baseline" if baseline is None else f"{max(champion, baseline):.3f}"


def _wins(compared: Comparison, pvalue: float) -> list[str]:
    return [
        f"better by {won.name} on {won.days} sessions: {won.losses[compared.challenger]:.4g} against "
        f"{won.losses[compared.champion]:.4g}, p {_largest(won.over_champion, won.over_baseline)}"
        for won in compared.won(pvalue)
    ]
