"""`tandem alerts`: what a person is told, how, and whether it arrived."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from tandem.cli.opening import newest_world, open_store
from tandem.cli.table import show
from tandem.market import NEW_YORK, RecyclerError, TandemError, WallClock, World

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.operations import Alert, AlertWatch
    from tandem.store import Store

app = App(name="alerts", help="What a person is told, how, and whether it arrived.")

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
FAILED: Final = 2
SECONDS: Final = 2.0


@app.command(name="list")
def list_alerts(*, all: Flag = False, world: str = "", json: Flag = False) -> None:
    """Show what stands, newest first.

    Parameters
    ----------
    all
        Also what is over.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    json
        Print JSON.
    """
    import pandas as pd

    from tandem.config import load
    from tandem.operations import alerts_of

    settings = load()
    with open_store() as store:
        meant = newest_world(store, settings, world)
        found = list(alerts_of(store.facts(meant)).all.values()) if meant else []
    shown = [alert for alert in reversed(found) if all or alert.over is None]
    rows = [_row(alert) if json else _line(alert) for alert in shown]
    empty = "No alert stands. `tandem alerts rules` says what is looked for."
    title = f"Alerts of {meant}, New York time" if meant else "Alerts"
    show(pd.DataFrame(rows), title, json=json, empty=empty, whole=("since", "severity", "rule"))
    if not json and not _is_watched(settings):
        print("Nobody watches now: `tandem up`, or `tandem alerts watch`, does.")


@app.command
def rules(*, json: Flag = False) -> None:
    """Show what is looked for, and from where on it is told.

    Parameters
    ----------
    json
        Print JSON.
    """
    import pandas as pd

    from tandem.config import load
    from tandem.operations import alert_rules

    table = pd.DataFrame(
        [
            {
                "rule": rule.name,
                "severity": rule.severity if rule.on else "off",
                "threshold": f"{rule.threshold:g} {rule.unit}" if rule.unit else "",
                "meaning": rule.meaning,
            }
            for rule in alert_rules(load().alerts)
        ]
    )
    show(table, "Rules; alerts.rules in the settings changes them", json=json, empty="")


@app.command(name="test")
def send_test(*, target: str = "") -> int:
    """Send one message to every target, and say whether it arrived; the exit status is 2 where one did not.

    Parameters
    ----------
    target
        This one alone.
    """
    from tandem.cli.nearest import nearest
    from tandem.config import load
    from tandem.operations import alert_targets, trial_message

    settings, failed = load(), False
    targets = alert_targets(settings, lambda: None)
    if target:
        name = nearest(target, [each.name for each in targets], f"{target} is no target")
        targets = tuple(each for each in targets if each.name == name)
    message = trial_message(WallClock().now())
    for each in targets:
        why = each.send(message)
        failed = failed or bool(why)
        print(f"{each.name}: {f'did not arrive: {why}' if why else 'arrived'}", flush=True)
    if settings.alerts.targets is None:
        print("No other target is named: TANDEM_ALERTS__TARGETS=name=address in .env names some.")
    return FAILED if failed else 0


@app.command
def watch(*, world: str = "") -> None:
    """Evaluate the rules on what is new, put alerts on record and deliver them, until Ctrl-C.

    Parameters
    ----------
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    """
    from tandem.config import load
    from tandem.desk import kind_of
    from tandem.operations import AlertWatch, alert_targets, configure_logs, secrets_of

    settings = load()
    configure_logs("alerts", secrets_of(settings, os.environ))
    stores: list[Store] = []

    def opened() -> "Store":
        stores.append(open_store())
        return stores[0]

    with alone(settings):
        made = AlertWatch(
            settings,
            opened,
            lambda store: newest_world(store, settings, world),
            lambda of, newest: market_time(settings, of, newest),
            lambda named: alert_targets(settings, named),
            World(kind_of(settings), 0),
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: _end(made, number))
        try:
            made.run()
        finally:
            for store in stores:
                store.close()


def market_time(settings: "Settings", world: World | None, newest: datetime | None) -> datetime:
    """The wall clock's; of a world that a recycler plays its own, else the newest that a fact gives, UTC."""
    from tandem.cli.control import ask

    if settings.websocket.mode != "recycler":
        return WallClock().now()
    with suppress(RecyclerError):
        said = ask(settings.websocket.recycler.server_url, SECONDS)
        if world is None or said["world"] == str(world):
            return datetime.fromisoformat(said["time"])
    return newest or WallClock().now()


@contextmanager
def alone(settings: "Settings") -> Iterator[None]:
    """One watch at a time in a home, or everything would be told twice.

    Raises:
        TandemError: there is one.
    """
    from tandem.operations import only_one

    with only_one(
        settings.home / "alerts.lock", f"another process watches the alerts of {settings.home}", "One is enough"
    ):
        yield


def _is_watched(settings: "Settings") -> bool:
    try:
        with alone(settings):
            return False
    except TandemError:
        return True


def _end(watch: "AlertWatch", number: int) -> None:
    watch.end()
    signal.signal(number, signal.SIG_DFL)


def _line(alert: "Alert") -> dict[str, Any]:
    """The same for a terminal: what is in words stands together, where it has room to wrap."""
    row, over = _row(alert), alert.over
    until = f"over {over.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}: {over.body.why}" if over else ""
    told = [f"{name}: {row[name]}" for name in ("told", "not told") if row[name]]
    text = "\n".join(filter(None, (row["title"], row["text"], until, *told)))
    return {name: row[name] for name in ("since", "severity", "rule")} | {"alert": text}


def _row(alert: "Alert") -> dict[str, Any]:
    import pandas as pd

    raised, over = alert.raised, alert.over
    arrived = [name for name, tries in alert.tries.items() if tries.arrived]
    failing = [f"{name}: {tries.why}" for name, tries in alert.tries.items() if tries.why]
    return {
        "since": pd.Timestamp(alert.at),
        "severity": raised.severity,
        "rule": raised.rule,
        "subject": raised.subject,
        "title": raised.title,
        "text": raised.text,
        "over": pd.Timestamp(over.at) if over else "",
        "why": over.body.why if over else "",
        "told": ", ".join(arrived),
        "not told": "; ".join(failing),
    }
