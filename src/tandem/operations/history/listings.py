"""Which columns pairs, models, signals and attribution have."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tandem.book import Parts
from tandem.desk import Ungraded
from tandem.operations.history.listing import Column, Listing, count, figure, money, paid, words
from tandem.operations.history.ranking import ModelRank, PairRank
from tandem.operations.history.trades import TradeParts
from tandem.operations.run.wording import clock_time, counted, dollars, listed, moment_text, plain, weekday
from tandem.store import ModelSession, PairSession, SignalRow

SESSION: Final = Column("Session", lambda row: weekday(row.session))
TREND: Final = "Trend: the later half of the sessions against the first."
ITSELF: Final = "-: the baseline itself answered, and is not graded against itself."
NAMED: Final = 3
NO_PAIRS: Final = "No pair was traded."
NO_MODELS: Final = "No model was fitted."


def pair_ranking(ranks: Sequence[PairRank], title: str) -> Listing:
    """Pairs, the best first."""
    columns = [
        count("#", "rank"), words("Pair", "pair"), count("Sessions", "sessions"), count("Closed", "closed"),
        money("net"), money("gross"), Column(">Costs", _costs), words("Trend", "trend"),
    ]  # fmt: skip
    return Listing(
        title,
        columns,
        ranks,
        f"Dollars, both legs; net is after costs and borrowing. {TREND}",
        NO_PAIRS,
        best_first=True,
    )


def pair_sessions(rows: Sequence[PairSession], title: str) -> Listing:
    """One pair or several, session by session."""
    columns = [
        SESSION, words("Pair", "pair"), count("Trades", "trades"), money("net"), money("gross"),
        Column(">Costs", _costs), figure("Naked s", "naked_seconds", 0), count("Not filled", "not_filled"),
    ]  # fmt: skip
    return Listing(title, columns, rows, "Naked: seconds in which one leg stood further than the other.", NO_PAIRS)


def model_ranking(ranks: Sequence[ModelRank], title: str, waiting: Sequence[Ungraded] = ()) -> Listing:
    """Recipes by sector, the best first; below them which sessions wait to be graded."""
    columns = [
        count("#", "rank"), words("Sector", "sector"), words("Recipe", "recipe"), count("Refits", "refits"),
        count("Refused", "refused"), figure("Test\nskill", "skill"), figure("MCC", "mcc"), figure("F1", "f1_score"),
        count("Graded", "forecasts"), Column(">Graded\nskill", _graded_skill), words("Trend", "trend"),
    ]  # fmt: skip
    note = (
        "Skill: log loss that a model spares the AR(1) baseline, in nats; below 0 it is worse. Test skill is that of "
        f"the test block, graded skill that of the forecasts graded since. {TREND}"
    )
    itself = f" {ITSELF}" if any(map(_is_the_baselines, ranks)) else ""
    return Listing(title, columns, ranks, f"{note}{itself}{_waiting(waiting)}", NO_MODELS, best_first=True)


def model_sessions(rows: Sequence[ModelSession], title: str) -> Listing:
    """Recipes, session by session."""
    columns = [
        SESSION, words("Sector", "sector"), words("Recipe", "recipe"), figure("F1", "f1_score"),
        figure("Base", "base_rate"), figure("MCC", "mcc"), figure("AR(1)", "mcc_ar1"), figure("Loss", "log_loss"),
        figure("AR(1)", "log_loss_ar1"), words("Refused", "refused"),
    ]  # fmt: skip
    return Listing(title, columns, rows, "On the test block, means over pairs; loss is log loss in nats.", NO_MODELS)


def signals(rows: Sequence[SignalRow], title: str, total: int, note: str) -> Listing:
    """Signals and refusals in order of time."""
    columns = [
        Column("Decision", lambda row: f"{weekday(row.session)} {clock_time(row.at)}"), words("Pair", "pair"),
        words("Action", "action"), figure("z", "z", 2), figure("p", "probability", 2),
        figure("Conf", "confidence", 2), words("Reason", "reason"),
    ]  # fmt: skip
    return Listing(title, columns, rows, note, note or "No pair was judged.", total)


def attribution(trades: Sequence[TradeParts], title: str) -> Listing:
    """Trades by what their P&L is made of."""
    columns = [
        Column("Pair", lambda row: row.pair or "together"),
        Column("In", lambda row: moment_text(row.opened_at) if row.pair else ""),
        Column("Side", lambda row: {1: "long", -1: "short"}.get(row.direction, "")), money("net"),
        money("spread_move"), money("hedge_drift"), paid("costs"), paid("borrow"),
    ]  # fmt: skip
    note = (
        "Dollars: net = spread move + hedge drift - costs - borrow. Spread move is what a hedge at the ratio of entry "
        "earned, drift what the shares held earned beside it. Open trades stand at the last marks."
    )
    return Listing(title, columns, trades, note, "No trade was held.")


def together(trades: Sequence[TradeParts], total: Parts) -> list[TradeParts]:
    """A last line with the sums, where there are several trades."""
    if len(trades) < 2:
        return []
    last = trades[-1]
    sums = {name: getattr(total, name) for name in ("net", "gross", "spread_move", "hedge_drift", "slippage", "fees",
                                                    "costs", "borrow")}  # fmt: skip
    return [replace(last, pair="", direction=0, sessions=0, **sums)]


def _graded_skill(rank: ModelRank) -> str:
    return "-" if _is_the_baselines(rank) else plain(rank.graded_skill, 3)


def _is_the_baselines(rank: ModelRank) -> bool:
    return bool(rank.forecasts) and rank.graded_skill is None


def _waiting(sessions: Sequence[Ungraded]) -> str:
    """Which sessions wait until the last horizon of their forecasts is over, on a line of its own."""
    if not sessions:
        return ""
    said = [f"{weekday(each.session)} until the evening of {weekday(each.due)}" for each in sessions[:NAMED]]
    more = [f"{len(sessions) - NAMED:,} more"] if len(sessions) > NAMED else []
    waits = f"{counted(len(sessions), 'session waits', 'sessions wait')} to be graded"
    return f"\n{waits}: {listed([*said, *more])}. `tandem monitor` does it."


def _costs(row: PairRank | PairSession) -> str:
    """What gross and net leave beside borrowing, so that a line adds up; `n/a` where nobody attributed the session."""
    if row.gross is None or row.costs is None or row.borrow is None:
        return "n/a"
    return dollars(Parts(row.gross, slippage=row.costs, borrow=row.borrow).in_cents.costs, signed=False)


def figure_text(value: float | None) -> str:
    """A figure of a comparison."""
    return plain(value, 3 if value is not None and abs(value) < 10 else 2)
