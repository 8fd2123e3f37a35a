"""Every key of the settings: its dotted name, its variable in the environment, the form of its value."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeGuard, get_args

from pydantic import BaseModel, SecretStr

PREFIX: Final = "TANDEM_"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting.

    Attributes:
        path: names of the blocks and of the setting, outermost first.
        kind: the type that the value must have.
    """

    path: tuple[str, ...]
    kind: Any

    def __str__(self) -> str:
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The variable in the environment or in `.env` that overrides this setting."""
        return PREFIX + "__".join(self.path).upper()

    @property
    def secret(self) -> bool:
        """Whether the value must stay out of `config.yaml` and of every printout."""
        return SecretStr in _parts(self.kind)

    @property
    def optional(self) -> bool:
        """Whether the setting may be empty."""
        return type(None) in _parts(self.kind)

    @property
    def many(self) -> bool:
        """Whether the value is a list."""
        return getattr(self.kind, "__origin__", None) is list

    @property
    def mapping(self) -> bool:
        """Whether the value is a table of names."""
        return getattr(self.kind, "__origin__", None) is dict


def keys_of(block: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every setting of a block and of the blocks within, in the order of their definition."""
    for name, field in block.model_fields.items():
        if is_block(field.annotation):
            yield from keys_of(field.annotation, (*above, name))
        else:
            yield Key((*above, name), field.annotation)


def is_block(kind: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a type is a block of settings rather than a value."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def meant(name: str, known: list[str]) -> str:
    """`Did you mean ...?` where a known name is close, else where to find the names."""
    last = name.rpartition(".")[2]
    near = [other for other in known if other.rpartition(".")[2] == last] or get_close_matches(name, known, 1, 0.6)
    return f"Did you mean {near[0]}?" if near else "`tandem config show` lists every key."


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) or (kind,)
