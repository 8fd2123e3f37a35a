"""`tandem models`: which recipe of a sector trades, why, and which did before."""

import getpass
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from tandem.cli.nearest import nearest
from tandem.cli.opening import open_store, world_of
from tandem.cli.table import show
from tandem.market import DataError, RecyclerError, WallClock, World, WorldKind

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.operations import RecipeStanding
    from tandem.store import Facts, StageChanged, Stages, Store

app = App(name="models", help="Which models trade, why, and which did before; promote and demote them.")

SectorName = Annotated[str, Parameter(help="Of which sector; needed where several have it.")]
WorldName = Annotated[
    str,
    Parameter(help="Which account and timeline, such as paper-3; without it the newest of those the settings name."),
]
Reason = Annotated[str, Parameter(help="The reason, for the record.")]
Json = Annotated[bool, Parameter(negative=(), show_default=False, help="Print JSON.")]
NONE_YET: Final = "No recipe is on record yet: `tandem trade` stages one on a morning with pairs."
SHOWN: Final = {
    "F1": "test_f1_score",
    "base": "test_base_rate",
    "MCC": "test_mcc",
    "AR(1)": "test_mcc_ar1",
    "Sharpe": "sharpe_ratio",
}
MEANING: Final = "On the test block: F1, base rate, Matthews correlation, AR(1)'s, Sharpe ratio."


@app.command(name="list")
def list_(*, sector: str = "", world: WorldName = "", json: Json = False) -> None:
    """List the recipes of every sector with their stage and the means of their refits' figures.

    Parameters
    ----------
    sector
        Only this one.
    """
    from tandem.operations import standing_document

    with _opened(world) as desk:
        found = [each for each in desk.standings if sector.casefold() in ("", each.sector.casefold())]
    if json or not found:
        _answer([standing_document(each) for each in found], [], "", json=json, empty=NONE_YET)
        return
    for name, own in groupby(found, lambda each: each.sector):
        _print_sector(f"Recipes of {name} in {desk.world}", list(own))
    print(MEANING)


@app.command(name="show")
def show_(name: str, *, sector: SectorName = "", world: WorldName = "", json: Json = False) -> None:
    """Show one recipe: settings, commit, refits and figures.

    Parameters
    ----------
    name
        A recipe, such as v2, or one of its registered models.
    """
    from tandem.operations import standing_document

    with _opened(world) as desk:
        document = standing_document(desk.standing(name, sector))
    plain = {key: str(value) for key, value in document.items() if key not in ("figures", "settings")}
    settings = {f"model.{key}": str(value) for key, value in document["settings"].items()}
    figures = {key: f"{value:.4f}" for key, value in document["figures"].items()}
    rows = [{"what": key, "is": value} for key, value in {**plain, **settings, **figures}.items()]
    _answer(document, rows, f"{document['recipe']} of {document['sector']}", json=json)


@app.command
def compare(one: str, other: str, *, sector: SectorName = "", world: WorldName = "", json: Json = False) -> None:
    """Compare two recipes on the sessions that both were fitted for.

    Parameters
    ----------
    one
        A recipe.
    other
        Another one.
    """
    from tandem.operations import side_by_side

    with _opened(world) as desk:
        left, right = desk.standing(one, sector), desk.standing(other, sector)
    sessions, figures = side_by_side(left, right)
    both = {name: {left.name: a, right.name: b} for name, (a, b) in figures.items()}
    rows = [
        {"figure": name, left.name: f"{a:.4f}", right.name: f"{b:.4f}", "difference": f"{b - a:+.4f}"}
        for name, (a, b) in figures.items()
    ]
    title = f"{left.name} ({left.stage}) and {right.name} ({right.stage}) of {left.sector}, {sessions} sessions"
    empty = f"{left.name} and {right.name} have no session of which both have a sound refit."
    _answer({"sector": left.sector, "sessions": sessions, "figures": both}, rows, title, json=json, empty=empty)


