"""The day's registered model as MLflow serves it: run by MLflow from this file, imported by nobody.

What it is asked and what it answers is `DayModels`'.
"""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from tandem.forecast import DayModels, PairModel
from tandem.screening import Passport


class DayOfPairs(PythonModel):
    """Every pair of one trading day with its passport."""

    def load_context(self, context: Any) -> None:
        """Read the passports and models that lie beside this file."""
        folder = Path(context.artifacts["pairs"])
        found = [msgspec.json.decode(path.read_bytes(), type=Passport) for path in folder.glob("*.passport.json")]
        models = (PairModel.from_bytes(path.read_bytes()) for path in folder.glob("*.model"))
        self.models = DayModels(found, {model.pair: model for model in models})

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One answer per row."""
        rows: Any = model_input.to_dict("records")
        return pd.DataFrame(self.models.answers(rows))


set_model(DayOfPairs())
