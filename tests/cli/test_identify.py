"""`tandem identify`: the page, the document, and what goes on record."""

import json
from datetime import date

import pytest

from tandem.cli.app import run
from tandem.cli.identify import identify
from tandem.desk import configuration_of, tracked_of
from tandem.market import ConfigError, DataError, WorldKind

FRIDAY, THURSDAY = date(2023, 1, 27), date(2023, 1, 26)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(autouse=True)
def person(desk_in_january):
    """Windows of seven sessions."""
    desk_in_january(SCREEN__FORMATION_DAYS="7")


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_the_page_shows_the_funnel_the_luck_and_the_selected_in_100_columns(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    identify(session=FRIDAY, dry_run=True, refusals=[])
    page = capsys.readouterr().out
    assert "Pairs for 2023-01-27" in page
    assert "1 of 6 tested pairs have p < 0.05; luck alone gives" in " ".join(page.split())
    assert "too few round trips in the last fifth of the window" in " ".join(page.split())
    assert "correlation         3        3" in page
    assert "AAPL/NVDA" in page
    assert "AAPL/IBM" not in page.partition("nearest misses")[0]
    assert "Nothing was recorded." in page
    assert "\u2026" not in page
    assert max(map(len, page.splitlines())) <= min(columns, 100)


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
    assert f"Recorded as version 1 of 2023-01-27 in {world}. MLflow run {tracked.runs['technology']}" in " ".join(
        first.split()
    )
    assert "New: 1 active" in first
    identify(session=FRIDAY)
    again = " ".join(capsys.readouterr().out.split())
    assert "nothing changed" in again
    assert "On record as version 1" in again
    assert "New:" not in again
    identify(session=FRIDAY, min_bars=250, record=True)
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
        ({"timeframe": "1Hour"}, r"no 1Hour bars are stored. Stored are: 5Min. Choose one"),
        ({"timeframe": "1hour"}, r"no 1Hour bars are stored"),
        ({"formation_days": 100_000}, r"the exchange calendar does not go back 100000 sessions before 2023-01-27"),
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
    with pytest.raises(DataError, match="fewer than two symbols of healthcare") as refused:
        identify(session=FRIDAY, dry_run=True)
    assert refused.value.mend == ("sectors.active has healthcare, and no symbol is there. Known sectors: technology")


def test_options_that_screen_other_pairs_are_a_look_until_they_are_recorded(january, capsys):
    identify(session=FRIDAY)
    (world,) = january.worlds()
    before = configuration_of(january.facts(world), FRIDAY)
    capsys.readouterr()
    identify(session=FRIDAY, min_bars=260, across_sectors=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "Nothing was recorded: --across-sectors and --min-bars differ from the settings. With --record" in said
    assert configuration_of(january.facts(world), FRIDAY) == before
    identify(session=FRIDAY, sector=["Technology"], timeframe="5min", threads=1)  # what the settings say
    assert "On record as version" in capsys.readouterr().out


def test_record_and_dry_run_contradict_each_other():
    with pytest.raises(ConfigError, match="--record and --dry-run contradict each other"):
        identify(session=FRIDAY, record=True, dry_run=True)


def test_what_cannot_be_listed_is_told_before_anything_runs(january):
    worlds = january.worlds()
    with pytest.raises(DataError, match="nonsense is no gate"):
        identify(session=date(2023, 1, 25), refusals=["nonsense"])
    assert january.worlds() == worlds
    assert all(configuration_of(january.facts(world), date(2023, 1, 25)) is None for world in worlds)


@pytest.mark.parametrize("name", ["data quality", "data-quality", "Data_Quality"])
def test_a_gate_is_found_however_it_is_written_and_an_idle_one_says_so(capsys, name):
    identify(session=FRIDAY, refusals=[name], dry_run=True)
    assert "No pair was refused at data quality." in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["AAPL/NVDA", "nvda/aapl"])
def test_a_passport_is_shown_from_what_is_on_record(capsys, asked):
    identify(session=FRIDAY)
    capsys.readouterr()
    identify(session=FRIDAY, passport=asked)
    page = capsys.readouterr().out
    assert "AAPL/NVDA" in page
    assert "It is active: passed every gate" in page
    assert "Hedge ratio" in page
    assert "Half-life" in page


def test_a_refused_pair_has_its_reason_in_place_of_a_passport(capsys):
    identify(session=FRIDAY)
    capsys.readouterr()
    identify(session=FRIDAY, passport="AAPL/IBM")
    assert "Refused at correlation: correlation of prices" in capsys.readouterr().out


def test_a_pair_on_probation_has_its_reason_and_its_last_passport(capsys):
    for day in (date(2023, 1, 25), THURSDAY):
        identify(session=day)
    capsys.readouterr()
    identify(session=THURSDAY, passport="AAPL/NVDA")
    page = " ".join(capsys.readouterr().out.split())
    assert "It is on probation: refused at" in page
    assert "Selected for 2023-01-25" in page


@pytest.mark.parametrize(
    ("day", "asked", "said"),
    [
        (FRIDAY, "AAPL", "AAPL is no pair"),
        (FRIDAY, "AAPL/ZZZ", "AAPL/ZZZ was not screened for 2023-01-27"),
        (date(2023, 1, 20), "AAPL/NVDA", "has no identification of 2023-01-20"),
    ],
)
def test_a_passport_that_is_not_there_is_one_clear_line(day, asked, said):
    identify(session=FRIDAY)
    with pytest.raises(DataError, match=said):
        identify(session=day, passport=asked)


@pytest.fixture
def recycler_says(monkeypatch):
    """With the recycler of the settings, which plays this world."""
    from tandem.cli import control

    monkeypatch.setenv("TANDEM_WEBSOCKET__MODE", "recycler")

    def says(world):
        monkeypatch.setattr(control, "ask", lambda url, seconds: {"world": str(world)})

    return says


def test_a_recycler_of_another_home_is_named_and_the_day_recorded_in_this_one(january, recycler_says, capsys):
    recycler_says("recycler-77777")
    identify(session=FRIDAY)
    said = " ".join(capsys.readouterr().out.split())
    (world,) = (world for world in january.worlds() if world.kind is WorldKind.RECYCLER)
    assert f"Recorded as version 1 of 2023-01-27 in {world}." in said
    assert "ws://localhost:8765 plays recycler-77777, a world of another home" in said


def test_pairs_without_minutes_are_told_with_what_to_load(recycler_says, capsys):
    recycler_says("recycler-77777")
    identify(session=FRIDAY, dry_run=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "AAPL and NVDA have none of 2023-01-27: load some with `tandem data load FILE --timeframe 1Min`" in said


def test_another_world_that_has_the_day_on_record_is_named(january, recycler_says, capsys):
    old, new = (january.new_world(WorldKind.RECYCLER) for _ in range(2))
    recycler_says(old)
    identify(session=FRIDAY)
    recycler_says(new)
    capsys.readouterr()
    identify(session=FRIDAY)
    said = " ".join(capsys.readouterr().out.split())
    assert f"in {new}." in said
    assert f"{old} of this home has 2023-01-27 on record too, version 1: --world {old}." in said