@app.command
def promote(name: str, *, why: Reason, sector: SectorName = "", world: WorldName = "", json: Json = False) -> None:
    """Put a recipe into Production; the one that was there is Archived. One that was there before comes back.

    Sessions follow from their next decision on; open trades keep the model they were entered with.

    Parameters
    ----------
    name
        A recipe in Staging, or an Archived one that was in Production.
    """
    from tandem.store import Stage

    with _opened(world) as desk:
        standing = desk.standing(name, sector)
        move = desk.stages.roll_back if standing.stage is Stage.ARCHIVED else desk.stages.promote
        desk.make(partial(move, evidence=desk.evidence(standing)), standing, why, json=json)


@app.command
def demote(name: str, *, why: Reason, sector: SectorName = "", world: WorldName = "", json: Json = False) -> None:
    """Archive a recipe: the last good one takes over from it, or the baseline; one in Staging competes no more.

    Parameters
    ----------
    name
        The recipe.
    """
    from tandem.store import Stage

    with _opened(world) as desk:
        standing = desk.standing(name, sector)
        if standing.stage is Stage.ARCHIVED:
            raise DataError(
                f"{standing.name} of {standing.sector} is in Archived already",
                "What is in Production or in Staging can be demoted",
            )
        leaving = partial(desk.stages.demote, evidence=desk.evidence(standing))
        desk.make(desk.stages.withdraw if standing.stage is Stage.STAGING else leaving, standing, why, json=json)


@app.command
def history(*, sector: str = "", world: WorldName = "", out: Path | None = None, json: Json = False) -> None:
    """Show every change of a sector's stages, and draw how its models came to be what they are.

    Parameters
    ----------
    sector
        Which one; needed where there are several.
    out
        Where the picture goes, a .png or .svg; without it models-SECTOR.png here, and nowhere with --json.
    """
    import pandas as pd

    from tandem.operations import change_document, evolution_drawing

    with _opened(world) as desk:
        of = desk.sector(sector)
        changes, standings = desk.stages.history(of), [each for each in desk.standings if each.sector == of]
    picture = out or (None if json else Path(f"models-{of.replace(' ', '_')}.png"))
    if picture is not None:
        evolution_drawing(of, standings, changes).save(picture)
    documents = [change_document(record.at, record.body) for record in changes]
    rows = [
        {"at": pd.Timestamp(record.at), "recipe": each.recipe, "move": str(each.move), "is in": str(each.after),
         "by": each.by, "why": each.why, "evidence": _evidence(each.evidence)}
        for record in changes for each in [record.body]
    ]  # fmt: skip
    answer = {"sector": of, "picture": str(picture or ""), "changes": documents}
    _answer(answer, rows, f"Models of {of} in {desk.world}", json=json, empty=NONE_YET)
    if not json:
        print(picture)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The models of one world."""

    store: "Store"
    settings: "Settings"
    world: World
    facts: "Facts"
    stages: "Stages"
    standings: "Sequence[RecipeStanding]"

    def sector(self, asked: str) -> str:
        """The sector that is meant: the asked one, or the only one."""
        known = self.stages.sectors()
        if not known:
            raise DataError(
                f"{self.world} has no recipe on record yet", "`tandem trade` stages one on a morning with pairs"
            )
        if asked:
            return nearest(asked, known, f"{self.world} has no models of {asked}")
        if len(known) > 1:
            raise DataError(f"{self.world} has models of {', '.join(known)}", "Name one with --sector")
        return known[0]

    def standing(self, name: str, asked: str) -> "RecipeStanding":
        """The recipe that is meant, by its name or by that of one of its registered models."""
        by_model = {refit.refit.name: each for each in self.standings for refit in each.refits}
        if name in by_model:
            return by_model[name]
        sector = self.sector(asked)
        own = {each.name: each for each in self.standings if each.sector == sector}
        return own[nearest(name, tuple(own), f"{sector} has no recipe {name}")]

    def evidence(self, standing: "RecipeStanding") -> dict[str, float]:
        """The record of a recipe, and of the one in Production beside it."""
        found = {"refits": float(len(standing.refits)), **standing.record} if standing.record else {}
        champion = next((e for e in self.standings if e.sector == standing.sector and e.stage == "Production"), None)
        if champion is not None and champion is not standing:
            found |= {f"{champion.name}.{name}": value for name, value in champion.record.items()}
        return found

    def now(self) -> datetime:
        """Market time in this world: the clock's, that of its recycler, or where its record ends."""
        if self.world.kind in (WorldKind.PAPER, WorldKind.LIVE):
            return WallClock().now()
        return _playing(self.settings, self.world) or _end_of(self.facts) or WallClock().now()

    def make(
        self, move: "Callable[..., Sequence[StageChanged]]", standing: "RecipeStanding", why: str, *, json: bool
    ) -> None:
        """Make a move of a recipe, and tell what has changed."""
        changes = move(standing.sector, standing.name, why=why, by=getpass.getuser(), at=self.now())
        self._tell(changes, json=json)

    def _tell(self, changes: "Sequence[StageChanged]", *, json: bool) -> None:
        """What has changed, and whether MLflow knows."""
        from tandem.operations import change_document

        away = self.reflect()
        if json:
            at = {record.key: record.at for record in self.stages.history(changes[0].sector)}
            _print([change_document(max(at.values()), change) for change in changes])
            return
        for change in changes:
            print(f"{change.recipe} of {change.sector} {change.move}: {change.before or 'new'} -> {change.after}")
        if self.stages.production(changes[0].sector) is None:
            print(f"No recipe of {changes[0].sector} is in Production: the baseline trades.")
        if away:
            print(f"{away}. It is told by the next command or morning.")

    def reflect(self) -> str:
        """Tell MLflow what it has yet to be told; why it could not be, in words."""
        from tandem.desk import mlflow_lacks, registry_of, tell_mlflow

        if not mlflow_lacks(self.facts):
            return ""
        refusal = tell_mlflow(registry_of(self.store, self.settings), self.store.blobs, self.facts)
        return refusal.why if refusal else ""


