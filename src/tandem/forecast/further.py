"""Features beyond the mission's: functions that are registered by name and chosen by `model.features`."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

from tandem.config import ModelSettings
from tandem.market import ConfigError
from tandem.statistics import GarchPath

Array = np.ndarray[Any, np.dtype[np.float64]]
Function = Callable[[Array, GarchPath], Array]
Centre = float | Literal["equilibrium"] | None

TRIAL_BARS = 240
TRIAL_SEED = 20


@dataclass(frozen=True)
class FurtherFeature:
    """A registered feature.

    Attributes:
        name: its column.
        function: spread and GARCH path, shape [bars] each, to values of shape [bars]; NaN while a window fills.
        look_back: bars before its own that a value reaches back to.
        mirrored_at: where its values are mirrored when the spread is mirrored at its equilibrium: at the
            `equilibrium` for a level, at a number for an indicator (0 for a change), None for a size without a sign.
    """

    name: str
    function: Function
    look_back: int
    mirrored_at: Centre = None


REGISTER: dict[str, FurtherFeature] = {}


def register_feature(name: str, function: Function, look_back: int, mirrored_at: Centre = None) -> FurtherFeature:
    """Make a feature known by its name; it is tried on a simulated spread first.

    Args:
        name, function, look_back, mirrored_at: as in `FurtherFeature`.

    Raises:
        ConfigError: the name is taken, or the function sees the future, reaches further back than it says, gives
            other than one value a bar, is NaN past its look-back, or is not mirrored where it says.
    """
    feature = FurtherFeature(name, function, look_back, mirrored_at)
    known = REGISTER.get(name)
    if known is not None and known.function is not function:
        raise ConfigError(f"a feature `{name}` is registered already", "Give the new one another name.")
    if flaw := _flaw(feature):
        raise ConfigError(f"the feature `{name}` {flaw}", "Mend the function or what was said of it.")
    REGISTER[name] = feature
    return feature


def registered_features(settings: ModelSettings) -> tuple[FurtherFeature, ...]:
    """The features that `model.features` names, after `model.feature_modules` are imported.

    Raises:
        ConfigError: a name that is not registered, or a module that cannot be imported.
    """
    for module in settings.feature_modules:
        _import(module)
    unknown = [name for name in settings.features if name not in REGISTER]
    if unknown:
        known = ", ".join(sorted(REGISTER)) or "none is"
        raise ConfigError(
            f"model.features names {', '.join(unknown)}, which is not registered (registered: {known})",
            "Correct the name, or name the module that registers it in model.feature_modules.",
        )
    return tuple(REGISTER[name] for name in settings.features)


def _import(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise ConfigError(f"model.feature_modules: {error}", "Install the module or correct its name.") from error


def _flaw(feature: FurtherFeature) -> str | None:
    spread, path = _trial()
    values = np.asarray(feature.function(spread, path), dtype=np.float64)
    if values.shape != spread.shape:
        return f"gives values of shape {list(values.shape)} for {len(spread)} bars"
    if not np.isfinite(values[feature.look_back + 1 :]).all():
        return f"has no value at some bar after its look-back of {feature.look_back} bars"
    if _sees_the_future(feature, values):
        return "sees the future: its past values change when later bars are cut off or changed"
    if _reaches_further(feature, values):
        return f"reaches further back than the {feature.look_back} bars that it says"
    if not _is_mirrored(feature, values):
        said = "not at all" if feature.mirrored_at is None else f"at {feature.mirrored_at}"
        return f"is mirrored {said}, it says, and is not when the spread is mirrored at its equilibrium"
    return None


def _trial() -> tuple[Array, GarchPath]:
    noise = np.random.default_rng(TRIAL_SEED).standard_normal(TRIAL_BARS)
    spread = np.zeros(TRIAL_BARS)
    for bar in range(1, TRIAL_BARS):
        spread[bar] = 0.9 * spread[bar - 1] + noise[bar]
    residuals = np.concatenate([[np.nan], spread[1:] - 0.9 * spread[:-1]])
    return spread, GarchPath(residuals, np.concatenate([[np.nan], 1 + 0.1 * noise[:-1] ** 2]))


def _sees_the_future(feature: FurtherFeature, values: Array) -> bool:
    spread, path = _trial()
    for cut in range(feature.look_back + 2, TRIAL_BARS, 7):
        short = feature.function(spread[:cut], GarchPath(path.residuals[:cut], path.variances[:cut]))
        other = feature.function(*_changed(spread, path, slice(cut, None)))
        if not (_same(short, values[:cut]) and _same(other[:cut], values[:cut])):
            return True
    return False


def _reaches_further(feature: FurtherFeature, values: Array) -> bool:
    middle = TRIAL_BARS // 2
    other = feature.function(*_changed(*_trial(), slice(0, middle - feature.look_back)))
    return not np.allclose(other[middle:], values[middle:], rtol=1e-9, atol=1e-12)


def _is_mirrored(feature: FurtherFeature, values: Array) -> bool:
    spread, path = _trial()
    mirrored = np.asarray(feature.function(-spread, GarchPath(-path.residuals, path.variances)))
    centre = 0.0 if feature.mirrored_at == "equilibrium" else feature.mirrored_at
    expected = values if centre is None else 2 * centre - values
    return np.allclose(mirrored, expected, rtol=1e-9, atol=1e-9, equal_nan=True)


def _changed(spread: Array, path: GarchPath, where: slice) -> tuple[Array, GarchPath]:
    other, residuals, variances = spread.copy(), path.residuals.copy(), path.variances.copy()
    other[where] += 3.0
    residuals[where] -= 2.0
    variances[where] *= 1.5
    return other, GarchPath(residuals, variances)


def _same(one: Array, other: Array) -> bool:
    return np.asarray(one, dtype=np.float64).tobytes() == np.ascontiguousarray(other).tobytes()
