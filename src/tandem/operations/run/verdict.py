"""What a run came to, in two sentences that hide nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tandem.market import WorldKind
from tandem.operations.run.measure import A_QUARTER
from tandem.operations.run.summary import Summary
from tandem.operations.run.wording import dollars, moment_text, paid, percent


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence around an amount that is to be seen first: `It lost `, `$12.34`, ` after costs ...`."""

    before: str
    amount: str
    after: str


SHADOW: Final = "This is a shadow book: its orders were meant and not sent. "


def verdict(summary: Summary) -> Verdict:
    """The P&L, plainly; of a shadow book, what it would have been."""
    shadow = summary.world.kind is WorldKind.SHADOW
    said = SHADOW if shadow else ""
    if not summary.fills:
        return Verdict(said, "Nothing was traded", ", so there is no profit or loss; each day says why.")
    share = percent(float(abs(summary.net_pnl) / summary.capital)) if summary.capital else "n/a"
    lost, made = ("It would have lost ", "It would have made ") if shadow else ("It lost ", "It made ")
    return Verdict(
        said + (lost if summary.net_pnl < 0 else made),
        dollars(abs(summary.net_pnl), signed=False),
        f" after costs, {share} of the {dollars(summary.capital, signed=False)} it started with: gross "
        f"{dollars(summary.gross_pnl)}, costs {paid(summary.gross_pnl, summary.net_pnl)}, largest drawdown "
        f"{percent(summary.max_drawdown)}.",
    )


def proves(summary: Summary) -> str:
    """What so few sessions prove; empty where there are enough to say something."""
    if len(summary.days) >= A_QUARTER:
        return ""
    few = "1 session proves" if len(summary.days) == 1 else f"{len(summary.days)} sessions prove"
    return f"{few} nothing about profit; the page shows what Tandem does and how."


def still_open(summary: Summary) -> Iterator[str]:
    """Every trade with shares still held."""
    for trade in summary.open_trades:
        side = "long" if trade.direction > 0 else "short"
        since = moment_text(trade.opened_at)
        yield f"Still open: {trade.pair}, {side} the spread since {since}, {dollars(trade.net)} at the newest prices."
