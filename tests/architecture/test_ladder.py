"""Rooms are a ladder: imports point to higher rooms only, and through their doors."""

import ast

import pytest

LADDER = [
    *("market", "config", "store", "sources", "statistics", "rules", "matching", "recycler", "screening"),
    *("forecast", "signals", "risk", "execution", "book", "desk", "operations", "cli"),
]


def doors(modules):
    """What each room exports: the strings of its `__all__`."""
    return {
        module.room: ast.literal_eval(node.value)
        for module in modules
        if module.is_package and module.name == f"tandem.{module.room}"
        for node in module.tree.body
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["__all__"]
    }


def offences(module, exported):
    """Imports that the ladder forbids, one line each."""
    for line, source, name in module.imports():
        if not module.room or source.split(".")[0] != "tandem":
            continue
        where = f"{module.path}:{line}"
        whole = source if source != "tandem" else f"tandem.{name}"
        room = whole.split(".")[1] if "." in whole else ""
        if room in ("", module.room, "__version__"):
            continue
        if room not in LADDER:
            yield f"{where} imports tandem.{room}, which is no room"
        elif LADDER.index(room) > LADDER.index(module.room):
            yield f"{where} imports {room}, which is below {module.room}"
        elif source != f"tandem.{room}" or name == "":
            yield f"{where} reaches into {whole} instead of importing names from tandem.{room}"
        elif name not in exported.get(room, ()):
            yield f"{where} imports {name}, which tandem.{room} does not export"


def test_every_room_stands_on_the_ladder(modules):
    assert {module.room for module in modules} - {""} <= set(LADDER)


def test_imports_point_to_higher_rooms_and_through_their_doors(modules):
    exported = doors(modules)
    assert "\n".join(line for module in modules for line in offences(module, exported)) == ""


def test_only_rooms_and_the_package_itself_lie_at_the_top(modules):
    assert {module.name for module in modules if not module.room} <= {"tandem", "tandem.__main__"}


@pytest.mark.parametrize(
    "text",
    [
        "from tandem.risk import Intent",
        "import tandem.risk",
        "from tandem.market.bar import Bar",
        "import tandem.market",
        "from tandem import market",
        "from tandem.market import hidden",
        "from tandem.attic import Thing",
        "def late():\n    from tandem.desk import Session",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tandem.risk import Intent",
        "from ..risk import Intent",
        "from ..market.bar import Bar",
        "from .. import risk",
    ],
)
def test_a_forbidden_import_is_found(parse, text):
    assert len(list(offences(parse(text), {"market": ["Bar"], "risk": ["Intent"], "desk": ["Session"]}))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from tandem.market import Bar",
        "from tandem.signals.watch import Watch",
        "from .watch import Watch",
        "from ..market import Bar",
        "from tandem import __version__",
        "import numpy, json",
    ],
)
def test_an_allowed_import_is_let_through(parse, text):
    assert list(offences(parse(text), {"market": ["Bar"]})) == []
