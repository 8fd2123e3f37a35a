"""Every page of the site, and what its templates are told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import log
from typing import Final

from tandem.desk import ConfiguredPair, Refit
from tandem.forecast import PairModel
from tandem.market import Pair
from tandem.operations.dashboard.folds.decisions import Decision
from tandem.operations.dashboard.folds.money import Earned, Position
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.health import health
from tandem.operations.dashboard.page import Asked, Context, Page, View
from tandem.operations.dashboard.plot import Line, bar, calibration, lines
from tandem.operations.run.recipes import RecipeStanding
from tandem.operations.run.scoreboard import FORECASTERS
from tandem.screening import Funnel, PairState, Passport
from tandem.store import Stage, Store

DECISIONS_SHOWN: Final = 60
ORDERS_SHOWN: Final = 100
ALERTS_SHOWN: Final = 200
DAYS_SHOWN: Final = 60
MODELS_SHOWN: Final = 6
FEW: Final = 60
SCORES: Final = ("f1_score", "mcc", "roc_auc", "brier", "log_loss")
INKS: Final = ("a", "b", "band", "gain", "loss")
STATES: Final = tuple(PairState)


def desk(page: Page, followed: Followed, _: Asked) -> Context:
    """What is held and earned, what was decided, and how everything fares."""
    money, curve = followed.money, followed.curve
    positions, earned = money.positions(), money.earned()
    capital = followed.capital.cash if followed.capital else None
    mark = curve.newest.body if curve.newest else None
    return {
        "positions": positions,
        "earned": sorted(earned, key=lambda each: each.net, reverse=True),
        "net_today": sum((each.net for each in earned), start=0),
        "gross_today": sum((each.gross for each in earned), start=0),
        "costs_today": sum((each.costs for each in earned), start=0),
        "naked": sum((each.naked for each in positions), start=0),
        "exposure": sum((each.exposure for each in positions), start=0),
        "equity": mark.equity if mark else capital,
        "mark": mark,
        "capital": capital,
        "decisions": followed.decisions.newest(DECISIONS_SHOWN),
        "sign": followed.decisions.latest.get,
        "health": health(page, followed),
    }


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair on the list: what the morning said of it and how it fares."""

    configured: ConfiguredPair
    passport: Passport | None
    said: Decision | None
    position: Position | None
    total: Earned | None


def pairs(_: Page, followed: Followed, asked: Asked) -> Context:
    """The screen's funnel and every pair that stands somewhere."""
    mornings = followed.mornings
    day = _day(asked.get("day", ""), mornings.days) or (mornings.days[0] if mornings.days else None)
    made = mornings.configuration(day) if day else None
    rows = [_row(followed, each, day) for each in made.pairs] if made and day else []
    rows.sort(key=lambda row: (STATES.index(row.configured.life.state) == 3, row.configured.rank or 10_000))
    funnel = mornings.funnel(day) if day else None
    return {"day": day, "days": mornings.days, "made": made, "rows": rows, "funnel": funnel,
            "gates": list(_gates(funnel)) if funnel else []}  # fmt: skip


def pair(page: Page, followed: Followed, asked: Asked) -> Context:
    """All we know of one pair."""
    try:
        meant = Pair(asked["a"], asked["b"])
    except ValueError:
        return {"is_missing": True, "pair": None, "name": f"{asked['a']}/{asked['b']}"}
    mornings = followed.mornings
    found = mornings.passports(meant)
    signals = followed.decisions.signals_of(meant)
    trades = followed.money.trades_of(meant)
    if not (found or signals or trades or mornings.lives(meant)):
        return {"is_missing": True, "pair": None, "name": str(meant)}
    days = sorted({passport.session for passport in found} | {session for _, session, _ in signals}, reverse=True)
    day = _day(asked.get("day", ""), days)
    every = asked.get("day") == "all"
    shown = day or (days[0] if days else None)
    passport = (mornings.passport(meant, shown) if shown else None) or (found[-1] if found else None)
    made = mornings.configuration()
    return {
        "is_missing": False,
        "pair": meant,
        "name": str(meant),
        "passport": passport,
        "days": days,
        "day": None if every else shown,
        "chosen": "all" if every else str(shown or ""),
        "trades": trades[::-1],
        "said": followed.decisions.latest.get(meant),
        "position": followed.money.position(meant),
        "total": followed.money.total(meant),
        "refusals": followed.decisions.refusals_of(meant),
        "lives": mornings.lives(meant)[::-1],
        "configured": made.of(meant) if made else None,
        "hedges": _hedges(found[-DAYS_SHOWN:]),
        "bar": bar,
    }


