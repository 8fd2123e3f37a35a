"""How a pair's GRU learned, and whether the forecasts that trade come true as often as they say."""

from typing import TYPE_CHECKING

from tandem.forecast import PairModel
from tandem.operations.writing.ink import FAINT, INK, LEG_A, LEG_B, SOFT, Drawing, grid, label_end

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def model_drawing(model: PairModel) -> Drawing:
    """Loss and F1 by epoch where a GRU was trained, and the calibration of the model that trades."""
    panels = 3 if model.history else 1

    def draw(figure: "Figure", narrow: bool) -> None:
        shape = (panels, 1) if narrow else (1, panels)
        axes = list(figure.subplots(*shape, squeeze=False).flat)
        if model.history:
            _curve(axes[0], model, "loss", "validation_loss", "GRU: log loss by epoch")
            _curve(axes[1], model, "f1_score", "validation_f1_score", "GRU: F1 by epoch")
        _calibration(axes[-1], model)

    alt = f"training and calibration of {model.pair} for {model.session}"
    name = f"model-{model.session}-{model.pair.a}-{model.pair.b}"
    return Drawing(name, alt, draw, 2.4, 2.2 * panels)


def _curve(axes: "Axes", model: PairModel, train: str, validation: str, title: str) -> None:
    epochs = range(1, len(model.history) + 1)
    axes.axvline(model.best_epoch, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    ends = []
    for name, colour in ((train, LEG_A), (validation, LEG_B)):
        values = [getattr(epoch, name) for epoch in model.history]
        if None not in values:
            axes.plot(epochs, values, color=colour, linewidth=1.2)
            ends.append((values[-1], "train" if name == train else "valid.", colour))
    low, high = axes.get_ylim()
    apart = 0.09 * (high - low)
    lower, upper = sorted(ends)[0], sorted(ends)[-1]
    push = max(0.0, apart - (upper[0] - lower[0])) / 2
    label_end(axes, len(epochs), upper[0] + push, upper[1], upper[2])
    if len(ends) > 1:
        label_end(axes, len(epochs), lower[0] - push, lower[1], lower[2])
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    grid(axes)


def _calibration(axes: "Axes", model: PairModel) -> None:
    name = {"gru": "GRU", "baseline": "AR(1) baseline"}[model.trades_with]
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    for bin_ in model.calibration.bins:
        axes.plot([bin_.forecast] * 2, bin_.interval, color=SOFT, linewidth=1)
        axes.plot(bin_.forecast, bin_.frequency, "o", color=INK, markersize=4.5, clip_on=False, zorder=3)
    axes.set_title(f"{name}: calibration")
    axes.set_xlabel("forecast probability")
    axes.set_ylabel("came true, 95% interval")
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    grid(axes)
