"""What `tandem` offers, where each command lives, and how it tells that something went wrong.

Commands are named by import strings: nothing is loaded before it is asked for, and a command that
cannot be loaded takes no other command with it.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.exceptions import UnknownCommandError

from tandem import __version__
from tandem.market import TandemError

MENDABLE: Final = 2
BUG: Final = 1
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

START = Group.create_ordered("Start here")
DATA = Group.create_ordered("Data and settings")
TRADE = Group.create_ordered("Trade")
OPERATE = Group.create_ordered("Let it run by itself")
LOOK = Group.create_ordered("Look and prove")
OPTIONS = Group.create_ordered("Options")

COMMANDS: Final = (
    ("demo", "tandem.cli.demo:demo", START, "Run whole trading days on real bars, offline, from pairs to report."),
    ("init", "tandem.cli.init:init", START, "Write config.yaml and .env, with or without keys for Alpaca."),
    ("doctor", "tandem.cli.doctor:doctor", START, "Check that everything is in place; say how to mend what is not."),
    ("config", "tandem.cli.config:app", DATA, "Show the settings in force."),
    ("data", "tandem.cli.data:app", DATA, "Load bars, and see what is there."),
    ("sectors", "tandem.cli.sectors:app", DATA, "Which symbol belongs to which sector."),
    ("symbols", "tandem.cli.symbols:app", DATA, "Which symbols are played, and whether there are bars of them."),
    ("recycler", "tandem.cli.recycler:app", DATA, "The local Alpaca that replays stored bars."),
    ("stream", "tandem.cli.stream:stream", DATA, "Keep live bars, from Alpaca or the recycler, in the store."),
    ("identify", "tandem.cli.identify:identify", TRADE, "Find the pairs of a trading day."),
    ("train", "tandem.cli.train:train", TRADE, "Train the models of a day's pairs; --all trains and ranks every pair."),
    ("tune", "tandem.cli.tune:tune", TRADE, "Search for better settings of the model."),
    ("trade", "tandem.cli.trade:trade", TRADE, "Trade the next session; --dry-run sends nothing."),
    ("positions", "tandem.cli.positions:positions", TRADE, "What the broker holds beside what Tandem opened."),
    ("halt", "tandem.cli.halt:halt", TRADE, "Stop new entries until `tandem resume`."),
    ("resume", "tandem.cli.halt:resume", TRADE, "Allow entries again after a halt."),
    ("flatten", "tandem.cli.halt:flatten", TRADE, "Close everything that Tandem opened."),
    ("up", "tandem.cli.up:up", OPERATE, "Run the desk unattended: schedules, session, web page, alerts."),
    ("status", "tandem.cli.up:status", OPERATE, "What `tandem up` runs, and how it fares."),
    ("down", "tandem.cli.up:down", OPERATE, "End what `tandem up` runs."),
    ("flows", "tandem.cli.flows:app", OPERATE, "The scheduled work of a trading day, under Prefect."),
    ("monitor", "tandem.cli.monitor:monitor", OPERATE, "After a session: metrics, drift, verdicts, the day's report."),
    ("tidy", "tandem.cli.tidy:tidy", OPERATE, "At night: fill gaps, seal the day, let go of what is old, back up."),
    (
        "dashboard",
        "tandem.cli.dashboard:dashboard",
        OPERATE,
        "The web page: desk, pairs, models, orders, recycler, runs.",
    ),
    ("alerts", "tandem.cli.alerts:app", OPERATE, "What a person is told, how, and whether it arrived."),
    ("brief", "tandem.cli.brief:brief", LOOK, "The morning in plain words: pairs, models, risk."),
    ("history", "tandem.cli.history:app", LOOK, "Pairs, models, signals and attribution over time, side by side."),
    ("backtest", "tandem.cli.backtest:backtest", LOOK, "Trade past sessions on stored bars, in one process."),
    ("report", "tandem.cli.report:report", LOOK, "Write the report of a run again."),
    ("parity", "tandem.cli.parity:parity", LOOK, "Prove that replay and backtest trade alike."),
    ("serve", "tandem.cli.serve:serve", LOOK, "Answer over HTTP what the day's models expect."),
    ("trial", "tandem.cli.trial:app", LOOK, "Champion and challenger: their records and what follows from them."),
    (
        "models",
        "tandem.cli.models:app",
        LOOK,
        "Which models trade, why, and which did before; promote and demote them.",
    ),
    ("mlflow", "tandem.cli.mlflow:app", LOOK, "Trained models and their figures, in a browser."),
)

app = App(
    name="tandem",
    help="Pairs trading on Alpaca, and a local Alpaca to try it on at any hour.",
    version=__version__,
    help_format="plaintext",
    group_parameters=OPTIONS,
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_int_as_exit_code_else_zero",
)
app.meta.group_parameters = OPTIONS
app.meta.suppress_keyboard_interrupt = False
app["--help"].group = OPTIONS
app["--version"].group = OPTIONS

for _name, _where, _group, _help in COMMANDS:
    if find_spec(_where.partition(":")[0]):
        app.command(_where, name=_name, group=_group, help=_help)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Annotated[Path | None, Parameter(group=OPTIONS)] = None,
) -> int:
    """Run one command.

    Parameters
    ----------
    config
        The settings file; without it TANDEM_CONFIG, else config.yaml here.
    """
    if config is not None:
        os.environ["TANDEM_CONFIG"] = str(config.expanduser().absolute())
    status: int = app(tokens)
    return status


def main() -> None:
    """Run the `tandem` command and exit: 0 done, 1 a bug or a difference found, 2 something a person can mend."""
    sys.exit(run(sys.argv[1:]))


def run(tokens: Sequence[str]) -> int:
    """The exit status of one command; what went wrong is told on stderr, in one line where a person can mend it."""
    debug = bool(os.environ.pop("TANDEM_DEBUG", ""))  # not a setting: settings refuse names they do not know
    try:
        status: int = app.meta(tokens)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _say_no_more()
        return PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        status, told = _told(error)
        if _is_full(error):
            _say_no_more()
        print(told, file=sys.stderr)
        return status


def _told(error: BaseException) -> tuple[int, str]:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "tandem: stopped."
    if isinstance(error, TandemError):
        return MENDABLE, f"tandem: {_one_line(str(error))}"
    if _is_full(error):
        return MENDABLE, "tandem: the disk is full. Free some space and run the same command again."
    if isinstance(error, CycloptsError):
        return MENDABLE, f"tandem: {_misread(error)}"
    return BUG, _bug(error)


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _say_no_more() -> None:
    """What is still to be printed goes nowhere, so that nothing fails on it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _misread(error: CycloptsError) -> str:
    chain = " ".join(["tandem", *(error.command_chain or ())])
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        return f"{_unknown(error.unused_tokens[0], error.app or app)} See `{chain} --help`."
    error.verbose = False
    return f"{_one_line(str(error))} See `{chain} --help`."


def _unknown(token: str, within: App) -> str:
    names = [name for name in within if not name.startswith("-")]
    near = get_close_matches(token, names, 1)
    return f"unknown command {token}." + (f" Did you mean {near[0]}?" if near else "")


def _bug(error: BaseException) -> str:
    frames = "".join(traceback.format_exception(error, limit=-3, chain=False))
    return (
        f"{frames}tandem: this is a bug in Tandem {__version__}, not in what you did. Please report it with the lines "
        "above and the output of `tandem doctor`; TANDEM_DEBUG=1 shows the whole traceback."
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
