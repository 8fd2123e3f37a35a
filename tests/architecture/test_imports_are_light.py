"""`tandem --help` answers at once: heavy libraries are imported where they are used."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("torch", "mlflow", "prefect", "arch", "statsmodels", "sklearn", "pandas", "matplotlib", "alembic", "alpaca"),
    *("exchange_calendars", "scipy", "numpy", "numba", "sqlalchemy", "psycopg", "pyarrow", "pydantic", "requests"),
}


def loaded_by(code):
    """Top-level modules in a new process after `code`."""
    report = f"import sys, json\n{code}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("code", ["import tandem.cli", "from tandem.cli.app import run\nrun(['--help'])"])
def test_the_command_loads_no_heavy_library(code):
    assert loaded_by(code) & HEAVY == set()
