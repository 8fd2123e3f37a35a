"""`tandem models`: what stands where, the moves, and errors of one line."""

import getpass
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from tandem.cli.app import run
from tandem.config import ModelSettings
from tandem.desk import Plan, Refit
from tandem.forecast import RecipeStaged, Registration
from tandem.market import WorldKind
from tandem.store import Record, Stage, StageChanged, Stages

TECH = "technology"
FIRST = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
LOSSES = {"v1": 0.66, "v2": 0.62}


@pytest.fixture
def world(store, tmp_path, monkeypatch):
    """A recycler's world with ten mornings of two recipes."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "TANDEM_HOME": str(tmp_path / "home"), "TANDEM_DATABASE_URL": store.url,
        "TANDEM_WEBSOCKET__RECYCLER__SERVER_URL": "ws://localhost:1", "COLUMNS": "200",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    facts = store.facts(store.new_world(WorldKind.RECYCLER))
    for recipe in LOSSES:
        made = RecipeStaged.of(ModelSettings(version=recipe))
        facts.append(Record(made, FIRST.date(), FIRST, f"recipe.{recipe}"))
        Stages(facts).stage(TECH, recipe, why=f"model.version is {recipe}", by="morning", at=FIRST)
    for number in range(10):
        day = date(2026, 4, 1) + timedelta(days=number)
        refits = tuple(
            Refit(TECH, recipe, f"pairs_trading_gru_garch_{TECH}_{recipe}_{day:%Y%m%d}", {}, loss,
                  figures={"test_log_loss": loss, "test_mcc": 0.1 + 0.01 * number, "sharpe_ratio": 1.0})
            for recipe, loss in LOSSES.items()
        )  # fmt: skip
        facts.append(Record(Plan(2, {}, 1, refits), day, FIRST + timedelta(days=number), f"plan.{day}"))
    return facts


@pytest.fixture
def said(capsys):
    """What a command prints; it has to succeed."""

    def run_it(*tokens):
        assert run(["models", *tokens]) == 0
        return capsys.readouterr().out

    return run_it


def test_the_list_shows_every_recipe_with_its_stage(world, said):
    rows = json.loads(said("list", "--json"))
    assert [(row["recipe"], row["stage"], row["refits"]) for row in rows] == [
        ("v1", "Production", 10),
        ("v2", "Staging", 10),
    ]
    assert rows[1]["figures"]["test_log_loss"] == pytest.approx(0.62)
    table = said("list")
    assert "Production" in table
    assert "pairs_trading_gru_garch_technology_v2_20260410" in table


def test_the_list_can_be_read_in_80_columns(store, world, said, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    figures = {"test_f1_score": 0.612, "test_base_rate": 0.5, "test_mcc": -0.123, "test_mcc_ar1": -0.045,
               "sharpe_ratio": -11.25}  # fmt: skip
    day = date(2026, 4, 11)
    for sector in (TECH, "healthcare"):
        Stages(world).stage(sector, "v2_wide", why="new", by="morning", at=FIRST + timedelta(days=10))
    name = f"pairs_trading_gru_garch_{TECH}_v2_wide_20260411"
    refit = Refit(TECH, "v2_wide", name, {}, 0.6, refused="out of its band", figures=figures)
    sound = Refit("healthcare", "v2_wide", name.replace(TECH, "healthcare"), {}, 0.6, figures=figures)
    world.append(Record(Plan(2, {}, 1, (refit, sound)), day, FIRST + timedelta(days=10), f"plan.{day}"))
    told = said("list")
    assert "\u2026" not in told
    assert all(len(line) <= 80 for line in told.splitlines())
    technology = told[told.index(f"Recipes of {TECH}") :].splitlines()
    assert technology[1].split() == ["recipe", "stage", "since", "refits", "MCC", "Sharpe"]
    health = told[told.index("Recipes of healthcare") :].splitlines()
    assert health[1].split() == ["recipe", "stage", "since", "refits", "F1", "base", "MCC", "AR(1)", "Sharpe"]
    assert health[2].split()[-5:] == ["0.612", "0.500", "-0.123", "-0.045", "-11.250"]
    assert f"newest {name} (must not trade)" in told


def test_a_recipe_is_shown_by_its_name_or_by_that_of_a_registered_model(world, said):
    one, other = (
        json.loads(said("show", name, "--json")) for name in ("v2", "pairs_trading_gru_garch_technology_v2_20260403")
    )
    assert one == other
    assert one["settings"]["gru_units"] == 64
    assert len(one["digest"]) == 64
    assert "model.gru_units" in said("show", "v2")


def test_recipes_are_compared_on_sessions_that_both_have(world, said):
    found = json.loads(said("compare", "v1", "v2", "--json"))
    assert found["sessions"] == 10
    assert found["figures"]["test_log_loss"] == pytest.approx({"v1": 0.66, "v2": 0.62})
    assert "-0.0400" in said("compare", "v1", "v2")


def test_a_promotion_is_on_record_with_who_why_and_the_figures_of_both(world, said):
    assert said("promote", "v2", "--why", "lower log loss on ten days") == (
        "v1 of technology superseded: Production -> Archived\nv2 of technology promoted: Staging -> Production\n"
    )
    change = world.read(StageChanged)[-1]
    assert (change.body.by, change.body.why) == (getpass.getuser(), "lower log loss on ten days")
    assert change.body.evidence["test_log_loss"] == pytest.approx(0.62)
    assert change.body.evidence["v1.test_log_loss"] == pytest.approx(0.66)
    assert change.at == FIRST + timedelta(days=9)  # where the world's record ends, not today


def test_a_demotion_brings_back_the_last_good_one_and_then_the_baseline(world, said):
    said("promote", "v2", "--why", "better")
    assert "v1 of technology took over: Archived -> Production" in said("demote", "v2", "--why", "drifts")
    assert "the baseline trades" in said("demote", "v1", "--why", "drifts too")
    assert "v2 of technology returned: Archived -> Production" in said("promote", "v2", "--why", "it was the feed")
    assert Stages(world).board(TECH).stages == {"v1": Stage.ARCHIVED, "v2": Stage.PRODUCTION}


def test_a_refit_of_which_mlflow_was_never_told_is_told_of_by_the_next_command_or_that_says_why_not(world, said):
    asked = Registration("lost", TECH, "v9", "digest", {"world": str(world.world)}, "{}")
    world.append(Record(asked, FIRST.date(), FIRST, "registration.lost"))
    assert said("promote", "v2", "--why", "better").endswith(
        "lost: no plan of 2026-04-01 has the refit of v9 of technology. It is told by the next command or morning.\n"
    )


def test_what_is_archived_is_not_demoted_again(world, said, capsys):
    said("demote", "v2", "--why", "too slow")
    assert run(["models", "demote", "v2", "--why", "too slow"]) == 2
    assert capsys.readouterr().err == (
        "tandem: v2 of technology is in Archived already. What is in Production or in Staging can be demoted\n"
    )


def test_a_challenger_can_be_taken_out_of_the_contest(world, said):
    assert said("demote", "v2", "--why", "too slow") == "v2 of technology withdrawn: Staging -> Archived\n"


@pytest.mark.parametrize("name", ["evolution.png", "evolution.svg"])
def test_the_history_is_told_and_drawn(world, said, tmp_path, name):
    said("promote", "v2", "--why", "better")
    told = said("history", "--out", str(tmp_path / name))
    assert told.rstrip().endswith(name)
    assert (tmp_path / name).stat().st_size > 5_000
    found = json.loads(said("history", "--out", str(tmp_path / name), "--json"))
    assert [change["move"] for change in found["changes"]] == [
        "staged", "first of its sector", "staged", "superseded", "promoted",
    ]  # fmt: skip


def test_as_json_the_history_writes_no_picture_unless_it_is_told_where(world, said, tmp_path):
    before = {*tmp_path.iterdir()}
    assert json.loads(said("history", "--json"))["picture"] == ""
    assert {*tmp_path.iterdir()} == before


@pytest.mark.filterwarnings("error")
def test_a_history_of_one_instant_is_drawn_without_a_warning(store, world, said):
    facts = store.facts(store.new_world(WorldKind.RECYCLER))
    for recipe in LOSSES:
        Stages(facts).stage(TECH, recipe, why="new", by="morning", at=FIRST)
    assert f"Models of {TECH} in {facts.world}" in said("history", "--world", str(facts.world))


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["show", "v11"], "tandem: technology has no recipe v11. Did you mean v1?"),
        (["promote", "zz", "--why", "x"], "tandem: technology has no recipe zz. There are: v1, v2"),
        (["promote", "v1", "--why", "x"],
         "tandem: v1 of technology is in Production, only what is in Staging can be promoted"),
        (["list", "--world", "recycler-99"], "tandem: no world is called recycler-99. The newest are: "),
        (["history", "--sector", "technolgy"], "tandem: {world} has no models of technolgy. Did you mean technology?"),
        (["history", "--out", "x.bmp"],
         "tandem: x.bmp is no picture. Give a name that ends in .png or .svg"),
        (["promote", "v2", "--why", " "], "tandem: v2 of technology cannot be promoted without a reason. Say why"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(world, capsys, tokens, line):
    assert run(["models", *tokens]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(line.format(world=world.world))


def test_a_world_without_recipes_says_how_to_get_one(store, world, capsys):
    empty = store.new_world(WorldKind.BACKTEST)
    store.facts(empty)
    assert run(["models", "list", "--world", str(empty)]) == 0
    assert "No recipe is on record yet" in capsys.readouterr().out
    assert run(["models", "history", "--world", str(empty)]) == 2
    assert f"{empty} has no recipe on record yet" in capsys.readouterr().err
