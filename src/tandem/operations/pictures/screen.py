"""The funnel of a morning, and what a pair was selected on, in the page's colours."""

from typing import TYPE_CHECKING, Final

from tandem.operations.writing.ink import BAND, GAIN, INK, LEG_A, LOSS, SOFT, Drawing, grid
from tandem.screening import Funnel, Inks, Passport, draw_funnel, draw_score, draw_spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INKS: Final = Inks(INK, SOFT, BAND, GAIN, LOSS, LEG_A)


def funnel_drawing(funnel: Funnel, name: str) -> Drawing:
    """Pairs left after each gate.

    Args:
        name: unique within the page.
    """

    def draw(figure: "Figure", narrow: bool) -> None:
        draw_funnel(figure.subplots(), [step.gate for step in funnel.steps], [s.left for s in funnel.steps], INKS)

    first, last = funnel.steps[0].left, funnel.steps[-1].left
    return Drawing(f"funnel-{name}", f"{first:,} pairs considered, {last:,} selected", draw, 3.1, 3.1)


def passport_drawing(passport: Passport, enter: float) -> Drawing:
    """The spread of the formation window in its GARCH band, and the components of the score.

    Args:
        enter: |z| at which the rule enters.
    """

    def draw(figure: "Figure", narrow: bool) -> None:
        if narrow:
            spread, score = figure.subplots(2, 1, height_ratios=[1.2, 1])
        else:
            spread, score = figure.subplots(1, 2, width_ratios=[2, 1])
        draw_spread(spread, passport, enter, INKS)
        draw_score(score, passport.score, inks=INKS)
        grid(spread)

    pair, day = passport.pair, passport.session
    alt = f"spread of {pair} over the window before {day}, and its score {passport.score.total:.2f}"
    return Drawing(f"passport-{day}-{pair.a}-{pair.b}", alt, draw, 2.4, 4.2)
