"""How the models of a sector came to be what they are."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tandem.market import NEW_YORK
from tandem.operations.run.recipes import RecipeStanding
from tandem.operations.writing.ink import BAND, FAINT, GAIN, LEG_A, LEG_B, LOSS, SOFT, Drawing, grid
from tandem.store import Record, Stage, StageChanged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STAGES: Final = {Stage.STAGING: LEG_B, Stage.PRODUCTION: GAIN, Stage.ARCHIVED: FAINT}
RECIPES: Final = (LEG_A, LEG_B, BAND, GAIN, LOSS)
PANELS: Final = (
    ("test_mcc", "test_mcc_ar1", "Matthews correlation on the test block; dotted: the AR(1) forecast"),
    ("test_f1_score", "test_base_rate", "F1 on the test block; dotted: the base rate"),
    ("sharpe_ratio", "", "Sharpe ratio of the baseline rule on the test block, net of costs"),
)


def evolution_drawing(
    sector: str, standings: Sequence[RecipeStanding], history: Sequence[Record[StageChanged]]
) -> Drawing:
    """The stage of each recipe over time, and below it the figures of its refits."""

    def draw(figure: "Figure", narrow: bool) -> None:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        heights = [0.3 * len(standings) + 0.4, *(1.0 for _ in PANELS)]
        stages, *panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        _stages(stages, standings, history)
        for axes, (name, rival, title) in zip(panels, PANELS, strict=True):
            _figures(axes, standings, name, rival, title)
        stages.set_xlim(*_span(standings, history))
        locator = AutoDateLocator(minticks=2, maxticks=7)  # type: ignore[no-untyped-call]
        stages.xaxis.set_major_locator(locator)
        stages.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]

    height = 4.6 + 0.3 * len(standings)
    return Drawing(f"models-{sector}", f"recipes and refits of {sector}", draw, height, height)


def _span(standings: Sequence[RecipeStanding], history: Sequence[Record[StageChanged]]) -> tuple[date, date]:
    """The first and the last day, with room on both sides: everything may have happened at one instant."""
    days = [*map(_day, history), *(each.session for standing in standings for each in standing.refits)]
    room = max(timedelta(days=1), (max(days) - min(days)) / 20)
    return min(days) - room, max(days) + room


def _stages(axes: "Axes", standings: Sequence[RecipeStanding], history: Sequence[Record[StageChanged]]) -> None:
    last = max([_day(history[-1]), *(each.session for standing in standings for each in standing.refits)])
    for row, standing in enumerate(standings):
        own = [record for record in history if record.body.recipe == standing.name]
        ends = [*(_day(record) for record in own[1:]), last]
        for record, end in zip(own, ends, strict=True):
            start = _day(record)
            axes.plot([start, end], [row, row], color=STAGES[record.body.after], linewidth=7)  # type: ignore[arg-type]
            axes.plot(start, row, "|", color=SOFT, markersize=9)  # type: ignore[arg-type]
    axes.set_yticks(range(len(standings)), [standing.name for standing in standings])
    axes.set_ylim(len(standings) - 0.5, -0.5)
    axes.set_title("Stages: green Production, orange Staging, grey Archived")


def _figures(axes: "Axes", standings: Sequence[RecipeStanding], name: str, rival: str, title: str) -> None:
    for row, standing in enumerate(standings):
        colour = RECIPES[row % len(RECIPES)]
        for figure, style in ((name, "o-"), (rival, ":")):
            points = [
                (each.session, each.refit.figures[figure]) for each in standing.refits if figure in each.refit.figures
            ]
            if points:
                days, values = zip(*points, strict=True)
                label = standing.name if figure == name else None
                axes.plot(days, values, style, color=colour, linewidth=1.1, markersize=2.5, label=label)
    axes.set_title(title)
    grid(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False, ncols=4)


def _day(record: Record[StageChanged]) -> date:
    return record.at.astimezone(NEW_YORK).date()
