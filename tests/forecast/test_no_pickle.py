"""Loading a registered model runs nothing that was pickled."""

import os
import subprocess
import sys
import warnings

import pytest

from tandem.forecast.registry.package import package

LOADS = """
import _pickle, json, pickle, sys, warnings
warnings.simplefilter("ignore")
import cloudpickle, joblib, mlflow, numpy, pandas, torch
import tandem.forecast
from mlflow import pyfunc

armed = []

def poisoned(*arguments, **options):
    raise SystemExit("something was unpickled")

def watch(event, arguments):
    if armed and event == "pickle.find_class":
        raise SystemExit(f"something was unpickled: {arguments[:2]}")

sys.addaudithook(watch)
for module, names in ((pickle, "load loads Unpickler"), (cloudpickle, "load loads"), (joblib, "load"), (torch, "load")):
    for name in names.split():
        setattr(module, name, poisoned)
armed.append(True)
try:
    _pickle.loads(b"cos\\nsystem\\n.")  # what a library may have kept a reference to
except SystemExit:
    pass
else:
    raise AssertionError("the watch sees nothing")
model = pyfunc.load_model(sys.argv[1])
asked = json.load(open(sys.argv[1] + "/input_example.json"))
frame = pandas.DataFrame(asked["data"], columns=asked["columns"])
armed.clear()
said = model.predict(frame)
print(json.dumps([float(said["probability"][0]), said["model"][0]]))
"""


@pytest.mark.slow
def test_a_model_loads_and_answers_where_unpickling_is_death(passport, model, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = package(tmp_path, [passport], {passport.pair: model})
    environment = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(folder)], check=False, capture_output=True, text=True, timeout=300,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    z = float(passport.z(passport.formation_spread)[-1])
    expected = model.forecast(passport.formation_spread, passport, z)
    assert done.stdout.split("\n")[-2] == f'[{expected.probability!r}, "baseline"]'


def test_nothing_in_the_package_is_a_pickle(passport, model, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = package(tmp_path, [passport], {passport.pair: model})
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".pt", ".pth"))}
    # Protocols 2 and later begin with this byte, and a model's MessagePack does not.
    assert [path.name for path in folder.rglob("*") if path.is_file() and path.read_bytes()[:1] == b"\x80"] == []
