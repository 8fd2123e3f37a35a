"""`tandem mlflow`: trained models and their figures, in a browser."""

import os
import socket
import subprocess
import sys
from typing import Annotated, Final

from cyclopts import App, Parameter, validators

from tandem.cli.opening import open_store
from tandem.market import TandemError

app = App(name="mlflow", help="Trained models and their figures, in a browser.")

DATABASE: Final = "mlflow_db"
LOOPBACK: Final = "127.0.0.1"
QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
PATIENCE_SECONDS: Final = 10

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
        environment = {**os.environ, **QUIET, "MLFLOW_BACKEND_STORE_URI": store.database(DATABASE)}
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
    """Run until it ends or Ctrl-C; nothing of it is left behind."""
    server = subprocess.Popen(command, env=environment)
    try:
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
