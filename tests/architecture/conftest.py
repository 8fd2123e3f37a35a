"""The source as a syntax tree: nothing here is imported, so a broken room is examined like any other."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Module:
    """One module of the package.

    Attributes:
        name: dotted, a package by its own name.
        path: its file, from the root of the repository.
        tree: its syntax.
        is_package: whether the file is an `__init__.py`.
    """

    name: str
    path: str
    tree: ast.Module
    is_package: bool = False

    @property
    def room(self) -> str:
        """The room it belongs to; empty for the package's own `__init__` and `__main__`."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 and not parts[1].startswith("__") else ""

    def imports(self) -> list[tuple[int, str, str]]:
        """Every import at any depth of the code: line, module, name (empty where the module itself is imported)."""
        found: list[tuple[int, str, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(node.lineno, self._absolute(node), alias.name) for alias in node.names]
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") + ([""] if self.is_package else [])
        return ".".join([*parts[: -node.level], *([node.module] if node.module else [])])

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `t` for `time` after `import time as t`."""
        meaning: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    short = alias.asname or alias.name.split(".")[0]
                    meaning[short] = alias.name if alias.asname else short
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    meaning[alias.asname or alias.name] = f"{self._absolute(node)}.{alias.name}"
        return meaning


def _read(path: Path) -> Module:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")), is_package)


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the package."""
    return [_read(path) for path in sorted((SOURCE / "tandem").rglob("*.py"))]


@pytest.fixture
def parse() -> Callable[..., Module]:
    """A module from its text: the tests' own tests."""

    def module(text: str, name: str = "tandem.signals.sample") -> Module:
        return Module(name, f"src/{name.replace('.', '/')}.py", ast.parse(text))

    return module
