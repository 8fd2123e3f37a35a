"""What a form of the recycler's page means to the control API."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from tandem.market import ConfigError
from tandem.operations.run.wording import counted

Told = tuple[str, str, dict[str, Any]]
NUMBERS: Final = {"every": int, "count": int, "seconds": float, "chance": float}
WORDS: Final = ("symbol", "at", "until")
TERMS: Final = {
    "symbol": "for {}",
    "at": "from {}",
    "until": "until {}",
    "every": "at one in {} occasions",
    "count": "{} times at most",
    "seconds": "for {:g} seconds",
    "chance": "with a chance of {:g}",
}


def order_of(form: Mapping[str, str], status: Mapping[str, Any] | None) -> Told:
    """Method, path under `/control/`, and body.

    Args:
        form: `do` says what.
        status: of the recycler; None where none answers.

    Raises:
        ConfigError: it says nothing that can be done.
    """
    make = ORDERS.get(form.get("do", ""))
    if make is None:
        raise ConfigError("the form does not say what to do")
    return make(form, status)


def told(method: str, path: str, details: Mapping[str, Any]) -> str:
    """What has been done, in words."""
    what, _, which = path.partition("/")
    if method == "DELETE":
        return f"Fault {which} is taken back." if which else "Every fault is taken back."
    return DONE[what](which, details)


def terms_of(fault: Mapping[str, Any]) -> str:
    """Where, when and how often a fault strikes, in words; empty where nothing is said of it."""
    return ", ".join(words.format(fault[name]) for name, words in TERMS.items() if name in fault)


def _speed(form: Mapping[str, str], _: object) -> Told:
    said = form.get("speed", "").strip()
    return "POST", "speed", {"speed": "max" if said == "max" else _number("speed", said, float)}


def _seek(form: Mapping[str, str], status: Mapping[str, Any] | None) -> Told:
    to = form.get("to", "").strip()
    # With times that are not the bars' own, a date is one of the stored bars.
    is_stored = _is_date(to) and status is not None and status.get("timestamps") == "current"
    return "POST", "seek", {"day" if is_stored else "to": to}


def _fault(form: Mapping[str, str], _: object) -> Told:
    body: dict[str, Any] = {"name": form.get("name", "")}
    body |= {name: form[name].strip() for name in WORDS if form.get(name, "").strip()}
    body |= {name: _number(name, form[name], kind) for name, kind in NUMBERS.items() if form.get(name, "").strip()}
    return "POST", "faults", body


def _scenario(form: Mapping[str, str], _: object) -> Told:
    name = form.get("name", "")
    if not name.replace("-", "").isalnum():
        raise ConfigError("the form names no scenario")
    symbol = form.get("symbol", "").strip()
    return "POST", f"scenarios/{name}", {"symbol": symbol} if symbol else {}


ORDERS: Final[dict[str, Callable[[Mapping[str, str], Mapping[str, Any] | None], Told]]] = {
    "pause": lambda *_: ("POST", "pause", {}),
    "resume": lambda *_: ("POST", "resume", {}),
    "step": lambda form, _: ("POST", "step", {"count": _number("minutes", form.get("count", "1"), int)}),
    "speed": _speed,
    "seek": _seek,
    "fault": _fault,
    "disarm": lambda form, _: ("DELETE", f"faults/{_number('number', form.get('number', ''), int)}", {}),
    "clear": lambda *_: ("DELETE", "faults", {}),
    "scenario": _scenario,
}

DONE: Final[dict[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "pause": lambda *_: "The replay is paused.",
    "resume": lambda *_: "The replay goes on.",
    "step": lambda _, details: f"The replay went on by {counted(details['count'], 'minute')}.",
    "speed": lambda _, details: f"Speed set to {_speed_of(details['speed'])}.",
    "seek": lambda _, details: f"The replay went to {details.get('day') or details['to']}.",
    "faults": lambda _, details: f"Fault injected: {_named(details['name'], terms_of(details))}.",
    "scenarios": lambda name, details: f"The bad day is set: {_named(name, terms_of(details))}.",
}


def _speed_of(speed: float | str) -> str:
    return speed if isinstance(speed, str) else f"{speed:g}"


def _named(name: str, terms: str) -> str:
    return f"{name}, {terms}" if terms else name


def _number(name: str, said: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(said)
    except ValueError:
        raise ConfigError(f"{said or 'nothing'} is no {name}", "Give a number") from None


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2023-01-04") and date.fromisoformat(text) is not None
    except ValueError:
        return False