@contextmanager
def _opened(world: str) -> Iterator[_Desk]:
    from tandem.config import load
    from tandem.operations import standings_of
    from tandem.store import Stages

    settings = load()
    with open_store() as store:
        meant = world_of(store, settings, world)
        facts = store.facts(meant)
        desk = _Desk(store, settings, meant, facts, Stages(facts), standings_of(facts))
        desk.reflect()
        yield desk


def _playing(settings: "Settings", world: World) -> datetime | None:
    from tandem.cli.control import ask

    if settings.websocket.mode != "recycler":
        return None
    try:
        status = ask(settings.websocket.recycler.server_url, 2.0)
    except RecyclerError:
        return None
    return datetime.fromisoformat(status["time"]) if status["world"] == str(world) else None


def _end_of(facts: "Facts") -> datetime | None:
    from tandem.book import Mark
    from tandem.desk import Plan
    from tandem.store import StageChanged

    return max((record.at for kind in (Mark, Plan, StageChanged) for record in facts.read(kind)), default=None)


def _print_sector(title: str, standings: "Sequence[RecipeStanding]") -> None:
    """A table that 80 columns hold, and below it the newest refits by their long names."""
    import pandas as pd

    show(pd.DataFrame(map(_row, standings)), title, json=False, empty="")
    for standing in standings:
        if newest := standing.newest:
            print(f"newest {newest.name}{' (must not trade)' if newest.refused else ''}")
    print()


def _row(standing: "RecipeStanding") -> dict[str, Any]:
    record = standing.record
    return {
        "recipe": standing.name,
        "stage": str(standing.stage),
        "since": f"{standing.since:%Y-%m-%d}",
        "refits": len(standing.refits),
        **{short: f"{record[name]:.3f}" if name in record else "" for short, name in SHOWN.items()},
    }


def _evidence(figures: Mapping[str, float]) -> str:
    shown = [f"{name} {value:.3g}" for name, value in figures.items()]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _answer(document: object, rows: Iterable[dict[str, Any]], title: str, *, json: bool, empty: str = "") -> None:
    """The document as JSON, or else the rows as a table."""
    import pandas as pd

    if json:
        _print(document)
    else:
        show(pd.DataFrame(rows), title, json=False, empty=empty)


def _print(document: object) -> None:
    import json

    print(json.dumps(document, indent=2))
