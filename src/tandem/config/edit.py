"""`config.yaml` changed in place: comments, order and everything that was not asked for stay as they are."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from tandem.config.document import read
from tandem.config.load import load
from tandem.market import ConfigError


def edit_lists(path: Path, lists: Mapping[str, Sequence[str]]) -> None:
    """Give lists of words their new content, whole or not at all; a file that is missing is made.

    Args:
        path: of the file; a link is followed.
        lists: dotted keys, such as `websocket.symbols`, and what they shall hold.

    Raises:
        ConfigError: the file cannot be read, cannot be written, or would not be valid afterwards.
    """
    file = path.resolve()
    if file.exists():
        read(file)
    text = file.read_bytes().decode() if file.exists() else ""
    _replace(file, _edited(text, lists))


def _edited(text: str, lists: Mapping[str, Sequence[str]]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.util import load_yaml_guess_indent

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    _, indent, offset = load_yaml_guess_indent(text or "a: 1\n")
    offset = 2 if offset is None else offset
    yaml.indent(mapping=indent or 2, sequence=offset + 2, offset=offset)
    tree = yaml.load(text)
    tree = CommentedMap() if tree is None else tree
    for name, words in lists.items():
        *blocks, key = name.split(".")
        _give(_block(tree, blocks), key, words)
    out = StringIO()
    yaml.dump(tree, out)
    return out.getvalue().replace("\n", "\r\n" if "\r\n" in text else "\n")


def _block(tree: Any, names: Sequence[str]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    for name in names:
        if tree.get(name) is None:
            _insert(tree, name, CommentedMap())
        tree = tree[name]
    return tree


def _give(block: Any, key: str, words: Sequence[str]) -> None:
    from ruamel.yaml.comments import CommentedSeq

    if block.get(key) is None:
        fresh = CommentedSeq(words)
        fresh.fa.set_flow_style()
        _insert(block, key, fresh)
        return
    held = block[key]
    tail = _cut_tail(held)
    _order(held, words)
    _tie_tail(held, tail)


def _order(held: Any, words: Sequence[str]) -> None:
    """Each word that stays keeps its quotes and its comment; new ones are quoted as the first."""
    known = {str(word): (word, held.ca.items.get(place)) for place, word in enumerate(held)}
    quoted = type(held[0]) if held and isinstance(held[0], str) else str
    held.ca.items.clear()
    held[:] = []
    for place, name in enumerate(words):
        word, comment = known.get(name, (quoted(name), None))
        held.append(word)
        if comment is not None:
            held.ca.items[place] = comment


def _insert(block: Any, key: str, value: Any) -> None:
    """Before the last key: what stands between blocks belongs to the last key, and would come before a new one."""
    if key in block:
        block[key] = value
    else:
        block.insert(max(0, len(block) - 1), key, value)


def _cut_tail(words: Any) -> Any:
    """What follows the last line of a list: blank lines and the comment of what comes next belong to its last item."""
    tokens = words.ca.items.get(len(words) - 1)
    if not words or not tokens or tokens[0] is None or "\n" not in tokens[0].value:
        return None
    token = tokens[0]
    own, _, rest = token.value.partition("\n")
    if not own:
        del words.ca.items[len(words) - 1]
    else:
        from copy import copy

        kept = copy(token)
        kept.value = f"{own}\n"
        words.ca.items[len(words) - 1] = [kept, *tokens[1:]]
    return (token, rest) if rest else None


def _tie_tail(words: Any, tail: Any) -> None:
    if tail is None:
        return
    token, rest = tail
    known = words.ca.items.get(len(words) - 1)
    own = known[0].value if known and known[0] is not None else "\n"
    token.value = own + rest
    words.ca.items[len(words) - 1] = [token, None, None, None]


def _replace(file: Path, text: str) -> None:
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(text.encode())
                out.flush()
                os.fsync(out.fileno())
            draft.chmod(mode)
            _check(draft, file)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}", "Nothing was changed.") from None


def _check(draft: Path, file: Path) -> None:
    try:
        load(draft, {})
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(draft), str(file))) from None
