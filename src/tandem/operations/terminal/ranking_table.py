"""A ranking of trained pairs, on a terminal, as a document and as a file for a spreadsheet."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tandem.forecast import Ranking, Rating
from tandem.operations.run.wording import counted, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH: Final = 100
# What a column shows, and the figure it is.
COLUMNS: Final = (
    ("MCC", "test_mcc"),
    ("AR(1)", "test_mcc_ar1"),
    ("Logit", "test_mcc_logistic"),
    ("Loss", "test_log_loss"),
    ("AR(1)", "test_log_loss_ar1"),
    ("Naive", "test_log_loss_always_one"),
    ("F1", "test_f1_score"),
    ("AR(1)", "test_f1_score_ar1"),
    ("Logit", "test_f1_score_logistic"),
    ("Always 1", "test_f1_score_always_one"),
    ("Base", "test_base_rate"),
    ("p", "evidence_pvalue"),
)


def print_ranking(ranking: Ranking, console: "Console", *, title: str, level: float, top: int) -> None:
    """Print the best pairs with their baselines, and what all of them come to together.

    Args:
        ranking: of the pairs.
        console: where to print, in its width, 100 columns at most.
        title: stands above.
        level: p-value below which the GRU has beaten the baseline.
        top: rows.
    """
    width = min(console.width, WIDTH)
    console.print(f"\n[bold]{title}[/]", width=width, highlight=False)
    if ranking.trained:
        console.print(_table(ranking.trained[:top], roomy=width >= WIDTH), width=width, highlight=False)
    for line in _sentences(ranking, level, top):
        console.print(line, width=width, highlight=False)


def ranking_document(ranking: Ranking, level: float) -> dict[str, Any]:
    """The same as plain numbers and words, all pairs of it."""
    ratings = [
        {**msgspec.to_builtins(rating), "pair": str(rating.pair), "trades_with": rating.trades_with}
        for rating in ranking.ratings
    ]
    return {"figures": ranking.figures(level), "ratings": ratings}


def ranking_csv(rankings: Sequence[tuple[str, Ranking]]) -> str:
    """A line for each pair of each sector: its place, its model, every figure, and why.

    Args:
        rankings: sectors with their rankings.
    """
    every = [rating for _, ranking in rankings for rating in ranking.ratings]
    names = sorted({name for rating in every for name in rating.metrics})
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sector", "rank", "pair", "trades_with", "horizon", "best_epoch", *names, "why"])
    for sector, ranking in rankings:
        for rank, rating in enumerate(ranking.ratings, start=1):
            figures = [rating.metrics.get(name, "") for name in names]
            why = rating.refusal.why if rating.refusal else rating.why
            head = [sector, rank if rating.is_trained else "", rating.pair, rating.trades_with]
            writer.writerow([*head, rating.horizon, rating.best_epoch, *figures, why])
    return text.getvalue()


def _table(ratings: Sequence[Rating], *, roomy: bool) -> "Table":
    from rich.table import Table

    columns = [column for column in COLUMNS if roomy or not column[1].endswith("logistic")]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim underline")
    for name in ("", "Pair", *(name for name, _ in columns), "Tests"):
        table.add_column(name, justify="left" if name == "Pair" else "right", no_wrap=True)
    for rank, rating in enumerate(ratings, start=1):
        figures = [plain(rating.metrics[name]) for _, name in columns]
        table.add_row(str(rank), str(rating.pair), *figures, f"{rating.metrics['test_samples']:.0f}")
    return table


def _sentences(ranking: Ranking, level: float, top: int) -> Iterator[str]:
    trained, figures = ranking.trained, ranking.figures(level)
    if len(trained) > top:
        yield f"[dim]The best {top:,} of {len(trained):,}; --top shows more, --csv writes all.[/]"
    if trained:
        yield (
            "[dim]Test block. MCC, log loss and F1 of the GRU, each beside its rivals; Naive says the base rate of the "
            "train block, Base is the share of ones, p is that of no lower log loss than AR(1).[/]"
        )
        yield (
            f"Mean MCC {_mean(figures, 'test_mcc')}, of AR(1) {_mean(figures, 'test_mcc_ar1')}; mean F1 "
            f"{_mean(figures, 'test_f1_score')}, of always answering 1 {_mean(figures, 'test_f1_score_always_one')} at "
            f"a base rate of {plain(figures['mean_test_base_rate'])}."
        )
        yield (
            f"The GRU has a lower log loss than AR(1) on {figures['lower_log_loss_than_ar1']:.0f} of "
            f"{counted(len(trained), 'pair')}, with evidence (p < {level:g}) on {figures['with_evidence']:.0f}; luck "
            f"alone gives {figures['with_evidence_by_luck']:.1f}. It is lower than that of knowing nothing "
            f"({_mean(figures, 'test_log_loss_always_one')}) on {figures['lower_log_loss_than_base_rate']:.0f}; AR(1) "
            f"has {_mean(figures, 'test_log_loss_ar1')}, the GRU {_mean(figures, 'test_log_loss')}. It would trade "
            f"{figures['gru_trades']:.0f}."
        )
    yield from _without(ranking)


def _mean(figures: dict[str, float], name: str) -> str:
    error = figures.get(f"standard_error_{name}")
    return plain(figures[f"mean_{name}"], 3) + (f" \u00b1 {plain(error, 3)}" if error is not None else "")


def _without(ranking: Ranking) -> Iterator[str]:
    whys = Counter(each.refusal.why for each in ranking.ratings if each.refusal is not None)
    if whys:
        why, times = whys.most_common(1)[0]
        more = f" ({times:,} of them)" if len(whys) > 1 else ""
        yield f"{counted(whys.total(), 'pair')} had no GRU: {why}{more}."
