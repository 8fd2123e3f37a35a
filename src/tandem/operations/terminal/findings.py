"""What a morning's identification found, on a terminal and as a document."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tandem.desk import ConfiguredPair, Identification
from tandem.market import Refusal
from tandem.operations.run.wording import counted, listed
from tandem.screening import Funnel, PairLife, PairTable, Passport, gate_called, nearest_misses, refused_rows

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH: Final = 100
MEANING: Final = {
    "trading": "too few round trips in the last fifth of the window to judge the rule by; "
    "the trading part of the score is 0.5, neither for nor against"
}
SERIES: Final = ("starts", "closes_a", "closes_b")


def print_findings(found: Identification, console: "Console", *, top: int) -> None:
    """Print the funnel, what luck gives, the selected pairs, symbols that were refused, and what changed.

    Args:
        found: of the morning.
        console: where to print, in its width, 100 columns at most.
        top: rows of each list.
    """
    width = min(console.width, WIDTH)

    def say(what: "str | Table") -> None:
        console.print(what, width=width, highlight=False)

    say(_title(found))
    say(_funnel(found.funnel))
    for line in luck(found.funnel, found.passports):
        say(line)
    if found.passports:
        say("")
        say(_selected(found, top, roomy=width >= WIDTH))
        for note in _notes(found.passports):
            say(f"[dim]{note}[/]")
    else:
        say(f"\n[bold]No pair passed every gate.[/] {_why_none(found)}")
    if found.table.symbols_refused:
        say("")
        say(_symbols(found.table, top))
    if found.is_new and (changes := found.configuration.changes):
        say("")
        for part in _changes(changes, top):
            say(part)


def print_refusals(found: Identification, console: "Console", *, asked: Sequence[str], top: int) -> None:
    """Print refused pairs with the gate and its figures: those of a gate, a symbol or a pair, else the nearest misses.

    Raises:
        DataError: no gate, symbol or pair has that name.
    """
    table, width = found.table, min(console.width, WIDTH)
    for name in asked or [""]:
        rows = refused_rows(table, name) if name else None
        if rows is not None and not rows.size:
            console.print(f"\nNo pair was refused{_at(name)}.", width=width, highlight=False)
            continue
        shown = nearest_misses(table, top, rows)
        among = len(table) - len(found.passports) if rows is None else len(rows)
        heading = f"refused{_at(name)}" if name else "nearest misses"
        listing = _table(heading, "gate", "why")
        for row in shown.tolist():
            refusal = table.why(row)
            assert refusal is not None
            listing.add_row(str(table.pair(row)), refusal.reason, refusal.why)
        console.print()
        console.print(listing, width=width, highlight=False)
        if among > len(shown):
            console.print(f"[dim]{len(shown):,} of {among:,} refused pairs; --top shows more.[/]", highlight=False)


def _at(name: str) -> str:
    gate = gate_called(name)
    return f" at {gate}" if gate else f" of {name.upper()}"


def findings_document(found: Identification, *, top: int, asked: Sequence[str] = ()) -> dict[str, Any]:
    """The same as plain numbers and words, without prices.

    Args:
        top: refused pairs to list, nearest misses first.
        asked: gates, symbols or pairs whose refusals to list.
    """
    table = found.table
    names: Sequence[str | None] = list(asked) or [None]
    rows = [
        row
        for name in names
        for row in nearest_misses(table, top, refused_rows(table, name) if name else None).tolist()
    ]
    configuration = msgspec.to_builtins(found.configuration)
    passports = [
        {name: value for name, value in msgspec.to_builtins(passport).items() if name not in SERIES}
        for passport in found.passports
    ]
    return {
        "session": str(found.configuration.session),
        "is_new": found.is_new,
        "configuration": configuration,
        "funnel": msgspec.to_builtins(found.funnel),
        "passports": passports,
        "symbols_refused": [
            {"symbol": each.symbol, "reason": each.refusal.reason, "why": each.refusal.why}
            for each in table.symbols_refused
        ],
        "changes": msgspec.to_builtins(found.configuration.changes),
        "refused": len(table) - len(found.passports),
        "refusals": [{"pair": str(table.pair(row)), **_plain(table.why(row))} for row in rows],
        "runs": dict(found.runs),
        "not_tracked": found.untracked.why if found.untracked else None,
    }


def print_hints(console: "Console", remarks: Sequence[str], hints: Sequence[tuple[str, str]]) -> None:
    """Print what became of it, and what a person may ask next.

    Args:
        remarks: sentences.
        hints: commands with what they show.
    """
    width = min(console.width, WIDTH)
    console.print()
    for remark in remarks:
        console.print(remark, width=width, highlight=False)
    table = _table("", "")
    table.show_header = False
    for command, meaning in hints:
        table.add_row(f"[cyan]{command}[/]", f"[dim]{meaning}[/]")
    console.print(table, width=width)


def luck(funnel: Funnel, passports: Sequence[Passport]) -> Iterator[str]:
    """How many pairs chance alone would let through, in sentences."""
    if sentences := " ".join(filter(None, (funnel.chance, funnel.luck))):
        yield sentences
    if passports:
        q = sorted(passport.q_bh for passport in passports)
        spread = f"{q[0]:.3f}" if len(q) == 1 else f"{q[0]:.3f} to {q[-1]:.3f}, median {q[len(q) // 2]:.3f}"
        yield f"q-values (Benjamini-Hochberg) of the selected: {spread}."


def _title(found: Identification) -> str:
    made = found.configuration
    state = f"world {made.world}, configuration version {made.version}" if made.screen else "a look, not recorded"
    state += "" if found.is_new else ", on record already: nothing changed"
    across = ", and across them" if made.across_sectors else ""
    sectors = listed(made.sectors) if len(made.sectors) <= 3 else f"{len(made.sectors)} sectors"
    first, last = made.window_first.date(), made.window_last.date()
    return (
        f"[bold]Pairs for {made.session}[/]  {state}\n"
        f"[dim]{sectors}{across}; {made.timeframe} bars of {first} to {last}, "
        f"{counted(found.funnel.symbols, 'symbol')}[/]\n"
    )


def _funnel(funnel: Funnel) -> "Table":
    table = _table("gate", ">left", ">refused", "")
    before = funnel.steps[0].left
    for step in funnel.steps:
        refused = before - step.left
        table.add_row(step.gate, f"{step.left:,}", f"{refused:,}" if refused else "", "")
        before = step.left
    return table


def _selected(found: Identification, top: int, *, roomy: bool) -> "Table":
    stands = {each.pair: each for each in found.configuration.pairs}
    parts = (">fit", ">vol.", ">trading", ">resid.") if roomy else ()
    table = _table(">#", "pair", ">score", *parts, ">p", ">q", ">half-life", ">hedge", ">corr.", "")
    for rank, one in enumerate(found.passports[:top], start=1):
        score = one.score
        shown = (score.total, score.fit, score.volatility, score.trading, score.diagnostics)[: 1 + len(parts)]
        table.add_row(
            str(rank),
            str(one.pair),
            *(f"{part:.2f}" for part in shown),
            f"{one.pvalue:.4f}",
            f"{one.q_bh:.3f}",
            f"{one.half_life:.1f}",
            f"{one.hedge_ratio:.2f}",
            f"{one.correlation_prices:.2f}",
            _stand(stands.get(one.pair)),
        )
    if len(found.passports) > top:
        table.add_row("", f"[dim]{len(found.passports) - top} more[/]")
    return table


def _stand(configured: ConfiguredPair | None) -> str:
    if configured is None or configured.entries:
        return ""
    return f"[yellow]{configured.life.state}[/]"


def _notes(passports: Sequence[Passport]) -> Iterator[str]:
    """What several scores have in common is said once."""
    notes: dict[str, list[tuple[str, str]]] = {}
    for passport in passports:
        for note in passport.score.notes:
            notes.setdefault(note.partition(":")[0], []).append((str(passport.pair), note))
    for gist, noted in notes.items():
        pair, whole = noted[0]
        those = f"all {len(noted)}" if len(noted) == len(passports) else f"{len(noted)} of the {len(passports)}"
        who = pair if len(noted) == 1 else f"{those} selected"
        yield f"{who}: {MEANING.get(gist.partition(' counts')[0], whole if len(noted) == 1 else gist)}"


def _why_none(found: Identification) -> str:
    nearest = nearest_misses(found.table, 1).tolist()
    if not nearest:
        return "No two symbols could be paired."
    refusal = found.table.why(nearest[0])
    assert refusal is not None
    return (
        f"The nearest was {found.table.pair(nearest[0])}, refused at {refusal.reason}: {refusal.why}. "
        "`tandem identify --refusals` lists more."
    )


def _symbols(table: PairTable, top: int) -> "Table":
    refused = table.symbols_refused
    reasons = Counter(each.refusal.reason for each in refused)
    counts = ", ".join(f"{name} {number}" for name, number in reasons.items())
    listing = _table("symbol", "refused at", f"why ({counts})")
    for each in refused[:top]:
        listing.add_row(each.symbol, each.refusal.reason, each.refusal.why)
    if len(refused) > top:
        listing.add_row(f"[dim]{len(refused) - top} more[/]")
    return listing


def _changes(changes: Sequence[PairLife], top: int) -> Iterator["str | Table"]:
    """New pairs are counted; those that were known are told one by one."""
    known = [life for life in changes if life.before is not None]
    if new := Counter(str(life.state) for life in changes if life.before is None):
        yield f"New: {', '.join(f'{number} {state}' for state, number in new.items())}."
    if known:
        table = _table("changed", "was", "is", "why")
        for life in known[:top]:
            table.add_row(str(life.pair), str(life.before), str(life.state), life.why)
        if len(known) > top:
            table.add_row(f"[dim]{len(known) - top} more[/]")
        yield table


def _plain(refusal: Refusal | None) -> dict[str, str]:
    return {"gate": refusal.reason, "why": refusal.why} if refusal else {}


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim underline")
    for place, column in enumerate(columns):
        last = place == len(columns) - 1
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", no_wrap=not last
        )
    return table
