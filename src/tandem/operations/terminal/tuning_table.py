"""What a search for better settings came to, on a terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tandem.forecast import Outcome, Tried, Tuned
from tandem.operations.run.wording import counted, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH: Final = 100
SCORES: Final = (("Loss", "log_loss"), ("MCC", "mcc"), ("F1", "f1_score"), ("AUC", "roc_auc"))


def print_tuning(tuned: Tuned, ended: Outcome, console: "Console", *, top: int) -> None:
    """Print the best trials beside the rivals on the same blocks, what they are worth, and the block to paste.

    Args:
        tuned: the fact.
        ended: its trials.
        console: where to print, in its width, 100 columns at most.
        top: rows.
    """
    width = min(console.width, WIDTH)
    console.print(f"\n[bold]{tuned.sector}, {tuned.session}[/], study {tuned.study}", width=width, highlight=False)
    console.print(_table(tuned, ended, top), width=width, highlight=False)
    console.print(f"[dim]Settings: {' / '.join(tuned.params)}.[/]", width=width, highlight=False)
    pairs = counted(len(tuned.pairs), "pair")
    console.print(
        f"Means over {ended.blocks:,} walk-forward validation blocks of {pairs}; no test block was looked at. "
        f"{tuned.trials:,} trials, {tuned.pruned:,} of them given up early. The best of many looks better than it is: "
        "train it, and let it prove itself beside the recipe that trades.",
        width=width,
        highlight=False,
    )
    for pair, why in tuned.left_out.items():
        console.print(f"[yellow]{pair} was left out: {why}[/]", width=width, highlight=False)
    console.print(f"\n{tuned.block()}", width=width, highlight=False)


def _table(tuned: Tuned, ended: Outcome, top: int) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim underline")
    table.add_column("")
    for name, _ in SCORES:
        table.add_column(name, justify="right")
    table.add_column("Settings")
    whole = sorted((each for each in ended.trials if not each.is_pruned), key=lambda each: (each.loss, each.number))
    for each in whole[:top]:
        table.add_row(f"trial {each.number}", *_figures(each.scores), _settings(each))
    for name, scores in tuned.baselines.items():
        table.add_row(f"[dim]{name}[/]", *_figures(scores), "")
    return table


def _figures(scores: Mapping[str, float]) -> list[str]:
    return [plain(scores[name], 4 if name == "log_loss" else 2) for _, name in SCORES]


def _settings(tried: Tried) -> str:
    return " / ".join(map(str, tried.params.values()))
