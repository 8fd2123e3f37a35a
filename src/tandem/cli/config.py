"""`tandem config`: the settings in force."""

from pathlib import Path

from cyclopts import App

app = App(name="config", help="Show the settings in force.")


@app.command
def show(*, config: Path | None = None) -> None:
    """Print every setting in force, secrets masked.

    Parameters
    ----------
    config
        The file to read; without it TANDEM_CONFIG, else ./config.yaml.
    """
    from tandem.config import as_yaml, load

    print(as_yaml(load(config)), end="")
