"""`tandem init`: a person's first settings, in two private files."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm, Prompt

from tandem.market import ConfigError

PRIVATE: Final = 0o600
KEY: Final = re.compile(r"[A-Za-z0-9/+=_\-]{8,128}")
KEY_ID: Final = "TANDEM_ALPACA__KEY_ID"
SECRET_KEY: Final = "TANDEM_ALPACA__SECRET_KEY"  # noqa: S105  (the variable's name)
THEIRS: Final = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")

Feed = Literal["iex", "sip"]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]

CONFIG: Final = """\
# Settings of Tandem. What is not here keeps its default: `tandem config show` prints every key,
# config.example.yaml explains it. Keys for Alpaca never stand here: they are in .env.

websocket:
  mode: {mode}                       # recycler: the local Alpaca | alpaca: live bars
  symbols: [AAPL, IBM, MSFT, NVDA]
  recycler:
    symbols: [AAPL, IBM, MSFT, NVDA]
    replay_mode: loop                # loop | date_range | single_pass
    replay_speed: 1.0                # market seconds per second
    server_url: ws://localhost:8765

alpaca:
  paper: true                        # play money; false trades real money and asks for a typed confirmation as well
  data_feed: {feed}                  # iex: free | sip: all exchanges, paid

sectors:
  active: [technology]
"""

SECRETS: Final = """\
# Read by Tandem at every start. Never share this file, never commit it.
"""
NO_KEYS: Final = f"""\
# {KEY_ID}=
# {SECRET_KEY}=
"""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """A key pair of Alpaca; never printed."""

    key_id: str
    secret_key: str

    def __post_init__(self) -> None:
        for name, value in (("key id", self.key_id), ("secret key", self.secret_key)):
            if not KEY.fullmatch(value):
                raise ConfigError(
                    f"the {name} does not look like one of Alpaca's",
                    "Copy it again from Alpaca's page of API keys: letters and digits, no blanks.",
                )

    @property
    def live(self) -> bool:
        """Whether Alpaca names such keys for real money: those for paper begin with PK."""
        return self.key_id.startswith("AK")

    @property
    def lines(self) -> dict[str, str]:
        """The variables of `.env`."""
        return {KEY_ID: self.key_id, SECRET_KEY: self.secret_key}


def init(
    *,
    folder: Annotated[Path, Parameter(show_default=False)] = Path(),
    no_keys: Flag = False,
    feed: Feed | None = None,
    non_interactive: Flag = False,
    force: Flag = False,
) -> None:
    """Write config.yaml and .env, readable by you alone, and say what to run next.

    Tandem needs no keys for the demo, the recycler and backtests.

    Parameters
    ----------
    folder
        Where to write; the current folder by default. Tandem reads both files from where it is started.
    no_keys
        Do not ask for keys: everything that needs none works.
    feed
        Your data plan at Alpaca: iex (free) or sip (paid).
    non_interactive
        Ask nothing. Keys are taken from APCA_API_KEY_ID and APCA_API_SECRET_KEY where both are set.
    force
        Replace what is there without asking.
    """
    folder = folder.expanduser()
    console = Console()
    ask = not non_interactive
    config, secrets = folder / "config.yaml", folder / ".env"
    _allow(config, config.exists(), ask, force)
    keys = None if no_keys else (_asked_keys(console) if ask else _environment_keys())
    _allow(secrets, _holds(secrets, keys), ask, force)
    feed = feed or (_asked_feed() if ask and keys else "iex")
    _write(secrets, _with_keys(secrets, keys))
    _write(config, CONFIG.format(mode="alpaca" if keys else "recycler", feed=feed))
    _say_next(console, (config, secrets), keys)


def _allow(path: Path, replaces: bool, ask: bool, force: bool) -> None:
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent}", "Make it, or choose another with --folder.")
    if not replaces or force:
        return
    what = f"{path.name} is there already" if path.suffix else f"{path.name} holds keys already"
    if not ask:
        raise ConfigError(f"{what}; nothing was written", "Use --force to replace it.")
    if not _confirmed(f"{what}. Replace?"):
        raise ConfigError(f"{what}; nothing was written", "Move it away, or choose another folder with --folder.")


def _confirmed(question: str) -> bool:
    try:
        return Confirm.ask(question, default=False)
    except EOFError:
        raise _nobody() from None


def _asked_keys(console: Console) -> Keys | None:
    console.print(
        "Keys of Alpaca's paper account let Tandem see live bars and trade play money. The demo, the recycler and "
        "backtests need none: leave the key id empty to go on without."
    )
    try:
        key_id = Prompt.ask("Key id", default="", show_default=False).strip()
        if not key_id:
            return None
        return Keys(key_id, Prompt.ask("Secret key (not shown)", password=True).strip())
    except EOFError:
        raise _nobody() from None


def _asked_feed() -> Feed:
    try:
        answer = Prompt.ask("Data plan: iex is free, sip is paid", choices=["iex", "sip"], default="iex")
    except EOFError:
        raise _nobody() from None
    return "sip" if answer == "sip" else "iex"


def _nobody() -> ConfigError:
    print()
    return ConfigError("nobody is there to answer; nothing was written", "Use --non-interactive.")


def _environment_keys() -> Keys | None:
    for names in ((KEY_ID, SECRET_KEY), THEIRS):
        values = [os.environ.get(name, "").strip() for name in names]
        if all(values):
            return Keys(*values)
        if any(values):
            raise ConfigError(f"only one of {names[0]} and {names[1]} is set", "Set both, or use --no-keys.")
    return None


def _holds(path: Path, keys: Keys | None) -> bool:
    """Whether writing the keys would replace others."""
    return keys is not None and any(_name(line) in keys.lines for line in _lines(path))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Move it away and run `tandem init` again.") from None


def _name(line: str) -> str:
    return line.removeprefix("export ").partition("=")[0].strip()


def _with_keys(path: Path, keys: Keys | None) -> str:
    """What `.env` shall hold: everything that is not ours stays."""
    ours = keys.lines if keys else {}
    kept = [line for line in _lines(path) if _name(line) not in ours]
    if not kept:
        kept = SECRETS.splitlines() + ([] if keys else NO_KEYS.splitlines())
    return "\n".join([*kept, *(f"{name}={value}" for name, value in ours.items())]) + "\n"


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and readable by nobody else at any moment."""
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(PRIVATE)
        Path(draft).replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "Choose another with --folder.") from None


def _say_next(console: Console, written: Sequence[Path], keys: Keys | None) -> None:
    for path in written:
        console.print(f"wrote {escape(str(path))}, readable by you alone")
    if keys and keys.live:
        console.print(
            "These keys look like those of a live account, and config.yaml says paper: Alpaca will refuse them."
        )
    console.print("\nNext:")
    console.print("  tandem doctor            see that everything is in place")
    if keys:
        console.print("  tandem data load samples a month of bars, and the symbols of technology")
        console.print("  tandem data load alpaca --sector technology --days 60")
        console.print("  tandem trade --dry-run   signals and intended orders, nothing sent")
    else:
        console.print("  tandem demo              whole trading days on real bars, offline")
        console.print("  tandem init              again, once you have keys")
