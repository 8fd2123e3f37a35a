"""Keeps one PostgreSQL server alive exactly as long as somebody uses it.

A process of its own, run by path with nothing but the standard library, so that it starts in
milliseconds and holds little memory:

    python -S -E keeper.py FOLDER SOCKETS LOCK COMMAND...

`FOLDER` holds `data`, `users.lock` and `server.log`, `SOCKETS` the server's socket; `LOCK` is the
descriptor of the locked `keeper.lock`, inherited; `COMMAND` starts the server in the foreground. Every
user of the server holds a shared lock on `users.lock`, which the kernel drops however the user ends.
The keeper asks for an exclusive one: once it is granted nobody is left, and the server is stopped.
When the keeper itself is killed the kernel stops the server.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from io import BufferedWriter
from pathlib import Path

LOG_BYTES = 10_000_000
PATIENCE = 30.0


def main(folder: Path, sockets: Path, lock: int, command: list[str]) -> int:
    """Run the server until nobody uses it or it ends by itself; its exit status."""
    clear_the_way(folder / "data", sockets)
    with open_log(folder / "server.log") as log:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with(os.getpid()),  # noqa: PLW1509  (no thread has started yet)
        )
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    threading.Thread(target=stop_when_unused, args=(server, users), daemon=True).start()
    status = server.wait()
    if sockets != folder:
        shutil.rmtree(sockets, ignore_errors=True)
    os.close(lock)
    return status


def stop_when_unused(server: "subprocess.Popen[bytes]", users: int) -> None:
    """Wait for the last user to go, then stop the server: fast, and harder where that does not help."""
    fcntl.flock(users, fcntl.LOCK_EX)
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(request)
        threading.Event().wait(PATIENCE)


def clear_the_way(data: Path, sockets: Path) -> None:
    """Stop a server that outlived its keeper, and forget one that died without cleaning up.

    The server itself would believe its old lock files as long as any process has the number in them.
    """
    for request in (signal.SIGINT, signal.SIGQUIT):
        for _ in range(int(PATIENCE * 50)):
            running = servers_in(data)
            if running is None:
                return
            if not running:
                for stale in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
                    stale.unlink(missing_ok=True)
                return
            send_to_postmaster(data, running, request)
            threading.Event().wait(0.02)


def servers_in(data: Path) -> "set[int] | None":
    """Processes that work in the data folder, as every PostgreSQL process does; None where nobody can tell."""
    if not Path("/proc/self/cwd").exists():
        return None
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and works_in(entry, data)}


def works_in(process: Path, data: Path) -> bool:
    """Whether the process has the data folder as its working folder."""
    try:
        return (process / "cwd").samefile(data)
    except OSError:
        return False


def send_to_postmaster(data: Path, running: "set[int]", request: signal.Signals) -> None:
    """Ask the postmaster that the data folder names to stop, where it is one of those running."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        if pid in running:
            os.kill(pid, request)
    except (OSError, ValueError, IndexError):
        return


def open_log(path: Path) -> BufferedWriter:
    """The log, to append to; the one before is kept once it is long."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def die_with(parent: int) -> "Callable[[], None] | None":
    """What the child does before it becomes the server: be interrupted when the keeper dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_the_kernel() -> None:
        prctl(1, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
