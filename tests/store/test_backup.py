"""Backups: whole or not there, checked, and the way back into a home that reads the same facts."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import psycopg
import pytest

from tandem.market import DataError, Refusal, StoreError, WorldKind
from tandem.store import Record, Store, back_up, backup, backups, checked, facts_digest, restore
from tandem.store.programs import program
from tandem.store.server import binaries

DAY, NEXT = date(2023, 1, 25), date(2023, 1, 26)
NAME = f"{DAY}-paper"
NIGHT = datetime(2023, 1, 26, 2, tzinfo=UTC)


def record(store: Store, count: int) -> None:
    facts = store.facts(store.new_world(WorldKind.PAPER))
    facts.append(*(Record(Refusal("n\u00e4he", f"why\n{n}", "risk"), DAY, NIGHT, f"refusal.{n}") for n in range(count)))


def backed_up(
    store: Store, folder: Path, day: date = DAY, keep: int = 7, kind: WorldKind = WorldKind.PAPER
) -> tuple[backup.Backup, list[str]]:
    return back_up(store.url, ("no_such_db",), folder, kind=kind, day=day, at=NIGHT, keep=keep)


def test_a_restored_home_reads_the_same_facts(store: Store, tmp_path: Path) -> None:
    record(store, 30)
    store.blobs.put(b"model")
    made, _ = backed_up(store, tmp_path / "backups")
    assert made.facts == facts_digest(store.url)
    assert made.facts.rows == 30
    restore(tmp_path / "backups" / NAME, tmp_path / "home")
    with Store.open(tmp_path / "home") as found:
        assert facts_digest(found.url) == made.facts
        world = found.worlds()[0]
        assert found.facts(world).read(Refusal) == store.facts(world).read(Refusal)
        refused = pytest.raises(psycopg.errors.RaiseException, match="append-only")
        with psycopg.connect(found.url.replace("+psycopg", "")) as connection, refused:
            connection.execute("DELETE FROM facts")
    assert found.server is not None
    assert found.server.has_stopped()


def test_facts_that_differ_have_another_digest(store: Store) -> None:
    record(store, 1)
    before = facts_digest(store.url)
    record(store, 1)
    assert facts_digest(store.url).sha256 != before.sha256


def test_a_second_backup_of_the_night_replaces_the_first(store: Store, tmp_path: Path) -> None:
    first, _ = backed_up(store, tmp_path)
    record(store, 2)
    second, gone = backed_up(store, tmp_path)
    assert (first.facts.rows, second.facts.rows, gone) == (0, 2, [])
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert checked(tmp_path / NAME) == second


def test_a_backup_is_for_its_owner_alone(store: Store, tmp_path: Path) -> None:
    backed_up(store, tmp_path / "backups")
    for path in (tmp_path / "backups").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def test_the_ones_made_last_are_kept_whatever_date_they_are_of(store: Store, tmp_path: Path) -> None:
    made_later = date(1999, 1, 5)
    for day in (DAY, NEXT, made_later):
        _, gone = backed_up(store, tmp_path, day, keep=2)
    assert gone == [NAME]
    assert [path.name for path in backups(tmp_path)] == [f"{made_later}-paper", f"{NEXT}-paper"]


def test_nights_of_a_replay_let_no_night_of_the_paper_account_go(store: Store, tmp_path: Path) -> None:
    backed_up(store, tmp_path)
    for day in (DAY, NEXT, date(2023, 1, 27)):
        backed_up(store, tmp_path, day, keep=2, kind=WorldKind.RECYCLER)
    assert [path.name for path in backups(tmp_path)] == ["2023-01-27-recycler", "2023-01-26-recycler", NAME]
    assert (checked(tmp_path / NAME).kind, checked(tmp_path / NAME).name) == (WorldKind.PAPER, NAME)


@pytest.mark.parametrize("kind", [WorldKind.PAPER, WorldKind.RECYCLER])
def test_a_backup_that_does_not_say_of_what_kind_it_is_counts_as_any(
    store: Store, tmp_path: Path, kind: WorldKind
) -> None:
    made, _ = backed_up(store, tmp_path)
    old = (tmp_path / NAME).rename(tmp_path / str(DAY))
    said = msgspec.to_builtins(made)
    del said["kind"]
    (old / "manifest.json").write_bytes(msgspec.json.encode(said))
    assert checked(old) == replace(made, kind=None)
    _, gone = backed_up(store, tmp_path, NEXT, keep=1, kind=kind)
    assert gone == [str(DAY)]


def test_what_a_killed_one_left_is_swept_and_never_taken_for_a_backup(store: Store, tmp_path: Path) -> None:
    left = tmp_path / f"{DAY}.half"
    left.mkdir()
    (left / "manifest.json").write_text("{}")
    assert backups(tmp_path) == []
    backed_up(store, tmp_path, NEXT)
    assert [path.name for path in tmp_path.iterdir()] == [f"{NEXT}-paper"]


KILLED = """
import os, signal, sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tandem.market import WorldKind
from tandem.store import back_up, backup

