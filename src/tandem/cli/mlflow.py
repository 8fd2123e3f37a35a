"""`tandem mlflow`: trained models and their figures, in a browser."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Annotated, Final

from cyclopts import App, Parameter, validators

from tandem.cli.opening import open_store
from tandem.market import TandemError

app = App(name="mlflow", help="Trained models and their figures, in a browser.")

DATABASE: Final = "mlflow_db"
LOOPBACK: Final = "127.0.0.1"
QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore",
}
PATIENCE_SECONDS: Final = 10
SIGNALLED: Final = 128

Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65535))]


@app.command
def ui(*, port: Port = 5000) -> int:
    """Serve MLflow's pages on this machine alone, until Ctrl-C. They take some ten seconds to come up.

    Parameters
    ----------
    port
        Where to serve.
    """
    _free(port)
    with open_store() as store:
        # The address of the database may hold a password: it goes by the environment, not by the command line.
        address = store.database(DATABASE)
        stores = {"MLFLOW_BACKEND_STORE_URI": address, "MLFLOW_REGISTRY_STORE_URI": address}
        environment = {**os.environ, **QUIET, **stores}
        where = ["--host", LOOPBACK, "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level critical"]
        print(f"http://{LOOPBACK}:{port} in some ten seconds; Ctrl-C ends it.", flush=True)
        return _serve([sys.executable, "-W", "ignore", "-m", "mlflow", "server", *where], environment)


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise TandemError(f"port {port} cannot be used: {error.strerror}", "Choose another with --port.") from None


def _serve(command: list[str], environment: dict[str, str]) -> int:
    """Run until it ends, Ctrl-C or a signal to end; nothing of it is left behind."""
    # A server starts servers of its own: in a group of theirs they end together.
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        return server.wait()
    finally:
        _end_all(server, signal.SIGTERM)
        try:
            server.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _end_all(server, signal.SIGKILL)
            server.wait()


def _end(number: int, _frame: object) -> None:
    raise SystemExit(SIGNALLED + number)


def _end_all(server: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, number)
