"""`tandem tune`: the page, the document, and the block to paste."""

import json
from datetime import date

import pandas as pd
import pytest
import yaml

from tandem.cli import opening
from tandem.cli.app import run
from tandem.cli.tune import tune
from tandem.market import DataError, Timeframe, resample

MONDAY = date(2023, 1, 30)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


class Borrowed:
    """A store that somebody else closes."""

    def __init__(self, store):
        self.store = store

    def __enter__(self):
        return self.store

    def __exit__(self, *_):
        return None


@pytest.fixture(scope="module")
def january(module_store):
    """A store with the shipped month as five-minute bars, and nothing else."""
    from tandem.sources import samples

    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    module_store.bars.load(bars, timeframe=Timeframe.MIN_5, source="sample")
    names = sorted(bars["symbol"].unique())
    module_store.sectors.load(pd.DataFrame({"symbol": names, "sector": "technology"}))
    return module_store


@pytest.fixture(autouse=True)
def person(january, monkeypatch, tmp_path):
    """In an empty folder, with an Alpaca paper account, five-minute bars and a small network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "open_store", lambda: Borrowed(january))
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "WEBSOCKET__MODE": "alpaca",
        "MODEL__TIMEFRAME": "5Min",
        "MODEL__MIN_DATA_POINTS": "1000",
        "MODEL__EPOCHS": "1",
        "MODEL__GRU_UNITS": "16",
        "SCREEN__FORMATION_DAYS": "14",
        "TUNING__STEPS": "1",
        "TUNING__PAIRS": "1",
    }.items():
        monkeypatch.setenv(f"TANDEM_{name}", value)
    monkeypatch.setenv("COLUMNS", "100")


def test_the_page_shows_trials_beside_rivals_and_ends_with_the_block_to_paste(capsys, monkeypatch):
    tune(session=MONDAY, trials=2, pairs=["nvda/aapl"])
    page = capsys.readouterr().out
    said = " ".join(page.split())
    assert "trial 0" in page
    assert "always_one" in page
    assert "Means over 1 walk-forward validation blocks of 1 pair; no test block was looked at. 2 trials" in said
    assert max(map(len, page.splitlines())) <= 100
    block = yaml.safe_load(page[page.index("model:") :])["model"]
    assert block["version"] == "v2"
    assert set(block) > {"sequence_length", "gru_units", "learning_rate"}
    tune(session=MONDAY, trials=2, pairs=["AAPL/NVDA"], json=True)
    document = json.loads(capsys.readouterr().out)
    assert len(document["trials"]) == 2
    assert document["params"]["sequence_length"] == block["sequence_length"]


def test_what_is_no_pair_is_one_clear_line(capsys):
    with pytest.raises(DataError, match="AAPL is no pair"):
        tune(session=MONDAY, pairs=["AAPL"])
    assert run(["tune", "--session", "2023-01-30", "--sector", "energy"]) == 2
    assert capsys.readouterr().err.startswith("tandem: no pair of energy passed the correlation gate")
