"""A YAML file as plain data, without YAML's surprises."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from tandem.market import ConfigError

BOOL: Final = "tag:yaml.org,2002:bool"
INT: Final = "tag:yaml.org,2002:int"
TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"


class _Plain(yaml.SafeLoader):
    """YAML in which ON, NO and Y stay words and tickers, 10:30 a time, dates text; no key stands twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (the library's own attribute)
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (BOOL, INT, TIMESTAMP)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", name.start_mark)
            if name.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name.value} stands twice", name.start_mark)
            seen.add(name.value)
        return super().construct_mapping(node, deep)


_Plain.add_implicit_resolver(INT, re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))
_Plain.add_implicit_resolver(BOOL, re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))


def read(path: Path) -> Any:
    """What a YAML file holds; an empty file is an empty dict.

    Raises:
        ConfigError: the file is missing, unreadable, not UTF-8, or not YAML; with its line.
    """
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _Plain)  # noqa: S506  (a SafeLoader)
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing", "Copy config.example.yaml, or run `tandem init`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}{_where(error)} is not YAML: {_problem(error)}") from None
    return {} if tree is None else tree


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" line {mark.line + 1}" if mark else ""


def _problem(error: Exception) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())
