import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import psycopg
import pytest

from tandem.market import Stopwatch, StoreError
from tandem.store import Store
from tandem.store.server import Server, socket_folder

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
USER = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from tandem.store.server import Server
server = Server(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@contextmanager
def user_of(home: Path, *prefix: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that uses the server of `home`."""
    command = [*prefix, sys.executable, "-c", USER, str(home)]
    user = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield user
    finally:
        user.kill()
        user.communicate()


def is_ready(user: "subprocess.Popen[str]") -> bool:
    assert user.stdout is not None
    return user.stdout.readline() == "ready\n" or pytest.fail(user.communicate()[1])


def processes_of(home: Path, word: str = "") -> list[int]:
    """Processes whose command line names the home."""

    def command(process: Path) -> str:
        try:
            return (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""

    found = {int(p.name): command(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
    folder = str(home / "postgres")
    return [pid for pid, text in found.items() if folder in text and word in text and pid != os.getpid()]


def keeper_of(home: Path) -> int:
    (keeper,) = processes_of(home, "keeper.py")
    return keeper


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def soon(happened: Callable[[], bool], seconds: float = 10.0) -> bool:
    watch = Stopwatch()
    while not happened() and watch.seconds < seconds:
        Event().wait(0.02)
    return happened()


def kill(pid: int) -> None:
    """Kill a process and wait until the kernel has dropped its locks."""
    os.kill(pid, signal.SIGKILL)
    assert soon(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def answers(server: Server) -> bool:
    with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@LINUX_ONLY
def test_processes_that_start_at_once_share_one_server(home: Path) -> None:
    with user_of(home) as one, user_of(home) as two, user_of(home) as three:
        assert is_ready(one)
        assert is_ready(two)
        assert is_ready(three)
        assert (home / "postgres" / "server.log").read_text().count("starting PostgreSQL") == 1
        assert len(processes_of(home, "keeper.py")) == 1


@LINUX_ONLY
def test_nothing_is_left_when_the_only_user_is_killed(home: Path) -> None:
    with user_of(home) as user:
        assert is_ready(user)
        assert processes_of(home)
        user.kill()
        assert soon(lambda: not processes_of(home))
    with Server(home) as server:
        assert answers(server)


@LINUX_ONLY
def test_the_server_outlives_the_user_that_started_it_while_another_uses_it(home: Path) -> None:
    with user_of(home) as first, Server(home) as server:
        assert is_ready(first)
        first.kill()
        first.wait()
        Event().wait(0.3)
        assert answers(server)


@LINUX_ONLY
def test_the_next_open_works_after_the_keeper_was_killed(home: Path) -> None:
    with user_of(home) as user:
        assert is_ready(user)
        kill(keeper_of(home))
        with Server(home) as server:
            assert answers(server)


@LINUX_ONLY
def test_a_server_that_crashed_is_recovered_by_the_next_open(home: Path) -> None:
    with user_of(home) as user:
        assert is_ready(user)
        kill(postmaster_of(home))
        with Server(home) as server:
            assert answers(server)


@LINUX_ONLY
def test_the_next_open_works_after_everything_was_killed(home: Path) -> None:
    with user_of(home) as user:
        assert is_ready(user)
        for pid in (keeper_of(home), postmaster_of(home), user.pid):
            kill(pid)
    with Server(home) as server:
        assert answers(server)


@LINUX_ONLY
def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(home: Path) -> None:
    Server(home).close()
    assert soon(lambda: not processes_of(home))
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{home}/postgres/data\n0\n5432\n/nowhere\n\n0 0\nready\n")
    with Server(home) as server:
        assert answers(server)


def test_users_that_come_and_go_quickly_always_find_a_server(home: Path) -> None:
    for pause in range(12):
        with Server(home) as server:
            assert answers(server)
        Event().wait(pause / 100)


@LINUX_ONLY
def test_a_forked_child_does_not_keep_the_server_running(home: Path) -> None:
    server = Server(home)
    child = os.fork()
    if child == 0:
        Event().wait(30)
        os._exit(0)
    try:
        server.close()
        assert soon(lambda: not processes_of(home))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@LINUX_ONLY
def test_a_store_in_use_starts_its_server_again_when_it_is_gone(home: Path) -> None:
    with Store.open(home) as store:
        kill(keeper_of(home))
        assert soon(lambda: not (home / "postgres" / "data" / "postmaster.pid").exists())
        assert store.worlds() == []


def test_data_of_another_version_are_refused_with_what_to_do(home: Path) -> None:
    Server(home).close()
    assert soon(lambda: not (home / "postgres" / "data" / "postmaster.pid").exists())
    version = home / "postgres" / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("12\n")
    try:
        with pytest.raises(StoreError, match=r"initialized by PostgreSQL version 12.*use that one") as caught:
            Server(home)
        assert "\n" not in str(caught.value)
    finally:
        version.write_text(right)


def test_a_home_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="TANDEM_HOME"):
        Server(tmp_path / "home")


def test_a_home_with_a_long_path_works_through_a_short_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 38)
    with Server(home) as server:
        assert answers(server)
        assert len(str(server.folder)) > 150
        short = socket_folder(server.folder)
        assert short.stat().st_mode & 0o777 == 0o700
    assert soon(lambda: not short.exists())


def test_a_home_with_a_comma_works(tmp_path: Path) -> None:
    with Server(tmp_path / "Smith, John") as server:
        assert answers(server)


def test_a_short_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("else" * 38)
    short = socket_folder(folder)
    short.chmod(0o755)
    with pytest.raises(StoreError, match="not a private folder"):
        socket_folder(folder)
    short.rmdir()
    short.symlink_to(tmp_path)
    with pytest.raises(StoreError, match="not a private folder"):
        socket_folder(folder)
    short.unlink()


def test_the_home_is_private_and_the_folders_above_it_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with Server(tmp_path / "home") as server:
        assert answers(server)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "postgres").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_runs_the_server_too() -> None:
    may_read_the_programs = "-all,+dac_read_search"
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    nobody += [f"--inh-caps={may_read_the_programs}", f"--ambient-caps={may_read_the_programs}"]
    with TemporaryDirectory(dir="/tmp") as folder:
        home = Path(folder)
        os.chown(home, 65534, -1)
        with user_of(home, *nobody) as user:
            assert is_ready(user)
            assert Path(f"/proc/{postmaster_of(home)}").stat().st_uid == 65534
        assert soon(lambda: not processes_of(home))
