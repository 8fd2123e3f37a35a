"""A morning's identification in MLflow: a run for each sector, under it one for each of its best pairs.

Experiments are `pairs_trading/{sector}_sector/identification`; pairs across sectors are in
`pairs_trading/cross_sector/identification`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tandem.config import Settings
from tandem.market import Session, World
from tandem.screening.eligible.universe import ACROSS
from tandem.screening.gates import SELECTED, STEPS
from tandem.screening.passport import Passport
from tandem.screening.record.lineage import code_version, experiments_of, slug, world_tag
from tandem.screening.record.pictures import funnel_png, passport_png
from tandem.screening.screen import Screen
from tandem.screening.table import PairTable
from tandem.statistics import expected_by_chance
from tandem.store import Runs, Tracking

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

MOST_PICTURES: Final = 20
# The day's best pairs, and the best of each sector, have a run of their own: MLflow takes 5 to 40 of them a second, and
# a screen of 3,000 symbols may select thousands. The others are in the table and in the store.
MOST_CHILDREN: Final = 300
BEST_OF_SECTOR: Final = 10
NOTE: Final = "mlflow.note.content"
ADF: Final = (
    "`adf_test_pvalue` of a pair is an ordinary ADF test of the fitted residual: it ignores that the hedge was fitted "
    "and is too small. Compare pairs by `cointegration_pvalue`."
)
LARGEST: Final = 16 * 2**20
# MLflow has room for so much of a digest; the whole of it is a tag and in the source.
DIGEST: Final = 36


@dataclass(frozen=True, slots=True)
class Origin:
    """What one identification was made from and for.

    Attributes:
        sectors: of each symbol.
        settings: that decided.
        data_version: SHA-256 of the bars.
        settings_version: SHA-256 of the settings that decided.
        version: of the day's trading configuration.
        world: the account that will trade by it.
    """

    session: Session
    sectors: Mapping[str, str]
    settings: Settings
    data_version: str
    settings_version: str
    version: int
    world: World


@dataclass(frozen=True, slots=True)
class SectorCount:
    """Pairs of one sector.

    Attributes:
        pairs: considered.
        left: after each of `STEPS`.
        tested: of them for cointegration; passing: of these below the level.
    """

    sector: str
    pairs: int
    left: tuple[int, ...]
    tested: int
    passing: int


def track(tracking: Tracking, screen: Screen, origin: Origin, document: bytes) -> dict[str, str]:
    """Record a screen in MLflow, once: runs that are there and finished are taken, others are superseded.

    Args:
        document: the table of pairs, kept beside the runs unless it is very large.

    Returns:
        The id of each sector's run.

    Raises:
        StoreError: the tracking store is away, or its files cannot be written.
    """
    with tracking.alone(f"identification {world_tag(origin.world)} {origin.session.day}"):
        return {
            count.sector: _recorded(tracking, count, screen, origin, document)
            for count in sector_counts(screen.table, origin.sectors, origin.settings)
        }


def sector_counts(table: PairTable, sectors: Mapping[str, str], settings: Settings) -> tuple[SectorCount, ...]:
    """What each sector's pairs came to, those across sectors last."""
    names = sorted({sectors.get(symbol, "").casefold() for symbol in table.symbols})
    places = np.array([names.index(sectors.get(symbol, "").casefold()) for symbol in table.symbols])
    first, second = places[table.first], places[table.second]
    group = np.where(first == second, first, len(names))
    passing = table.tested & (table.pvalue < settings.screen.max_pvalue)
    spelled = {sector.casefold(): sector for sector in settings.sectors.active}
    return tuple(
        _count(spelled.get(name, name), table, group == place, passing)
        for place, name in enumerate([*names, ACROSS])
        if bool((group == place).any())
    )


def passport_figures(passport: Passport) -> dict[str, float]:
    """A passport's figures under the mission's names; those that are not finite are left out."""
    garch, score = passport.garch, passport.score
    found = {
        "cointegration_pvalue": passport.pvalue,
        "cointegration_statistic": passport.statistic,
        "q_bh": passport.q_bh,
        "q_by": passport.q_by,
        "arch_test_pvalue": garch.arch_lm_pvalue,
        "ljung_box_pvalue": garch.ljung_box_pvalue,
        "adf_test_pvalue": passport.adf_pvalue,
        "garch_aic": garch.aic,
        "garch_bic": garch.bic,
        "garch_alpha": garch.alpha,
        "garch_beta": garch.beta,
        "garch_persistence": garch.persistence,
        "correlation_prices": passport.correlation_prices,
        "correlation_returns": passport.correlation_returns,
        "hedge_ratio": passport.hedge_ratio,
        "half_life": passport.half_life,
        "deviation": passport.deviation,
        "bars": passport.bars,
        "score": score.total,
        "score_fit": score.fit,
        "score_volatility": score.volatility,
        "score_trading": score.trading,
        "score_diagnostics": score.diagnostics,
    }
    return {name: float(value) for name, value in found.items() if isfinite(value)}


def _recorded(tracking: Tracking, count: SectorCount, screen: Screen, origin: Origin, document: bytes) -> str:
    experiment = f"{experiments_of(count.sector)}/identification"
    with tracking.runs(experiment, origin.session.morning, _tags(count.sector, origin)) as runs:
        known = runs.known(_identity(origin) | {"level": "sector"})
        if done := [run for run in known if run.info.status == "FINISHED"]:
            return str(done[0].info.run_id)
        made = _added(runs, count, screen, origin, document)
        for each in known:
            runs.supersede(each, made)
        return made