def models(page: Page, followed: Followed, asked: Asked) -> Context:
    """Recipes with their stages, figures beside baselines, evolution, the day's models, trials."""
    standings = followed.recipes.standings(followed.mornings.plans())
    planned = followed.mornings.newest_plan()
    refits = list(planned[1].refits) if planned else []
    shown = [refit for refit in refits if any(_is_live(each, refit) for each in standings)] or refits
    return {
        "standings": standings,
        "scores": {(each.sector, each.name): _scores(each.record) for each in standings},
        "evolutions": {sector: _evolution([s for s in standings if s.sector == sector])
                       for sector in dict.fromkeys(each.sector for each in standings)},
        "plan_day": planned[0] if planned else None,
        "models": list(_day_models(page, planned[1].models if planned and not shown else {}, shown)),
        "left_out": max(0, sum(len(refit.models) for refit in shown) - MODELS_SHOWN),
        "verdicts": list(followed.recipes.verdicts)[::-1][:50],
        "changes": list(followed.recipes.changes)[::-1][:50],
        "registered": followed.recipes.registered,
        "mlflow": f"http://127.0.0.1:{page.settings.operations.mlflow_port}",
    }  # fmt: skip


def orders(_: Page, followed: Followed, asked: Asked) -> Context:
    """The newest two-leg orders."""
    return {"orders": followed.orders.newest(ORDERS_SHOWN), "working": followed.orders.working}


def order(_: Page, followed: Followed, asked: Asked) -> Context:
    """The life of one two-leg order."""
    life = followed.orders.of(asked["order"])
    return {"life": life, "name": asked["order"], "is_missing": life is None}


def recycler(page: Page, followed: Followed, asked: Asked) -> Context:
    """What is playing and what goes wrong on purpose."""
    from tandem.recycler import FAULTS

    status = page.remote.status
    return {
        "status": status,
        "first": datetime.fromisoformat(str(status["first"])) if status else None,
        "faults": page.remote.faults,
        "scenarios": page.remote.scenarios,
        "kinds": FAULTS,
    }


def runs(page: Page, followed: Followed, asked: Asked) -> Context:
    """What each flow came to, Prefect's own runs, processes."""
    from tandem.operations.flows.done import FlowName

    return {
        "flows": list(FlowName),
        "flow_days": followed.flows.newest(DAYS_SHOWN),
        "prefect": page.prefect.runs(),
        "prefect_url": f"http://127.0.0.1:{page.settings.operations.prefect_port}",
        "processes": [record for _, record in sorted(followed.processes.latest.items())],
        "changes": list(followed.processes.records)[::-1][:50],
    }


def alerts(_: Page, followed: Followed, asked: Asked) -> Context:
    """What a person was told."""
    past = [alert for alert in followed.alerts.all.values() if alert.over is not None]
    return {"past": past[::-1][:ALERTS_SHOWN]}


VIEWS: Final = {
    view.name: view
    for view in (
        View("desk", "Desk", ("strip", "positions", "earned", "decisions", "health"), desk),
        View("pairs", "Pairs", ("funnel", "pairs"), pairs),
        View("pair", "Pair", ("pairnow", "trades", "refusals"), pair, within="pairs"),
        View("models", "Models", ("registry", "scores", "evolution", "verdicts"), models),
        View("orders", "Orders", ("orders",), orders),
        View("order", "Order", ("life",), order, within="orders"),
        View("recycler", "Recycler", ("playing", "faults"), recycler),
        View("runs", "Runs", ("flows", "prefect", "processes"), runs),
        View("alerts", "Alerts", ("active", "past"), alerts),
    )
}


def _row(followed: Followed, each: ConfiguredPair, day: date) -> PairRow:
    passport = followed.mornings.passport(each.pair, day) or followed.mornings.newest_passport(each.pair)
    said = followed.decisions.latest.get(each.pair)
    position, total = followed.money.position(each.pair), followed.money.total(each.pair)
    return PairRow(each, passport, said, position, total)


def _day(asked: str, days: list[date]) -> date | None:
    return next((day for day in days if str(day) == asked), None)


def _gates(funnel: Funnel) -> Iterator[tuple[str, int, int, object]]:
    """Of each gate: its name, pairs left, pairs refused, and a bar; many pairs are on a logarithmic scale."""
    most = max(funnel.steps[0].left, 1) if funnel.steps else 1
    before = most
    for step in funnel.steps:
        many = log(1 + step.left) / log(1 + most)
        yield step.gate, step.left, before - step.left, bar(many if most > FEW else step.left / most)
        before = step.left


