"""Pairs and recipes in the order of what they came to, and whether they are getting better."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from tandem.store import ModelSession, PairSession

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class PairRank:
    """A pair among the others.

    Attributes:
        rank: 1 has earned most; equal pairs share one.
        sessions: that it was traded in.
        closed: trades that ended.
        net, gross, costs, borrow, slippage: dollars over the period; slippage is part of the costs.
        pair_orders, not_filled: two-leg orders, and those that were unwound or stuck.
        naked_seconds: how long one leg stood further than the other, all orders together.
        before, lately: net dollars of the first and of the later half of the period's sessions.
        trend: `better`, `worse` or `level`, lately against before; `new` where the period is one session.
    """

    rank: int
    pair: str
    sessions: int
    closed: int
    net: Decimal
    gross: Decimal
    costs: Decimal
    borrow: Decimal
    slippage: Decimal
    pair_orders: int
    not_filled: int
    naked_seconds: float
    before: Decimal
    lately: Decimal
    trend: str


@dataclass(frozen=True, slots=True)
class ModelRank:
    """A recipe among those of its sector.

    Attributes:
        rank: 1 has the most skill; None without a test block.
        refits, refused: mornings that it was fitted on, and those on which it must not trade.
        skill: log loss that it spares the AR(1) forecast on the test block, in nats, mean over its refits.
        mcc, f1_score, base_rate: means over its refits, of the test block.
        forecasts: graded since, those whose outcome is known.
        graded_skill: the same as `skill`, over those forecasts; None where they are the baseline's own.
        before, lately: skill in the first and in the later half of the period's sessions.
        trend: as for pairs.
    """

    rank: int | None
    sector: str
    recipe: str
    refits: int
    refused: int
    skill: float | None
    mcc: float | None
    f1_score: float | None
    base_rate: float | None
    forecasts: int
    graded_skill: float | None
    before: float | None
    lately: float | None
    trend: str


def rank_pairs(rows: Iterable[PairSession], sessions: Sequence[date]) -> list[PairRank]:
    """Every pair with an attributed session, the best first.

    Args:
        sessions: of the period, oldest first: its halves are those of the trend.
    """
    half = _half(sessions)
    own: defaultdict[str, list[PairSession]] = defaultdict(list)
    for row in rows:
        if row.net is not None:
            own[row.pair].append(row)
    found = sorted((_pair(pair, of, half) for pair, of in own.items()), key=lambda each: (-each.net, each.pair))
    ranks = _ranks([each.net for each in found])
    return [replace(each, rank=rank) for each, rank in zip(found, ranks, strict=True)]


def rank_models(rows: Iterable[ModelSession], sessions: Sequence[date]) -> list[ModelRank]:
    """Every recipe by sector, the most skilful first; what the baseline forecast alone is no recipe."""
    half = _half(sessions)
    own: defaultdict[tuple[str, str], list[ModelSession]] = defaultdict(list)
    for row in rows:
        own[row.sector, row.recipe].append(row)
    unranked = sorted(
        (_model(sector, recipe, of, half) for (sector, recipe), of in own.items()),
        key=lambda each: (each.sector, each.skill is None, -(each.skill or 0), each.recipe),
    )
    found = []
    for _, together in groupby(unranked, lambda each: each.sector):
        of_sector = list(together)
        ranks = _ranks([each.skill for each in of_sector])
        found += [
            replace(each, rank=None if each.skill is None else rank)
            for each, rank in zip(of_sector, ranks, strict=True)
        ]
    return found


def _pair(pair: str, rows: Sequence[PairSession], half: date | None) -> PairRank:
    before = sum((row.net or ZERO for row in rows if half and row.session < half), ZERO)
    net = sum((row.net or ZERO for row in rows), ZERO)
    return PairRank(
        rank=0,
        pair=pair,
        sessions=len(rows),
        closed=sum(row.closed for row in rows),
        net=net,
        gross=sum((row.gross or ZERO for row in rows), ZERO),
        costs=sum((row.costs or ZERO for row in rows), ZERO),
        borrow=sum((row.borrow or ZERO for row in rows), ZERO),
        slippage=sum((row.slippage or ZERO for row in rows), ZERO),
        pair_orders=sum(row.pair_orders for row in rows),
        not_filled=sum(row.not_filled for row in rows),
        naked_seconds=sum(row.naked_seconds for row in rows),
        before=before,
        lately=net - before,
        trend=_trend(before, net - before) if half else "new",
    )


def _model(sector: str, recipe: str, rows: Sequence[ModelSession], half: date | None) -> ModelRank:
    before = skill_of(row for row in rows if half and row.session < half)
    lately = skill_of(row for row in rows if not half or row.session >= half)
    return ModelRank(
        rank=0,
        sector=sector,
        recipe=recipe,
        refits=sum(row.name is not None for row in rows),
        refused=sum(bool(row.refused) for row in rows),
        skill=skill_of(rows),
        mcc=mean(row.mcc for row in rows),
        f1_score=mean(row.f1_score for row in rows),
        base_rate=mean(row.base_rate for row in rows),
        forecasts=sum(row.graded_forecasts or 0 for row in rows),
        graded_skill=graded_skill_of(rows),
        before=before,
        lately=lately,
        trend=_trend(before, lately) if before is not None and lately is not None else "new",
    )


def skill_of(rows: Iterable[ModelSession]) -> float | None:
    """Log loss spared on the test blocks, in nats, mean over sessions; None where there is none."""
    return mean(
        row.log_loss_ar1 - row.log_loss for row in rows if row.log_loss is not None and row.log_loss_ar1 is not None
    )


def graded_skill_of(rows: Iterable[ModelSession]) -> float | None:
    """The same over the forecasts that were graded, each counting alike; None where none is a model's own."""
    spared, forecasts = 0.0, 0
    for row in rows:
        if row.graded_forecasts and row.graded_log_loss is not None and row.graded_log_loss_ar1 is not None:
            # The same loss to the last bit is the baseline's own: records of earlier versions credit it to the recipe.
            if row.graded_log_loss == row.graded_log_loss_ar1:
                continue
            spared += (row.graded_log_loss_ar1 - row.graded_log_loss) * row.graded_forecasts
            forecasts += row.graded_forecasts
    return spared / forecasts if forecasts else None


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that there are."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _half(sessions: Sequence[date]) -> date | None:
    """The first session of the later half, which has the odd one; None where there is no half before."""
    return sessions[len(sessions) // 2] if len(sessions) > 1 else None


def _trend(before: Decimal | float, lately: Decimal | float) -> str:
    return "better" if lately > before else "worse" if lately < before else "level"


def _ranks(values: Sequence[Decimal | float | None]) -> list[int]:
    return [values.index(value) + 1 for value in values]
