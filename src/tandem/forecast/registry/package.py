"""A day's pair models as one MLflow model."""

import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tandem.forecast.model import PairModel
from tandem.market import Pair
from tandem.screening import DISTRIBUTION

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

    from tandem.screening import Passport


def package(folder: Path, passports: Sequence["Passport"], models: Mapping[Pair, PairModel]) -> Path:
    """Write passports and models into `folder` as one MLflow model: code by path, weights as plain files, no pickle.

    Returns:
        The model's folder.
    """
    pairs, model = folder / "pairs", folder / "model"
    pairs.mkdir()
    for passport in passports:
        stem = "-".join(passport.pair.symbols)
        (pairs / f"{stem}.passport.json").write_bytes(msgspec.json.encode(passport))
        (pairs / f"{stem}.model").write_bytes(models[passport.pair].to_bytes())
    with warnings.catch_warnings():
        # MLflow advises type hints that its own schema check cannot read, and has not caught up with pandas 4.
        warnings.simplefilter("ignore")
        from mlflow.pyfunc import save_model

        save_model(
            str(model),
            python_model=str(Path(__file__).with_name("served.py")),
            artifacts={"pairs": str(pairs)},
            signature=_signature(),
            input_example=_example(passports[0]),
            pip_requirements=[f"{DISTRIBUTION}=={version(DISTRIBUTION)}"],
        )
    return model


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, Schema

    prices = Array(DataType.double)
    figures = [ColSpec("double", name) for name in ("probability", "confidence", "low", "high", "calibrated")]
    return ModelSignature(
        Schema([ColSpec("string", "pair"), ColSpec(prices, "closes_a"), ColSpec(prices, "closes_b")]),
        Schema([*figures, ColSpec("string", "model"), ColSpec("string", "refusal")]),
    )


def _example(passport: "Passport") -> "pd.DataFrame":
    import pandas as pd

    closes = {"closes_a": list(passport.closes_a), "closes_b": list(passport.closes_b)}
    return pd.DataFrame([{"pair": str(passport.pair), **closes}])
