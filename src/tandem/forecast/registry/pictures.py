"""Three pictures of a pair's model, drawn without a screen."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from tandem.forecast.model import PairModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tandem.screening import Passport

INK, SOFT, WARM = "#1f4e79", "#9db7d1", "#c0562f"
LAGS = 20


def pictures(passport: "Passport", model: PairModel) -> dict[str, bytes]:
    """PNG files by name: `garch_diagnostics.png`, `calibration.png`, and `training_history.png` where a GRU learned."""
    drawn = {"garch_diagnostics.png": garch_diagnostics(passport), "calibration.png": calibration(model)}
    return drawn | ({"training_history.png": training_history(model)} if model.history else {})


def garch_diagnostics(passport: "Passport") -> bytes:
    """Innovations in their GARCH band, and what their autocorrelations leave unexplained."""
    path = passport.garch.filter(passport.formation_spread)
    deviation = np.sqrt(path.variances)

    def draw(band: "Axes", plain: "Axes", squared: "Axes") -> None:
        bars = np.arange(len(deviation))
        band.fill_between(bars, -2 * deviation, 2 * deviation, color=SOFT, alpha=0.5, linewidth=0)
        band.plot(bars, path.residuals, color=INK, linewidth=0.6)
        band.set_title(f"{passport.pair}: innovations, two conditional deviations", fontsize=9)
        _correlogram(plain, path.standardised, f"residuals, Ljung-Box p {passport.garch.ljung_box_pvalue:.2f}")
        _correlogram(squared, path.standardised**2, f"their squares, ARCH-LM p {passport.garch.arch_lm_pvalue:.2f}")

    return _picture(3, draw)


def training_history(model: PairModel) -> bytes:
    """Loss and F1 of every epoch on the train and the validation block."""
    epochs = np.arange(1, len(model.history) + 1)

    def draw(loss: "Axes", score: "Axes") -> None:
        loss.plot(epochs, [epoch.loss for epoch in model.history], color=INK, label="train")
        score.plot(epochs, [epoch.f1_score for epoch in model.history], color=INK, label="train")
        loss.plot(epochs, [epoch.validation_loss or 0 for epoch in model.history], color=WARM, label="validation")
        score.plot(epochs, [epoch.validation_f1_score or 0 for epoch in model.history], color=WARM, label="validation")
        for axes, title in ((loss, "log loss"), (score, "F1")):
            axes.axvline(model.best_epoch, color=SOFT, linestyle="--")
            axes.set_title(f"{model.pair}: {title} by epoch", fontsize=9)
            axes.legend(fontsize=8)

    return _picture(2, draw)


def calibration(model: PairModel) -> bytes:
    """How often forecasts of the validation block came true, with their 95% intervals."""
    bins = model.calibration.bins

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--")
        for each in bins:
            low, high = each.interval
            axes.plot([each.forecast, each.forecast], [low, high], color=SOFT, linewidth=3)
            axes.plot(each.forecast, each.frequency, "o", color=INK)
        axes.set_title(f"{model.pair}: {model.trades_with}, forecast and frequency", fontsize=9)
        axes.set(xlim=(0, 1), ylim=(0, 1))

    return _picture(1, draw)


def _correlogram(axes: "Axes", values: np.ndarray, title: str) -> None:
    centred = values - values.mean()
    lags = np.arange(1, LAGS + 1)
    axes.bar(lags, [centred[lag:] @ centred[:-lag] / (centred @ centred) for lag in lags], color=INK, width=0.5)
    for edge in (-1, 1):
        axes.axhline(edge * 1.96 / np.sqrt(len(values)), color=SOFT, linestyle="--")
    axes.set_title(title, fontsize=9)


def _picture(panels: int, draw: Callable[..., None]) -> bytes:
    from matplotlib.figure import Figure

    # Fixed margins: fitting them to the labels would draw everything twice.
    figure: Figure = Figure(figsize=(4.2 * panels, 3), dpi=80)
    draw(*np.atleast_1d(figure.subplots(1, panels)))
    figure.subplots_adjust(left=0.4 / panels / 2, right=0.98, bottom=0.1, top=0.9, wspace=0.25)
    content = BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
