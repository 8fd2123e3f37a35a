"""The day's registered model as MLflow serves it: run by MLflow from this file, imported by nobody.

Asked with a frame of `pair` (`A/B`), `closes_a` and `closes_b` (lists of closes up to the last completed bar of the
model's timeframe), it answers one row each: probability, confidence, low, high, model and, where it says nothing,
the refusal's reason.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from tandem.forecast import PairModel
from tandem.market import Refusal
from tandem.screening import Passport

SILENT = {"probability": np.nan, "confidence": np.nan, "low": np.nan, "high": np.nan, "model": ""}


class DayOfPairs(PythonModel):
    """Every pair of one trading day with its passport."""

    def load_context(self, context: Any) -> None:
        """Read the passports and models that lie beside this file."""
        folder = Path(context.artifacts["pairs"])
        found = (msgspec.json.decode(path.read_bytes(), type=Passport) for path in folder.glob("*.passport.json"))
        self.passports = {str(passport.pair): passport for passport in found}
        models = (PairModel.from_bytes(path.read_bytes()) for path in folder.glob("*.model"))
        self.models = {str(model.pair): model for model in models}

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One forecast per row, see the module."""
        return pd.DataFrame([self._answer(row) for row in model_input.to_dict("records")])

    def _answer(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        passport = self.passports.get(row["pair"])
        if passport is None:
            return {**SILENT, "refusal": f"{row['pair']} is no pair of this day"}
        spread = passport.spread(row["closes_a"], row["closes_b"])
        forecast = self.models[row["pair"]].forecast(spread, passport, float(passport.z(spread)[-1]))
        if isinstance(forecast, Refusal):
            return {**SILENT, "refusal": forecast.why}
        return {**asdict(forecast), "refusal": ""}


set_model(DayOfPairs())