def _added(runs: Runs, count: SectorCount, screen: Screen, origin: Origin, document: bytes) -> str:
    ranked = enumerate(screen.passports, start=1)
    own = [(rank, passport) for rank, passport in ranked if passport.sector == count.sector]
    inputs = [_dataset(screen, origin)]
    best = [(rank, each) for place, (rank, each) in enumerate(own) if rank <= MOST_CHILDREN or place < BEST_OF_SECTOR]
    with runs.begun(
        f"{count.sector} {origin.session.day}",
        {"level": "sector", NOTE: _told(screen, origin, len(own), len(best))},
        _params(origin.settings),
        _totals(count, screen, origin.settings) | {"children": float(len(best))},
        files=_documents(count, document),
        inputs=inputs,
    ) as parent:
        for rank, passport in best:
            _child(runs, parent, passport, rank, inputs)
    return parent


def _told(screen: Screen, origin: Origin, selected: int, children: int) -> str:
    """What a person reads on the run's page."""
    capped = f" The best {children:,} have a run of their own: selected {selected:,}, children {children:,}."
    return (
        f"Identification of {origin.session.day}, version {origin.version} of the trading configuration of "
        f"{origin.world}: {selected:,} selected.{capped if children < selected else ''}\n\n"
        f"Over all sectors: {screen.funnel.chance} {screen.funnel.luck}".rstrip()
        + f"\n\nFigures that begin with `screen_` are of all sectors of the day, the others of this one. {ADF}"
    )


def _count(sector: str, table: PairTable, own: NDArray[np.bool_], passing: NDArray[np.bool_]) -> SectorCount:
    refused = np.bincount(table.gate[own], minlength=SELECTED + 1)[:SELECTED]
    pairs = int(own.sum())
    left = tuple((pairs - np.cumsum(refused)).tolist())
    return SectorCount(sector, pairs, left, int((own & table.tested).sum()), int((own & passing).sum()))


def _tags(sector: str, origin: Origin) -> dict[str, str]:
    return {"sector": sector, "code_version": code_version(), **_identity(origin)}


def _identity(origin: Origin) -> dict[str, str]:
    return {
        "session": str(origin.session.day),
        "data_version": origin.data_version,
        "settings_version": origin.settings_version,
        "configuration_version": str(origin.version),
        "world": world_tag(origin.world),
    }


def _params(settings: Settings) -> dict[str, object]:
    return {"timeframe": settings.model.timeframe, "seed": settings.model.seed} | {
        f"{block}.{name}": value
        for block in ("screen", "garch", "rule", "costs")
        for name, value in _flat(getattr(settings, block).model_dump(mode="json"))
    }


def _flat(block: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in block.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in _flat(value))
        else:
            yield name, value


def _totals(count: SectorCount, screen: Screen, settings: Settings) -> dict[str, float]:
    funnel, before = screen.funnel, (count.pairs, *count.left)
    figures = {
        "pairs": count.pairs,
        "tested": count.tested,
        "passing": count.passing,
        "expected_by_chance": expected_by_chance(count.tested, settings.screen.max_pvalue),
        "selected": count.left[-1],
        "screen_simulated_null": funnel.simulated_null.passing,
        "screen_symbols": funnel.symbols,
        "screen_symbols_refused": funnel.symbols_refused,
    }
    if count.pairs < funnel.steps[0].left:
        # Beside the sector's own figures those of the whole screen, where it had others.
        figures |= {
            "screen_tested": funnel.tested,
            "screen_passing": funnel.passing,
            "screen_expected_by_chance": funnel.expected_by_chance,
        }
    if funnel.simulated_markets is not None:
        markets = funnel.simulated_markets
        figures |= {"screen_luck_mean": markets.mean, "screen_luck_low": markets.low, "screen_luck_high": markets.high}
    if funnel.selected_by_luck is not None:
        figures["screen_selected_by_luck"] = funnel.selected_by_luck
    for gate, had, left in zip(STEPS, before, count.left, strict=False):
        figures |= {f"left_after_{slug(gate)}": left, f"refused_at_{slug(gate)}": had - left}
    return {name: float(value) for name, value in figures.items()}


def _documents(count: SectorCount, document: bytes) -> dict[str, bytes]:
    files = {"funnel.png": funnel_png(["pairs", *STEPS], [count.pairs, *count.left], count.sector)}
    return files | ({"pairs.parquet": document} if len(document) <= LARGEST else {})


def _child(runs: Runs, parent: str, passport: Passport, rank: int, inputs: "Sequence[DatasetInput]") -> None:
    files = {"passport.json": msgspec.json.encode(passport)}
    if rank <= MOST_PICTURES:
        files["passport.png"] = passport_png(passport)
    runs.add(
        f"{passport.pair} {passport.session}",
        {"mlflow.parentRunId": parent, "level": "pair", "pair": str(passport.pair), "rank": str(rank), NOTE: ADF},
        {
            "pair": passport.pair,
            "timeframe": passport.timeframe,
            "window_first": passport.window_first.isoformat(),
            "window_last": passport.window_last.isoformat(),
        },
        passport_figures(passport),
        files=files,
        inputs=inputs,
    )


def _dataset(screen: Screen, origin: Origin) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    settings, table = origin.settings, screen.table
    source = {"store": "market_data", "data_version": origin.data_version, "timeframe": str(settings.model.timeframe)}
    profile = {"symbols": len(table.symbols), "formation_days": settings.screen.formation_days}
    dataset = Dataset(
        name=f"bars {origin.session.day}",
        digest=origin.data_version[:DIGEST],
        source_type="tandem",
        source=json.dumps(source),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "identification")])
