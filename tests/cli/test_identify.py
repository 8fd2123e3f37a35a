"""`tandem identify`: the page and the document."""

import json
from datetime import date

import pandas as pd
import pytest

from tandem.cli import opening
from tandem.cli.identify import identify
from tandem.market import DataError, Timeframe, resample


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
    """In an empty folder, with five-minute bars and windows of seven sessions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "open_store", lambda: Borrowed(january))
    monkeypatch.setenv("TANDEM_MODEL__TIMEFRAME", "5Min")
    monkeypatch.setenv("TANDEM_SCREEN__FORMATION_DAYS", "7")
    monkeypatch.setenv("COLUMNS", "160")


def test_the_page_shows_the_funnel_the_luck_and_the_selected(capsys):
    identify(session=date(2023, 1, 27))
    page = capsys.readouterr().out
    assert "Pairs for 2023-01-27" in page
    assert "6 pairs were tested and 1 have p < 0.05; luck alone gives 0.3 nominally" in page
    assert "AAPL/NVDA" in page
    assert "AAPL/IBM" not in page


def test_refused_pairs_are_shown_with_their_figures(capsys):
    identify(session=date(2023, 1, 26), refusals=True)
    page = capsys.readouterr().out
    assert "No pair passed every gate." in page
    assert "is not above 0.7" in page
    assert "AAPL/IBM" in page


def test_the_document_leaves_out_the_prices(capsys):
    identify(session=date(2023, 1, 27), json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["session"] == "2023-01-27"
    assert document["passports"][0]["pair"] == {"a": "AAPL", "b": "NVDA"}
    assert "closes_a" not in document["passports"][0]
    assert len(document["refusals"]) == 5


def test_without_a_day_it_is_the_one_after_the_newest_bar(capsys):
    identify(json=True)
    assert json.loads(capsys.readouterr().out)["session"] == "2023-01-31"


@pytest.mark.parametrize(
    ("day", "said"), [(date(2023, 1, 28), "is not a trading day"), (date(2023, 6, 1), "no 5Min bars")]
)
def test_a_day_that_cannot_be_screened_is_one_clear_line(day, said):
    with pytest.raises(DataError, match=said):
        identify(session=day)


def test_a_sector_without_bars_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("TANDEM_SECTORS__ACTIVE", '["healthcare"]')
    with pytest.raises(DataError, match="fewer than two symbols of healthcare"):
        identify(session=date(2023, 1, 27))
