"""A GRU and its rivals on the same blocks of one window."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tandem.config import ModelSettings
from tandem.forecast.baselines import HalfLifeForecast
from tandem.forecast.calibration import Calibration
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Array
from tandem.forecast.gru import Assignment, Lesson, train_grus
from tandem.forecast.rivals import Rival, ScaledGru, ar1, fit_baselines, fit_rivals, fit_scaler, held_out, taught
from tandem.forecast.skill import Skill, log_losses
from tandem.forecast.window import Window
from tandem.market import Refusal


@dataclass(frozen=True, eq=False)
class Judgement:
    """How the GRU and the baselines did.

    Attributes:
        lesson: the GRU as trained on the train block.
        metrics: `{block}_{score}` for the GRU and `{block}_{score}_{baseline}` for each rival, flat.
        evidence: for the GRU against the AR(1) forecast, on the test block.
        calibration: of the GRU's forecasts of the validation block.
        said: the GRU's probabilities by block.
    """

    lesson: Lesson
    metrics: dict[str, float]
    evidence: Evidence
    calibration: Calibration
    said: Mapping[str, Array]

    def choice(self, recipe: ModelSettings) -> tuple[bool, str]:
        """Whether the GRU trades, and why in words."""
        if recipe.label == "toward":
            return False, "the label `toward` is for comparison, the rule trades on `reverts`"
        mcc, baseline_mcc = self.metrics["test_mcc"], self.metrics["test_mcc_ar1"]
        loss, baseline_loss = self.metrics["test_log_loss"], self.metrics["test_log_loss_ar1"]
        nothing = self.metrics["test_log_loss_always_one"]  # says the base rate, whatever the spread does
        better = self.evidence.pvalue < recipe.evidence_pvalue and mcc > baseline_mcc
        chosen = better and loss < nothing
        verdict = "the GRU beats" if chosen else "no evidence that the GRU beats"
        if better and not chosen:
            verdict = "neither knows more than the base rate, though the GRU beats"
        return chosen, (
            f"{verdict} the AR(1) forecast on {self.evidence.observations} test bars: log loss {loss:.3f} against "
            f"{baseline_loss:.3f}, p {self.evidence.pvalue:.3f} (needs below {recipe.evidence_pvalue:g}); "
            f"MCC {mcc:.2f} against {baseline_mcc:.2f} (needs to be higher); knowing nothing loses {nothing:.3f} "
            "(needs to be more)"
        )


def assignment_of(window: Window, recipe: ModelSettings) -> Assignment:
    """What the GRU of a window learns: the train block and what it practises on; and what it stops on."""
    scaler = fit_scaler(window.train, window.spread, recipe)
    return Assignment(taught(window, scaler, recipe), held_out(window, scaler), recipe.seed)


def judge(
    window: Window, recipe: ModelSettings, shared: Sequence[Rival] = (), lesson: Lesson | None = None
) -> Judgement:
    """Score the GRU and its rivals on all three blocks.

    Args:
        window: of the pair.
        recipe: how to train; `model.rivals` are fitted and scored beside it.
        shared: further forecasts that are fitted already, such as this pair's share of a pooled GRU.
        lesson: of `assignment_of` the window, where it was taught already.
    """
    lesson = lesson or train_grus([assignment_of(window, recipe)], recipe, recipe.epochs)[0]
    gru = ScaledGru("gru", lesson.gru, fit_scaler(window.train, window.spread, recipe))
    said = {name: gru.probability(block) for name, block in window.blocks.items()}
    own = {
        f"{name}_{score}": value
        for name, block in window.blocks.items()
        for score, value in asdict(Skill.of(block.labels, said[name], said[name] >= 0.5)).items()
    }
    evidence = _evidence(window, said["test"], recipe)
    figures = {"evidence_statistic": evidence.statistic, "evidence_pvalue": evidence.pvalue}
    calibration = Calibration.fit(said["validation"], window.validation.labels, window.spread.horizon)
    theirs = rival_metrics(window, (*fit_rivals(window, recipe), *shared))
    return Judgement(lesson, theirs | own | figures, evidence, calibration, said)


def rival_metrics(window: Window, rivals: Sequence[Rival]) -> dict[str, float]:
    """Base rate, sample count and the rivals' scores on every block, their names at the end."""
    metrics: dict[str, float] = {}
    for name, block in window.blocks.items():
        metrics |= {f"{name}_base_rate": float(block.labels.mean()), f"{name}_samples": float(len(block))}
        for rival in rivals:
            skill = Skill.of(block.labels, rival.probability(block), rival.answers(block))
            metrics |= {f"{name}_{score}_{rival.name}": value for score, value in asdict(skill).items()}
    return metrics


def baseline_metrics(window: Window, recipe: ModelSettings) -> dict[str, float]:
    """Base rate, sample count and the baselines' scores on every block."""
    return rival_metrics(window, fit_baselines(window, recipe))


def baseline_calibration(window: Window, recipe: ModelSettings) -> Calibration:
    """The record of the half-life forecast on the validation block, of the label `reverts` whatever the GRU learns."""
    if recipe.label == "toward":
        recipe = recipe.model_copy(update={"label": "reverts"})
        asked = Window.of(window.spread, recipe)
        return Calibration() if isinstance(asked, Refusal) else baseline_calibration(asked, recipe)
    block = window.validation
    said = HalfLifeForecast.of(window.spread.phi, window.spread.horizon).probability(block.z)
    return Calibration.fit(said, block.labels, window.spread.horizon)


def _evidence(window: Window, said: Array, recipe: ModelSettings) -> Evidence:
    test = window.test
    champion = log_losses(test.labels, ar1(window, recipe).probability(test.z))
    return Evidence.of(champion, log_losses(test.labels, said), window.spread.horizon)