point, url, folder = sys.argv[1:]
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if point == "manifest": backup._write = die
elif point == "rename": Path.rename = die
else:
    done = backup.run
    def run(program, options, url):
        if program.endswith(point): die()
        done(program, options, url)
    backup.run = run
of, at = {"kind": WorldKind.PAPER, "day": date(2023, 1, 25)}, datetime(2023, 1, 26, 2, tzinfo=UTC)
back_up(url, (), Path(folder), **of, at=at, keep=7)
"""


@pytest.mark.parametrize("point", ["pg_dump", "pg_restore", "manifest", "rename"])
def test_killed_at_any_point_the_next_run_makes_a_whole_one(store: Store, tmp_path: Path, point: str) -> None:
    record(store, 3)
    done = subprocess.run([sys.executable, "-c", KILLED, point, store.url, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert backups(tmp_path) == []
    made, _ = backed_up(store, tmp_path)
    assert checked(tmp_path / NAME) == made
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


RESTORING = """
import os, signal, sys
from pathlib import Path
from tandem.store import backup, restore

done = backup.run
def run(*given):
    done(*given)
    os.kill(os.getpid(), signal.SIGKILL)
backup.run = run
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_restoring_that_was_killed_leaves_no_home_and_is_repeated(store: Store, tmp_path: Path) -> None:
    record(store, 3)
    made, _ = backed_up(store, tmp_path / "backups")
    folder, home = tmp_path / "backups" / NAME, tmp_path / "home"
    done = subprocess.run([sys.executable, "-c", RESTORING, str(folder), str(home)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not home.exists()
    assert restore(folder, home) == made
    assert [path.name for path in home.iterdir()] == ["postgres"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "home"]


def test_somebodys_folder_is_not_taken_for_what_a_restoring_left(store: Store, tmp_path: Path) -> None:
    backed_up(store, tmp_path / "backups")
    (tmp_path / "home.half").mkdir()
    (tmp_path / "home.half" / "mine").touch()
    with pytest.raises(DataError, match="is in the way"):
        restore(tmp_path / "backups" / NAME, tmp_path / "home")


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), Path.unlink])
def test_a_damaged_backup_is_found_and_not_restored(store: Store, tmp_path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    made, _ = backed_up(store, tmp_path / "backups")
    folder = tmp_path / "backups" / NAME
    harm(folder / made.databases[made.tandem].file)
    for use in (checked, lambda folder: restore(folder, tmp_path / "home")):
        with pytest.raises(DataError, match="is not the file that the manifest tells of"):
            use(folder)
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_taken_is_not_restored_into(store: Store, tmp_path: Path) -> None:
    backed_up(store, tmp_path / "backups")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").touch()
    with pytest.raises(DataError, match="is not empty"):
        restore(tmp_path / "backups" / NAME, tmp_path / "home")


def test_a_folder_that_is_no_backup_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no backup"):
        checked(tmp_path)


def test_facts_that_are_not_those_backed_up_make_no_home(store: Store, tmp_path: Path) -> None:
    record(store, 2)
    made, _ = backed_up(store, tmp_path / "backups")
    manifest = tmp_path / "backups" / NAME / "manifest.json"
    other = replace(made, facts=backup.FactsDigest(3, made.facts.sha256))
    manifest.write_bytes(msgspec.json.encode(other))
    with pytest.raises(DataError, match="2 facts were restored, and they are not the 3 backed up"):
        restore(manifest.parent, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_password_is_in_no_command_line(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, said = tmp_path / "told", "".join(("not", "-a-", "word"))
    path = tmp_path / "pg_dump"
    path.write_text(f'#!/bin/sh\nprintf "%s|%s" "$*" "$PGPASSWORD" > {told}\nexit 1\n')
    path.chmod(0o700)
    monkeypatch.setattr(backup, "program", lambda *_: str(path))
    with pytest.raises(StoreError, match="pg_dump failed") as failed:
        backup._dump(f"postgresql+psycopg://me:{said}@localhost/mine", tmp_path, server=180000)
    assert told.read_text().partition("|")[2] == said
    assert said not in told.read_text().partition("|")[0]
    assert said not in str(failed.value)


def test_a_server_newer_than_the_embedded_one_needs_the_systems_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert program("pg_dump", 180006) == str(binaries() / "pg_dump")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert program("pg_dump", 990001) == "/usr/bin/pg_dump"
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(StoreError, match="pg_dump is not installed"):
        program("pg_dump", 990001)