def _hedges(found: list[Passport]) -> list[tuple[str, str, object]]:
    """Pictures over the mornings: key of the definition, what it is called, SVG."""
    labels = [f"{passport.session.day} {passport.session:%b}" for passport in found]
    shown = [
        Line("least sq.", "a", [each.hedge_ratio for each in found]),
        Line("total l.s.", "b", [each.hedge_ratio_tls for each in found], is_dashed=True),
        Line("Johansen", "band", [each.hedge_ratio_johansen for each in found], is_dashed=True),
    ]
    first = found[-1].hedge_by if found else ""
    if first and first != "ols":
        shown[0] = Line(first, "a", shown[0].values)
    half_lives = [Line("half-life", "a", [each.half_life for each in found])]
    scores = [Line("score", "a", [each.score.total for each in found])]
    known = [line for line in shown if any(value is not None for value in line.values)]
    return [
        ("hedge_ratio", "Hedge ratio", lines(known, labels, "hedge ratio by morning", places=3)),
        ("half_life", "Half-life", lines(half_lives, labels, "half-life by morning", places=1)),
        ("score", "Score", lines(scores, labels, "score by morning")),
    ]


def _is_live(standing: RecipeStanding, refit: Refit) -> bool:
    return (standing.sector, standing.name) == (refit.sector, refit.recipe) and standing.stage is not Stage.ARCHIVED


def _scores(record: dict[str, float]) -> list[tuple[str, list[float | None]]]:
    """Of each forecaster its figures on the test block; those that were tested."""
    found = []
    for forecaster, label in FORECASTERS.items():
        ending = "" if forecaster == "gru" else f"_{forecaster}"
        values = [record.get(f"test_{score}{ending}") for score in SCORES]
        if any(value is not None for value in values):
            found.append((label, values))
    return found


def _evolution(standings: list[RecipeStanding]) -> list[tuple[str, str, object]]:
    """Pictures over the days: key of the definition, what it is, SVG."""
    days = sorted({each.session for standing in standings for each in standing.refits})[-DAYS_SHOWN:]
    labels = [f"{day.day} {day:%b}" for day in days]
    pictures = []
    for key, title, figure, rival, places in (
        ("mcc", "MCC", "test_mcc", "test_mcc_ar1", 2),
        ("log_loss", "Log loss", "test_log_loss", "test_log_loss_ar1", 2),
        ("f1", "F1", "test_f1_score", "test_f1_score_always_one", 2),
    ):
        shown: list[Line] = []
        for ink, standing in zip(INKS, standings, strict=False):
            known = {each.session: each.refit.figures for each in standing.refits}
            values = [known[day].get(figure) if day in known else None for day in days]
            others = [known[day].get(rival) if day in known else None for day in days]
            name = "always 1" if rival.endswith("one") else "AR(1)"
            shown += [Line(standing.name, ink, values), Line(name, "faint", others, is_dashed=True)][
                : 2 if not shown else 1
            ]
        pictures.append((key, title, lines(shown, labels, f"{title} by day", places=places)))
    return [picture for picture in pictures if picture[2]]


@dataclass(frozen=True, slots=True)
class ModelShown:
    """A pair's model of the day with its pictures."""

    recipe: str
    model: PairModel
    scores: list[tuple[str, list[float | None]]]
    loss: object
    f1: object
    calibration: object


def _day_models(page: Page, plain: dict[str, str], refits: list[Refit]) -> Iterator[ModelShown]:
    named = [(refit.recipe, digest) for refit in refits for digest in refit.models.values()]
    named += [("", digest) for digest in plain.values()]
    for recipe, digest in named[:MODELS_SHOWN]:
        yield _shown(recipe, digest, page.reading)


@lru_cache(maxsize=64)
def _shown(recipe: str, digest: str, store: Store) -> ModelShown:
    model = PairModel.from_bytes(store.blobs.get(digest))
    epochs = [str(place) for place in range(1, len(model.history) + 1)]
    best = model.best_epoch - 1 if 0 < model.best_epoch <= len(epochs) else None
    loss = [Line("train", "a", [each.loss for each in model.history]),
            Line("validation", "b", [each.validation_loss for each in model.history])]  # fmt: skip
    f1 = [Line("train", "a", [each.f1_score for each in model.history]),
          Line("validation", "b", [each.validation_f1_score for each in model.history])]  # fmt: skip
    return ModelShown(
        recipe,
        model,
        _scores(model.metrics),
        lines(loss, epochs, "log loss by epoch", mark=best),
        lines(f1, epochs, "F1 by epoch", mark=best),
        calibration(model.calibration, "how often forecasts came true"),
    )
