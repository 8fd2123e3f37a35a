"""How pairs were found: what each gate left, who was refused and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from tandem.market import Refusal
from tandem.operations.chronicle import Chronicle
from tandem.operations.markup import Markup, element, join, table
from tandem.operations.page import paragraph, section
from tandem.operations.summary import Summary
from tandem.operations.wording import counted, listed, moment_text, plain, weekday
from tandem.screening import Funnel
from tandem.store import Record

GATES: Final = {
    "bars": "both legs share enough bars",
    "same source": "two things, not one under two names",
    "correlation": "correlation of log prices",
    "cointegration": "Engle-Granger, the weaker order",
    "false discovery": "q-value, where a limit is set",
    "half-life": "the spread comes back in time",
    "hedge ratio": "positive and within bounds",
    "garch": "GARCH(1,1) converges, shocks die out",
    "diagnostics": "clean standardised residuals",
    "score": "composite score above the minimum",
}
WIDER: Final = "A year of daily bars: the technology names of the shipped file, August 2009 to August 2010"
MOST_PAIRS: Final = 30
EXAMPLES: Final = 2


def mornings_section(chronicle: Chronicle, yearly: Funnel | None) -> Markup:
    """The funnel of each morning, and of a wider screen where one is given."""
    content = [
        paragraph(
            "Before each open every pair is tested on the sessions before, and on nothing later. The figures are the "
            "pairs left after each gate; the first gate that fails refuses the pair.",
            class_="note",
        ),
        _funnels(chronicle),
        _matrix(chronicle),
    ]
    if yearly is not None:
        content += [element("h3", WIDER), *_wider(yearly)]
    return section("mornings", "How the pairs were found", *content)


def refusals_section(chronicle: Chronicle, summary: Summary) -> Markup:
    """Every reason with how often and with examples."""
    if not summary.refusals:
        return section("refusals", "Refusals", paragraph("Nothing was refused."))
    examples: dict[tuple[str, str], list[Record[Refusal]]] = {}
    for record in chronicle.refusals:
        examples.setdefault((record.body.by, record.body.reason), []).append(record)
    rows = ([reason, room, f"{count:,}", _examples(examples[room, reason])]
            for (room, reason), count in summary.refusals_by_reason.items())  # fmt: skip
    note = paragraph("A refusal is something asked for and not given, with the figures that decided.", class_="note")
    listing = table(["Reason", "By", ">Count", "For example"], rows, "stack")
    return section("refusals", "Refusals by reason", note, listing)


def _examples(records: Sequence[Record[Refusal]]) -> Markup:
    spread = records[:: max(1, len(records) // EXAMPLES)][:EXAMPLES]
    return join(
        element(
            "div", element("span", f"{moment_text(record.at)} {record.pair or ''}: ", class_="soft"), record.body.why
        )
        for record in spread
    )


def _refused(chronicle: Chronicle) -> Mapping[date, Mapping[str, Refusal]]:
    refused: dict[date, dict[str, Refusal]] = {day: {} for day in chronicle.plans}
    for record in chronicle.refusals:
        if record.body.by == "screening" and record.pair:
            refused.setdefault(record.session, {})[record.pair] = record.body
    return refused


def _funnels(chronicle: Chronicle) -> Markup:
    refused = _refused(chronicle)
    found = {refusal.reason for day in refused.values() for refusal in day.values()}
    gates = [*(gate for gate in GATES if gate in found), *sorted(found - GATES.keys())]
    idle = [gate for gate in GATES if gate not in found]
    rows = (list(_funnel(chronicle, day, refused[day], gates)) for day in sorted(refused))
    columns = ["Morning", ">Pairs", *(f">{gate}" for gate in gates), ">Selected"]
    note = f"No pair failed at: {listed(idle)}." if idle and found else ""
    return join([table(columns, rows), paragraph(note, class_="note")])


def _funnel(chronicle: Chronicle, day: date, refused: Mapping[str, Refusal], gates: Sequence[str]) -> Iterator[str]:
    plan = chronicle.plans.get(day)
    selected = len(plan.models) if plan else 0
    left = len(refused) + selected
    yield weekday(day)
    yield str(left)
    for gate in gates:
        left -= sum(refusal.reason == gate for refusal in refused.values())
        yield str(left)
    yield element("b", str(selected)) if selected else "0"


def _matrix(chronicle: Chronicle) -> Markup:
    refused = _refused(chronicle)
    chosen = {day: plan.models for day, plan in chronicle.plans.items()}
    pairs = sorted({pair for each in (refused, chosen) for named in each.values() for pair in named})
    if not pairs or len(pairs) > MOST_PAIRS:
        return Markup()
    days = sorted(refused)
    rows = ([pair, *(_cell(pair in chosen.get(day, ()), refused[day].get(pair)) for day in days)] for pair in pairs)
    return table(["Pair", *map(weekday, days)], rows)


def _cell(selected: bool, refusal: Refusal | None) -> Markup:
    if selected:
        return element("span", "selected", class_="cell yes")
    return element("span", refusal.reason, class_="cell", title=refusal.why) if refusal else Markup()


def _wider(funnel: Funnel) -> Iterator[Markup]:
    whole = max(funnel.steps[0].left, 1)
    null = funnel.simulated_null
    yield paragraph(
        f"{funnel.tested:,} pairs were tested for cointegration and {funnel.passing:,} passed that test alone. Were "
        f"no two of them cointegrated, {plain(funnel.expected_by_chance, 0)} would pass by chance (tests times level), "
        f"and of simulated independent walks {plain(null.passing, 0)} \u00b1 {plain(null.standard_error, 0)} do. "
        f"{_luck(funnel)}"
    )
    rows = (
        [
            _gate(step.gate),
            f"{step.left:,}",
            element("span", class_="bar", style=f"width:{100 * step.left / whole:.2f}%"),
        ]
        for step in funnel.steps
    )
    yield table(["Gate", ">Left", ""], rows, "bars")


def _gate(gate: str) -> Markup:
    return join([gate, " ", element("span", GATES.get(gate, "within one sector"), class_="aside")])


def _luck(funnel: Funnel) -> str:
    null = funnel.simulated_null
    if funnel.passing <= null.passing + 2 * null.standard_error:
        return "So many pass by luck alone: this screen by itself shows no cointegration."
    return f"{counted(round(funnel.passing - null.passing), 'pair')} more than luck explains."
