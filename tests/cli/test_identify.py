"""`tandem identify`: the page, the document, and what goes on record."""

import json
from datetime import date

import pandas as pd
import pytest

from tandem.cli import opening
from tandem.cli.app import run
from tandem.cli.identify import identify
from tandem.desk import configuration_of, tracked_of
from tandem.market import ConfigError, DataError, Timeframe, WorldKind, resample

FRIDAY, THURSDAY = date(2023, 1, 27), date(2023, 1, 26)
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
    """In an empty folder, with an Alpaca paper account, five-minute bars and windows of seven sessions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "open_store", lambda: Borrowed(january))
    monkeypatch.setenv("TANDEM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TANDEM_WEBSOCKET__MODE", "alpaca")
    monkeypatch.setenv("TANDEM_MODEL__TIMEFRAME", "5Min")
    monkeypatch.setenv("TANDEM_SCREEN__FORMATION_DAYS", "7")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("columns", ["80", "100", "160"])
def test_the_page_shows_the_funnel_the_luck_and_the_selected_in_100_columns(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    identify(session=FRIDAY, dry_run=True)
    page = capsys.readouterr().out
    assert "Pairs for 2023-01-27" in page
    assert "6 pairs tested for cointegration, 1 with p < 0.05." in page
    assert "By chance alone 0.3 would be" in " ".join(page.split())
    assert "correlation         3        3" in page
    assert "AAPL/NVDA" in page
    assert "AAPL/IBM" not in page
    assert "Nothing was recorded." in page
    assert "\u2026" not in page
    assert max(map(len, page.splitlines())) <= 100


def test_without_a_pair_it_still_explains(capsys):
    identify(session=THURSDAY, dry_run=True)
    page = " ".join(capsys.readouterr().out.split())
    assert "No pair passed every gate. The nearest was" in page
    assert "is not above 0.7" in page


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [([], "AAPL/IBM", "nothing"), (["score"], "is not above 0.7", "correlation of"), (["AAPL/IBM"], "AAPL/IBM", "MSFT"),
     (["ibm"], "IBM/NVDA", "AAPL/MSFT")],
)  # fmt: skip
def test_refused_pairs_are_listed_by_gate_by_symbol_and_by_pair(capsys, asked, there, absent):
    identify(session=THURSDAY, refusals=asked, dry_run=True)
    listed = capsys.readouterr().out.partition("refused at" if asked else "nearest misses")[2].partition("Nothing")[0]
    assert there in listed
    assert absent not in listed


def test_a_gate_that_does_not_exist_is_one_clear_line():
    with pytest.raises(DataError, match=r"nonsense is no gate, no symbol of this screen and no pair"):
        identify(session=THURSDAY, refusals=["nonsense"], dry_run=True)


def test_the_document_leaves_out_the_prices(capsys):
    identify(session=FRIDAY, json=True, dry_run=True)
    document = json.loads(capsys.readouterr().out)
    assert document["session"] == "2023-01-27"
    assert document["passports"][0]["pair"] == {"a": "AAPL", "b": "NVDA"}
    assert "closes_a" not in document["passports"][0]
    assert (document["refused"], len(document["refusals"])) == (5, 5)
    assert document["refusals"][0].keys() == {"pair", "gate", "why"}


def test_without_a_day_it_is_the_one_after_the_newest_bar(capsys):
    identify(json=True, dry_run=True)
    assert json.loads(capsys.readouterr().out)["session"] == "2023-01-31"


def test_it_goes_on_record_once_in_the_world_that_would_trade(january, capsys):
    identify(session=FRIDAY)
    first = capsys.readouterr().out
    (world,) = january.worlds()
    assert world.kind is WorldKind.PAPER
    facts = january.facts(world)
    made, tracked = configuration_of(facts, FRIDAY), tracked_of(facts, FRIDAY, 1)
    assert made is not None
    assert tracked is not None
    assert f"Recorded as version 1 of 2023-01-27 in {world}. MLflow run {tracked.runs['technology']}" in first
    identify(session=FRIDAY)
    assert "nothing changed" in " ".join(capsys.readouterr().out.split())
    identify(session=FRIDAY, min_bars=250)
    assert "configuration version 2" in capsys.readouterr().out
    assert [world] == january.worlds()
    assert configuration_of(facts, FRIDAY, 1) == made


def test_a_dry_run_records_nothing(january):
    before = january.worlds()
    identify(session=THURSDAY, dry_run=True)
    assert january.worlds() == before
    assert all(configuration_of(january.facts(world), THURSDAY) is None for world in before)


@pytest.mark.parametrize(
    ("day", "said"), [(date(2023, 1, 28), "is not a trading day"), (date(2023, 6, 1), "no 5Min bars")]
)
def test_a_day_that_cannot_be_screened_is_one_clear_line(day, said):
    with pytest.raises(DataError, match=said):
        identify(session=day, dry_run=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sector": ["helthcare"]}, r"no symbols in the sector helthcare. Known sectors: technology"),
        ({"min_bars": 5000}, r"7 sessions of 5Min bars hold 546 that two symbols share, screen.min_bars is 5000"),
        ({"timeframe": "1Hour"}, r"fewer than two symbols of technology have 1Hour bars"),
    ],
)
def test_what_cannot_be_screened_is_one_clear_line(asked, said):
    with pytest.raises(DataError, match=said):
        identify(session=FRIDAY, dry_run=True, **asked)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"min_bars": 3}, r"screen.min_bars is 3, expected greater than or equal to 50"),
        ({"timeframe": "7Parsec"}, r"model.timeframe"),
        ({"engine": "abacus"}, r"screen.engine"),
        ({"world": "paper-99"}, r"no world is called paper-99"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_clear_line(asked, said):
    with pytest.raises(ConfigError, match=said):
        identify(session=FRIDAY, dry_run=True, **asked)


def test_every_sector_can_be_asked_for(capsys):
    identify(session=FRIDAY, all_sectors=True, across_sectors=True, dry_run=True, top=1)
    assert "technology, and across them" in capsys.readouterr().out


def test_options_are_read_as_a_person_types_them(capsys):
    words = ["identify", "--session", "2023-01-26", "--dry-run", "--refusals", "half-life", "--sector", "Technology"]
    assert run(words) == 0
    assert "refused at half-life" in capsys.readouterr().out


def test_a_sector_without_bars_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("TANDEM_SECTORS__ACTIVE", '["healthcare"]')
    with pytest.raises(DataError, match="fewer than two symbols of healthcare"):
        identify(session=FRIDAY, dry_run=True)
