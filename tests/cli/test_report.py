"""`tandem report`: which run it shows, and what it says where there is none."""

from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Capital, Mark
from tandem.cli.app import run
from tandem.market import Calendar, WorldKind
from tandem.store import Record

SESSION = Calendar().session(date(2022, 11, 25))


@pytest.fixture
def worlds(store, tmp_path, monkeypatch):
    """An account that lost, and the books beside it that came later: a shadow, a twin and a dry run."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "DATABASE_URL": store.url}.items():
        monkeypatch.setenv(f"TANDEM_{name}", value)
    monkeypatch.setenv("COLUMNS", "100")
    account = traded(store, WorldKind.RECYCLER, Decimal(-5))
    shadow = traded(store, WorldKind.SHADOW, Decimal(7), f"v2 beside {account}")
    traded(store, WorldKind.BACKTEST, Decimal(9), "2022-11-01 to 2022-11-25")
    store.new_world(WorldKind.SHADOW, "dry run")
    return account, shadow


def traded(store, kind, net, label=""):
    """A world with one session and this net P&L."""
    world = store.new_world(kind, label)
    mark = Mark(Decimal(100_000) + net, Decimal(0), net, net, Decimal(0))
    store.facts(world).append(
        Record(Capital(Decimal(100_000)), SESSION.day, SESSION.morning, "capital"),
        Record(mark, SESSION.day, SESSION.close, "mark"),
    )
    return world


def test_without_a_name_the_newest_account_is_shown_and_no_book_beside_it(worlds, capsys):
    account, _ = worlds
    assert run(["report"]) == 0
    said = capsys.readouterr().out
    assert f"world {account}" in said
    assert "shadow" not in said


def test_a_shadow_book_is_shown_by_its_name_and_says_what_it_is(worlds, capsys, tmp_path):
    _, shadow = worlds
    assert run(["report", "--world", str(shadow)]) == 0
    said, page = capsys.readouterr().out, (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"world {shadow}" in said
    for told in (" ".join(said.split()), page):
        assert "This is a shadow book: its orders were meant and not sent." in told


@pytest.mark.parametrize(
    ("option", "path", "line"),
    [
        ("--out", "there", "there is a folder. Name a file, such as there/page.html"),
        ("--picture", "there", "there is a folder. Name a file, such as there/page.png"),
        ("--picture", "x.txt", "x.txt is no picture. Give a name that ends in .png or .svg"),
        ("--picture", "x.gif", "x.gif is no picture. Give a name that ends in .png or .svg"),
        ("--out", "file/r.html", "file/r.html cannot be written: file is no folder. Name a file in another folder"),
        ("--out", "/proc/r.html", "/proc/r.html cannot be written: No such file or directory. Name a file in another"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(worlds, capsys, tmp_path, option, path, line):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    before = {*tmp_path.rglob("*")}
    assert run(["report", option, path]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"tandem: {line}")
    assert said.err.count("\n") == 1
    assert {*tmp_path.rglob("*")} == before
    assert not (tmp_path.parent / f".{tmp_path.name}.part").exists()


def test_a_home_without_a_run_says_what_to_do(tandem):
    ended = tandem("report")
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "tandem: nothing was traded here yet. Run `tandem demo`, or set TANDEM_HOME to the home of a run"
    )


def test_an_unknown_world_is_named(tandem):
    ended = tandem("report", "recycler-9")
    assert ended.returncode == 2
    assert ended.stderr.strip() == "tandem: no world recycler-9. Run `tandem demo` first"
