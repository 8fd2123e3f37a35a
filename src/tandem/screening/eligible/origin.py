"""What a symbol's prices really are: its own, another's under a second name, or a share class of one company."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Classes whose names do not say so by a suffix after a dot, as BRK.A and BRK.B do.
SHARE_CLASSES: Final = (
    ("BATRA", "BATRK"),
    ("CENT", "CENTA"),
    ("CMCSA", "CMCSK"),
    ("DISCA", "DISCB", "DISCK"),
    ("FOX", "FOXA"),
    ("FWONA", "FWONK"),
    ("GOOG", "GOOGL"),
    ("LBRDA", "LBRDK"),
    ("LBTYA", "LBTYB", "LBTYK"),
    ("LILA", "LILAK"),
    ("LSXMA", "LSXMB", "LSXMK"),
    ("NWS", "NWSA"),
    ("QRTEA", "QRTEB"),
    ("RUSHA", "RUSHB"),
    ("UA", "UAA"),
    ("VIA", "VIAB"),
    ("Z", "ZG"),
)
COMPANY: Final = {symbol: classes[0] for classes in SHARE_CLASSES for symbol in classes}


def sources_of(symbols: Sequence[str], same_source: Mapping[str, str]) -> tuple[str, ...]:
    """The symbol whose bars each symbol's bars are."""
    return tuple(same_source.get(symbol, symbol) for symbol in symbols)


def company_of(symbol: str) -> str:
    """One name for every share class of a company."""
    root = symbol.replace("-", ".").partition(".")[0]
    return COMPANY.get(root, root)


def one_origin(sources: Sequence[str], first: NDArray[np.integer], second: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pairs whose legs are one source, or shares of one company."""
    companies = np.unique([company_of(source) for source in sources], return_inverse=True)[1]
    same: NDArray[np.bool_] = companies[first] == companies[second]
    return same


def why_one(a: str, b: str, source_a: str, source_b: str) -> str | None:
    """What makes both legs one, in words."""
    if source_a == source_b:
        return f"both legs are {source_a}"
    if company_of(source_a) == company_of(source_b):
        return f"{a} and {b} are shares of one company"
    return None
