"""`tandem config`: the settings in force."""

from cyclopts import App

app = App(name="config", help="Show the settings in force.")


@app.command
def show() -> None:
    """Print every setting in force, secrets masked."""
    from tandem.config import as_yaml, load

    print(as_yaml(load()), end="")
