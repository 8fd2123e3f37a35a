"""What each flow does, as ordinary functions; the commands call them, and Prefect does with a task for each stage."""

from datetime import date
from pathlib import Path
from typing import Final

from tandem.book import Mark
from tandem.desk import as_identified, close_day, configuration_of, identify_day, on_record, plan_of, prepare, rank_day
from tandem.market import Calendar, DataError
from tandem.operations.facts.flow_done import FlowName
from tandem.operations.facts.session_held import has_ended
from tandem.operations.flows.collection import collect
from tandem.operations.flows.housekeeping import housekeeping
from tandem.operations.flows.trading import trading
from tandem.operations.flows.work import Body, Came, Work, check_over
from tandem.operations.history.attributed import record_attribution
from tandem.operations.history.grading import record_grades
from tandem.operations.report.brief import brief_of
from tandem.operations.report.daily import write_daily, write_weekly
from tandem.operations.run.wording import counted
from tandem.operations.writing.target import write_whole


def identification(work: Work) -> Came:
    """Data collection, screening, GARCH, ranking, trading configuration, MLflow.

    Raises:
        DataError: there are no bars to screen.
    """
    collected = work.step("data collection", lambda: collect(work))
    tracking = work.registry.tracking if work.registry else None
    found = identify_day(work.store, work.facts, work.session, work.settings, tracking=tracking, step=work.step)
    selected, tested = len(found.passports), found.funnel.tested
    away = f"; MLflow was not told: {found.untracked.why}" if found.untracked else ""
    made = found.configuration
    why = f"{collected}; {counted(tested, 'pair')} tested, {selected} selected, version {made.version}{away}"
    return Came(why, made.data_version)


def training(work: Work) -> Came:
    """Train and validate the day's recipes, stage, register, write the brief; on a week's first session rank all pairs.

    Raises:
        DataError: the day has no identification.
    """
    facts, session = work.facts, work.session
    work.waited_for(lambda: configuration_of(facts, session.day) is not None)
    configuration = configuration_of(facts, session.day)
    if configuration is None:
        raise DataError(f"{facts.world} has no identification of {session.day}", "Run `tandem identify` first")
    prepare(work.store, facts, session, work.settings, work.registry, step=work.step)
    plan = plan_of(facts, session.day)
    assert plan is not None
    is_first = _is_first_of_week(session.day)
    ranked = work.step("weekly ranking of all pairs", lambda: _ranked(work)) if is_first else ""
    fitted = ", ".join(f"{each.name}{f' ({each.why_not})' if each.refused else ''}" for each in plan.refits)
    work.step("morning brief", lambda: _brief(work))
    why = f"{counted(len(plan.models), 'pair')} may be entered; fitted: {fitted or 'nothing'}"
    return Came(f"{why}; {ranked}" if ranked else why, configuration.data_version)


def monitoring(work: Work) -> Came:
    """Grades, shadow books, verdicts and what follows from them for the stages; attribution, and the day's report.

    Raises:
        DataError: the session is not over, or the shadow books cannot be kept.
    """
    store, facts, session = work.store, work.facts, work.session
    work.waited_for(lambda: has_ended(facts, session.day))
    check_over(work)
    verdicts = work.step("grades and verdicts", lambda: close_day(store, facts, session, work.settings, work.registry))
    work.step("attribution", lambda: record_attribution(store, facts, session))
    work.step("history of grades", lambda: record_grades(store, facts))
    work.step("report", lambda: _report(work))
    said = [f"{each.sector}, {each.recipe}: {each.action}, {each.why}" for each in verdicts]
    return Came("; ".join(said) or "no sector had pairs to enter")


def _is_first_of_week(day: date) -> bool:
    return _week(Calendar().before(day, 1)[0].day) != _week(day)


def _week(day: date) -> tuple[int, int]:
    return day.isocalendar()[:2]


def _brief(work: Work) -> None:
    brief = brief_of(work.store, work.facts, work.session, work.settings)
    write_whole(_folder(work) / f"brief-{work.facts.world}.txt", brief.text)


def _report(work: Work) -> None:
    folder, day = _folder(work), work.session.day
    if not work.facts.read(Mark, session=day):
        return  # nobody traded: there is nothing to report
    write_daily(folder / f"day-{work.facts.world}.html", work.store, work.facts, day)
    if _week(Calendar().after(day).day) != _week(day):
        write_weekly(folder / f"week-{work.facts.world}.html", work.store, work.facts, day)


def _folder(work: Work) -> Path:
    return work.settings.home.expanduser() / "reports" / str(work.session.day)


def _ranked(work: Work) -> str:
    configuration = configuration_of(work.facts, work.session.day)
    assert configuration is not None
    found = on_record(work.store, work.facts, configuration)
    settings = as_identified(work.settings, configuration)
    tracking = work.registry.tracking if work.registry else None
    said = []
    for sector in configuration.sectors:
        try:
            ranked = rank_day(work.store, work.facts, work.session, settings, found, sector, tracking=tracking)
        except DataError as error:
            said.append(f"{sector}: {error.what}")
        else:
            said.append(f"{sector}: {counted(ranked.fact.correlated, 'pair')} ranked")
    return "; ".join(said)


BODIES: Final[dict[FlowName, Body]] = {
    FlowName.IDENTIFICATION: identification,
    FlowName.TRAINING: training,
    FlowName.SESSION: trading,
    FlowName.MONITORING: monitoring,
    FlowName.HOUSEKEEPING: housekeeping,
}
