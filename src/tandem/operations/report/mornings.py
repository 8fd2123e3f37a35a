"""How pairs were found: what each gate left, who was refused and why, and how pairs came and went."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from tandem.market import Refusal
from tandem.operations.pictures.screen import funnel_drawing
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.summary import Summary
from tandem.operations.run.wording import listed, moment_text, weekday
from tandem.operations.writing.markup import Markup, element, join, table
from tandem.operations.writing.page import figure, paragraph, section
from tandem.screening import Funnel, PairTable, nearest_misses, refused_rows
from tandem.store import Record

GATES: Final = {
    "data quality": "whole, new and adjusted bars, enough of them in common",
    "same source": "two things, not one under two names",
    "liquidity": "dollars traded in a median session",
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
MOST_MORNINGS: Final = 30
MOST_ROWS: Final = 12
EXAMPLES: Final = 2


def mornings_section(chronicle: Chronicle, yearly: Funnel | None) -> Markup:
    """The funnel of each morning, and of a wider screen where one is given."""
    content = [
        paragraph(
            "Before each open every pair is tested on the sessions before, and on nothing later. The figures are the "
            "pairs left after each gate; the first gate that fails refuses the pair.",
            class_="note",
        ),
        _newest(chronicle),
        _funnels(chronicle),
        _matrix(chronicle),
        _changes(chronicle),
        _misses(chronicle),
        _symbols(chronicle),
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
    rows = ([reason, room, f"{count:,}", _examples(examples.get((room, reason), ()), chronicle, reason)]
            for (room, reason), count in summary.refusals_by_reason.items())  # fmt: skip
    note = paragraph("A refusal is something asked for and not given, with the figures that decided.", class_="note")
    listing = table(["Reason", "By", ">Count", "For example"], rows, "stack")
    return section("refusals", "Refusals by reason", note, listing)


def _examples(records: Sequence[Record[Refusal]], chronicle: Chronicle, gate: str) -> Markup:
    spread = records[:: max(1, len(records) // EXAMPLES)][:EXAMPLES]
    told = [(f"{moment_text(record.at)} {record.pair or ''}", record.body.why) for record in spread]
    if not told and (screened := _last_refusing(chronicle, gate)) is not None:
        rows = nearest_misses(screened, EXAMPLES, refused_rows(screened, gate))
        told = [(str(screened.pair(row)), refusal.why) for row in rows.tolist() if (refusal := screened.why(row))]
    return join(element("div", element("span", f"{name}: ", class_="soft"), why) for name, why in told)


def _last_refusing(chronicle: Chronicle, gate: str) -> PairTable | None:
    """The table of the last morning that refused a pair at a gate."""
    days = (
        day
        for day, funnel in sorted(chronicle.funnels.items(), reverse=True)
        for before, step in pairwise(funnel.steps)
        if step.gate == gate and step.left < before.left
    )
    return next((found for day in days if (found := chronicle.tables.of(day)) is not None), None)


def _last_table(chronicle: Chronicle) -> PairTable | None:
    return chronicle.tables.of(max(chronicle.configurations)) if chronicle.configurations else None


def _newest(chronicle: Chronicle) -> Markup:
    if not chronicle.funnels:
        return Markup()
    day, funnel = max(chronicle.funnels.items())
    return figure(funnel_drawing(funnel, str(day)), f"{weekday(day)}: {_counts(funnel)}")


def _counts(funnel: Funnel) -> str:
    return " ".join(filter(None, (funnel.chance, funnel.luck, "Pale: refused at the gate.")))


def _funnels(chronicle: Chronicle) -> Markup:
    funnels = dict(sorted(chronicle.funnels.items())[-MOST_MORNINGS:])
    if not funnels:
        return Markup()
    active = {step.gate for funnel in funnels.values() for before, step in pairwise(funnel.steps)
              if step.left < before.left}  # fmt: skip
    gates = [*(gate for gate in GATES if gate in active), *sorted(active - GATES.keys())]
    rows = (list(_funnel(chronicle, day, funnel, gates)) for day, funnel in funnels.items())
    columns = ["Morning", ">Pairs", *(f">{gate}" for gate in gates), ">Selected"]
    idle = [gate for gate in GATES if gate not in active]
    left_out = len(chronicle.funnels) - len(funnels)
    notes = [
        f"No pair failed at: {listed(idle)}." if idle and active else "",
        f"The last {MOST_MORNINGS} mornings; {left_out} before." if left_out else "",
    ]
    return join([table(columns, rows), paragraph(" ".join(filter(None, notes)), class_="note")])


def _funnel(chronicle: Chronicle, day: date, funnel: Funnel, gates: Sequence[str]) -> Iterator[str]:
    left = {step.gate: step.left for step in funnel.steps}
    selected = funnel.steps[-1].left
    yield weekday(day)
    yield f"{funnel.steps[0].left:,}"
    for gate in gates:
        yield f"{left[gate]:,}" if gate in left else ""
    yield element("b", f"{selected:,}") if selected else "0"


def _matrix(chronicle: Chronicle) -> Markup:
    """Every pair on every morning, where there are few enough to see."""
    days = sorted(chronicle.funnels)[-MOST_MORNINGS:]
    if not days or max(chronicle.funnels[day].steps[0].left for day in days) > MOST_PAIRS:
        return Markup()
    outcomes = {day: _outcomes(found) for day in days if (found := chronicle.tables.of(day)) is not None}
    pairs = sorted({pair for outcome in outcomes.values() for pair in outcome})
    rows = ([pair, *(_cell(outcome, pair) for outcome in outcomes.values())] for pair in pairs)
    return table(["Pair", *map(weekday, outcomes)], rows) if pairs else Markup()


def _outcomes(found: PairTable) -> dict[str, Refusal | None]:
    return {str(found.pair(row)): found.why(row) for row in range(len(found))}


def _cell(outcome: Mapping[str, Refusal | None], pair: str) -> Markup:
    if pair not in outcome:
        return Markup()
    refusal = outcome[pair]
    if refusal is None:
        return element("span", "selected", class_="cell yes")
    return element("span", refusal.reason, class_="cell", title=refusal.why)


def _changes(chronicle: Chronicle) -> Markup:
    """Pairs that moved from one state to another."""
    changes = [(day, life) for day, made in chronicle.configurations.items() for life in made.changes]
    if not changes:
        return Markup()
    rows = (
        [str(life.pair), weekday(day), f"{life.before or 'new'} \u2192 {life.state}", life.why]
        for day, life in changes[::-1][:MOST_ROWS]
    )
    note = paragraph(
        "A pair that passes is a candidate and then active; an active one that fails is on probation, where it is "
        f"closed and not entered, and then retired.{_rest(len(changes))}",
        class_="note",
    )
    return join([
        element("h3", "Pairs that came and went"), note, table(["Pair", "Morning", "Change", "Why"], rows, "words")
    ])  # fmt: skip


def _misses(chronicle: Chronicle) -> Markup:
    found = _last_table(chronicle)
    rows = nearest_misses(found, MOST_ROWS).tolist() if found is not None else []
    if found is None or not rows or len(found) <= MOST_PAIRS:
        return Markup()
    listing = ([str(found.pair(row)), refusal.reason, refusal.why] for row in rows if (refusal := found.why(row)))
    heading = element("h3", f"Nearest misses, {weekday(max(chronicle.configurations))}")
    return join([heading, table(["Pair", "Refused at", "Why"], listing, "words")])


def _symbols(chronicle: Chronicle) -> Markup:
    found = _last_table(chronicle)
    if found is None or not found.symbols_refused:
        return Markup()
    refused = found.symbols_refused
    rows = ([each.symbol, each.refusal.reason, each.refusal.why] for each in refused[:MOST_ROWS])
    heading = element("h3", f"Symbols that no pair may use, {weekday(max(chronicle.configurations))}")
    rest = paragraph(_rest(len(refused)), class_="note") if len(refused) > MOST_ROWS else ""
    return join([heading, table(["Symbol", "Refused at", "Why"], rows, "words"), rest])


def _rest(number: int) -> str:
    return f" The newest {MOST_ROWS} of {number:,} are shown." if number > MOST_ROWS else ""


def _wider(funnel: Funnel) -> Iterator[Markup]:
    yield paragraph(" ".join(filter(None, (funnel.chance, funnel.luck))))
    yield figure(funnel_drawing(funnel, "wider"), "Pairs left after each gate; pale: refused.")
    yield table(["Gate", ">Left"], ([_gate(step.gate), f"{step.left:,}"] for step in funnel.steps), "bars")


def _gate(gate: str) -> Markup:
    return join([gate, " ", element("span", GATES.get(gate, "within one sector"), class_="aside")])
