"""`tandem tune`: the page, the document, and the block to paste."""

import json
from datetime import date

import pytest
import yaml

from tandem.cli.app import run
from tandem.cli.tune import tune
from tandem.market import DataError

MONDAY = date(2023, 1, 30)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(autouse=True)
def person(desk_in_january):
    """Windows of fourteen sessions, a small network and a short search."""
    desk_in_january(
        SCREEN__FORMATION_DAYS="14", MODEL__MIN_DATA_POINTS="1000", MODEL__EPOCHS="1", MODEL__GRU_UNITS="16",
        TUNING__STEPS="1", TUNING__PAIRS="1",
    )  # fmt: skip


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
