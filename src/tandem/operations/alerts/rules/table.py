"""Every rule, with what is in force without any setting."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tandem.config import AlertSettings, Severity
from tandem.operations.alerts.known import Known
from tandem.operations.alerts.rules import halts, models, money, orders, runs
from tandem.operations.alerts.rules.finding import Find, Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for.

    Attributes:
        severity: of what it finds.
        threshold: from where on, in `unit`; 0 where there is none.
        unit: of the threshold; empty where there is none.
        meaning: what it looks for, in words.
        over: why what it found is over, in words.
        eases: what stands is over only below this share of the threshold, so that it does not come and go.
        on: whether it is looked for.
    """

    name: str
    severity: Severity
    threshold: float
    unit: str
    meaning: str
    over: str
    find: Find
    eases: float = 1.0
    on: bool = True

    def findings(self, known: Known, moment: datetime, standing: Iterable[str] = ()) -> Iterator[Finding]:
        """What holds at a moment, each subject once.

        Args:
            standing: subjects that it has found before and that are not over.
        """
        if not self.on:
            return
        stand, seen = frozenset(standing), set[str]()
        found = list(self.find(known, moment, self.threshold))
        easing = self.find(known, moment, self.threshold * self.eases) if self.eases < 1 and stand else ()
        for each in (*found, *(each for each in easing if each.subject in stand)):
            if each.subject not in seen:
                seen.add(each.subject)
                yield each


RULES: Final = (
    Rule("drawdown", "warning", 0.05, "share of the best mark", "Equity is so far below its best mark since entries "
         "were last re-armed.", "equity is nearer its best mark again", money.drawdown, 0.8),
    Rule("daily_loss", "warning", 0.01, "share of equity", "So much of equity was lost since the session before ended.",
         "the loss is smaller, or the day is over", money.daily_loss, 0.8),
    Rule("naked_leg", "critical", 1.0, "times the budget", "One leg stands further than the other beyond "
         "execution.naked_seconds or execution.naked_dollars, or a pair order is stuck.",
         "both legs are level, or a later order came to its end", orders.naked_leg),
    Rule("stale_feed", "warning", 10, "minutes", "A session is open and made no decision for so long, or refused a "
         "pair as long for a leg without fresh bars.", "decisions go on with fresh bars, or the session closed",
         runs.stale_feed),
    Rule("missed_run", "critical", 15, "minutes", "No pairs by operations.deadline; no plan by 9:15; no decision so "
         "long after the open; no monitoring three times as long after 16:10; no housekeeping by 6:00.",
         "it was done, or its day is over", runs.missed_run),
    Rule("drift", "warning", 0, "", "A pair left the relation it was chosen for, or a model its own record.",
         "the next session has begun", models.drift),
    Rule("demotion", "warning", 0, "", "A model was demoted, rolled back or withdrawn.", "the next session has begun",
         models.demotion),
    Rule("halt", "critical", 0, "", "A limit stopped new entries.", "entries are allowed again", halts.halt),
    Rule("halted_by_person", "info", 0, "", "A person stopped new entries, or closes everything.",
         "entries are allowed again", halts.halted_by_person),
    Rule("store_away", "critical", 2, "looks in a row", "PostgreSQL does not answer.", "the store answers again",
         runs.store_away),
    Rule("reject_rate", "warning", 0.2, "share of today's orders", "The broker refused such a share of the orders "
         f"sent today, of {orders.FEWEST_ORDERS} at least.", "fewer are refused, or the day is over",
         orders.reject_rate, 0.8),
    Rule("process_died", "warning", 0, "", "A process of the desk died or does not answer.", "it runs again",
         runs.process_died),
    Rule("process_restarts", "critical", 3, "deaths an hour", "A process died more often than that within an hour.",
         "an hour has gone by with fewer", runs.process_restarts),
    Rule("unsupervised", "critical", 0, "", "`tandem up` was killed, and what it started runs on.",
         "`tandem up` runs again", runs.unsupervised),
    Rule("refit_refused", "warning", 0, "", "A refit of the newest morning must not trade.",
         "a later morning's refit may trade", models.refit_refused),
    Rule("not_registered", "info", 30, "minutes", "MLflow has not been told of a refit for so long.",
         "MLflow has been told", models.not_registered),
)  # fmt: skip


def alert_rules(settings: AlertSettings) -> tuple[Rule, ...]:
    """Every rule as the settings have it, those that are off too."""
    return tuple(_changed(rule, settings) for rule in RULES)


def _changed(rule: Rule, settings: AlertSettings) -> Rule:
    own = settings.rules.get(rule.name)
    if own is None:
        return rule
    threshold = rule.threshold if own.threshold is None else own.threshold
    return replace(rule, on=own.on, severity=own.severity or rule.severity, threshold=threshold)
